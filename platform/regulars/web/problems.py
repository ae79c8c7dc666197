"""Errors for machines: RFC 9457 problem documents."""

from __future__ import annotations

from typing import Any

from quart import Response

from regulars.contracts.errors import RegularsError
from regulars.domain.ledger.problems import MEDIA_TYPE, PROBLEM_TYPE_PREFIX
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext


def problem_document(error: RegularsError, request_id: str) -> dict[str, Any]:
    """The members of an error's problem document.

    Args:
        error: its extra members are added, but never replace the standard ones.
        request_id: the instance, by which the log can be searched.
    """
    title = gettext(error.title)
    return {
        **error.extra,
        "type": f"{PROBLEM_TYPE_PREFIX}{error.code}",
        "title": title,
        "status": error.status,
        "detail": error.detail or title,
        "code": error.code,
        "instance": request_id,
    }


def problem_response(error: RegularsError, request_id: str) -> Response:
    """An error as an answer of the API."""
    body = to_json(problem_document(error, request_id)).encode()
    return Response(body, status=error.status, content_type=MEDIA_TYPE, headers=error_headers(error))


def error_headers(error: RegularsError) -> dict[str, str]:
    """Headers that an error brings, whoever reads it."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="Regulars"'
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return headers
