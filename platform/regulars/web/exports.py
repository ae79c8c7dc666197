"""Lists as files that spreadsheets open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote

from quart import Response

from regulars.domain.members.export import MEDIA_TYPE, csv_bytes
from regulars.kernel.i18n import Wording, current_locale, current_timezone, current_wording, use_locale


def csv_response(rows: AsyncIterator[Sequence[str]], filename: str) -> Response:
    """A CSV file that is made while it is sent, in the language and time zone of this moment.

    Args:
        rows: heading and lines; they open sessions of their own, since the request's has ended by then.
        filename: proposed to the visitor.
    """
    response = Response(
        _spoken(csv_bytes(rows), str(current_locale()), current_timezone(), current_wording()), content_type=MEDIA_TYPE
    )
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
    response.timeout = None
    return response


async def _spoken(chunks: AsyncIterator[bytes], locale: str, timezone: str, own: Wording) -> AsyncIterator[bytes]:
    while True:
        with use_locale(locale, timezone, own):
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
        yield chunk
