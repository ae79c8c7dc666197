"""Where a visitor may be sent: only to paths of the same host."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A path with query: no second slash at the start, no backslash, no space, no control character, plain ASCII."""


def safe_path(text: str | None, default: str) -> str:
    """A path of this host that a visitor named, for `next`.

    Args:
        text: as it came.
        default: given for everything else than a path of this host.
    """
    if not text or not _PATH.fullmatch(text):
        return default
    try:
        parts = urlsplit(text)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else text


def with_next(log_in: str, path: str, query: str) -> str:
    """The log-in page's address, with the way back.

    Args:
        log_in: its path.
        path: where the visitor wanted to go, decoded.
        query: its query string, empty for none.
    """
    back = quote(path) + (f"?{query}" if query else "")
    return f"{log_in}?next={quote(back, safe='')}" if safe_path(back, "") else log_in
