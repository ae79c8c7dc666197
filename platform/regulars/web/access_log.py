"""One line per request, and its metrics. The fields are described in docs/operators.md.

No line holds what somebody typed, a token or a name: the route stands for the address, ids stand for people.
"""

from __future__ import annotations

import re
from time import perf_counter

import structlog
from quart import Response

from regulars.web.measures import count_request
from regulars.web.request import RegularsRequest

log = structlog.get_logger("regulars.web.access")

_HARMLESS = re.compile(r"/[a-z._-]{0,20}(?=/|$)")


def record_request(request: RegularsRequest, response: Response) -> None:
    """Count an answered request and write its line.

    Args:
        request: with what the pipeline has found out.
        response: complete.
    """
    visit, rule = request.visit, request.url_rule.rule if request.url_rule is not None else None
    seconds = perf_counter() - visit.started
    count_request(visit.peer.kind, request.method, rule, response.status_code, seconds)
    principal = visit.principal
    log.info(
        "request",
        method=request.method,
        path=rule or beginning_of(request.path),
        host=visit.peer.host,
        status=response.status_code,
        bytes=response.content_length,
        ms=round(seconds * 1000, 1),
        db_ms=round(visit.database.seconds * 1000, 1),
        db_statements=visit.database.statements,
        principal=principal.kind,
        principal_id=str(principal.id) if principal.id is not None else None,
        ip=visit.peer.ip,
    )


def beginning_of(path: str) -> str:
    """The harmless beginning of an address that no route matches: the rest may be a mistyped link with a token."""
    found = _HARMLESS.match(path)
    kept = found[0] if found else "/"
    return kept if kept == path else f"{kept.rstrip('/')}/…"
