"""What a visitor sees when something does not go: a problem under `/api`, a helpful page elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import structlog
from markupsafe import escape
from quart import Response, has_websocket_context
from werkzeug.exceptions import HTTPException

from regulars.contracts import errors
from regulars.contracts.errors import PluginFault, RegularsError
from regulars.contracts.i18n import N_
from regulars.contracts.pages import PageContext
from regulars.kernel.i18n import gettext
from regulars.kernel.observability.metrics import PLUGIN_FAULTS
from regulars.web.areas import API_PREFIX, area_of, is_hook
from regulars.web.pages import render_page
from regulars.web.plugin_faults import named, note_fault, told
from regulars.web.problems import error_headers, problem_response
from regulars.web.request import RegularsApp, current_request, current_socket, current_visit
from regulars.web.services import services

log = structlog.get_logger(__name__)

_OF_STATUS: dict[int, type[RegularsError]] = {
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.PayloadTooLarge,
    422: errors.InvalidInput,
}


class RequestTimedOut(errors.MalformedRequest):
    """The body did not arrive in time."""

    code = "request_timeout"
    status = 408
    title = N_("The request took too long to arrive.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(PageContext):
    """The page that says what went wrong and what to do.

    Attributes:
        status_code: HTTP status.
        code: stable name of the error.
        title: what happened.
        detail: what to do about it, empty when the title says it all.
        request_id: for whoever reports it.
        start_url: where the way goes on: the start of the area that the visitor was in.
    """

    template: ClassVar[str] = "pages/error.html"
    status_code: int
    code: str
    title: str
    detail: str
    request_id: str
    start_url: str


def register_failures(app: RegularsApp) -> None:
    """Make every error of the application an answer."""
    app.register_error_handler(RegularsError, answer_error)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


async def answer_error(error: RegularsError) -> Response:
    """The answer to a designed error."""
    tenant = current_visit().tenant
    if isinstance(error, PluginFault):
        error = await named(error, services())
        PLUGIN_FAULTS.labels(error.plugin, "ledger").inc()
    if isinstance(error, PluginFault) and tenant is not None:
        await note_fault(services(), tenant.id, error.plugin, error.detail)
        error = told(error, services())
    if error.status >= 500:
        log.error("request_failed", code=error.code, detail=error.detail, route=_route(), exc_info=error)
    if has_websocket_context():
        return Response(status=error.status)  # to whom no page can be shown
    request = current_request()
    if error.status == errors.PayloadTooLarge.status:
        await request.body.hear_out()
    if request.path.startswith(API_PREFIX):
        return problem_response(error, request.visit.request_id)
    if is_hook(request.visit.peer.kind, request.path):
        return Response(status=error.status, headers=error_headers(error))
    return await _error_page(error)


def _route() -> str:
    """The rule that matched: an address itself may hold tokens."""
    asked = current_socket() if has_websocket_context() else current_request()
    return asked.url_rule.rule if asked.url_rule is not None else ""


async def _answer_http(error: HTTPException) -> Response:
    """Quart's own errors: unknown addresses, wrong methods, bodies that are too large or too slow."""
    status = error.code or 500
    if status == 408:
        return await answer_error(RequestTimedOut())
    if status >= 500:
        return await _answer_unexpected(error)
    kind = _OF_STATUS.get(status, errors.MalformedRequest)
    response = await answer_error(kind())
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


async def _answer_unexpected(error: Exception) -> Response:
    log.error("request_crashed", route=_route(), exc_info=error)
    if has_websocket_context():
        return Response(status=RegularsError.status)
    request = current_request()
    if request.path.startswith(API_PREFIX):
        return problem_response(RegularsError(), request.visit.request_id)
    if is_hook(request.visit.peer.kind, request.path):
        return Response(status=RegularsError.status)
    return await _error_page(RegularsError())


async def _error_page(error: RegularsError) -> Response:
    request = current_request()
    visit = request.visit
    title = gettext(error.title)
    page = ErrorPage(
        status_code=error.status,
        code=error.code,
        title=title,
        detail=error.detail if error.detail != title else "",
        request_id=visit.request_id,
        start_url=area_of(visit.peer.kind, request.path).prefix or "/",
    )
    try:
        html = await render_page(page) if visit.peer.kind != "tenant" or visit.tenant else _plain_page(page)
    except Exception as fault:
        log.error("error_page_failed", exc_info=fault)
        html = _plain_page(page)
    return Response(html, status=error.status, content_type="text/html; charset=utf-8", headers=error_headers(error))


def _plain_page(page: ErrorPage) -> str:
    """A page without brand, made without templates: for unknown hosts and broken installations."""
    sheet = services().assets.url("app.css")
    return (
        f'<!doctype html><html lang="{escape(current_request().visit.locale)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(page.title)}</title><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="{escape(sheet)}"></head>'
        '<body><main class="grid min-h-dvh content-center justify-items-center gap-4 px-4 py-16 text-center">'
        f"<h1>{escape(page.title)}</h1><p>{escape(page.detail)}</p>"
        f'<p class="text-sm text-muted">{page.status_code} · {escape(page.request_id)}</p></main></body></html>'
    )
