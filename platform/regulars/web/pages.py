"""Rendering a page: theme, chrome, slots."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from regulars.contracts.context import ANONYMOUS, Principal
from regulars.contracts.pages import PageContext
from regulars.kernel.templating.chrome import Flash
from regulars.kernel.templating.engine import SlotRenderer
from regulars.kernel.templating.themes import DEFAULT_THEME
from regulars.web.areas import area_of
from regulars.web.chrome import make_chrome
from regulars.web.locales import LOCALE_PARAMETER
from regulars.web.navigation import Frame
from regulars.web.origin import SAFE_METHODS
from regulars.web.request import RegularsRequest, current_request
from regulars.web.services import services


async def render_page(
    page: PageContext,
    *,
    principal: Principal = ANONYMOUS,
    flashes: Sequence[Flash] = (),
    slot: SlotRenderer | None = None,
) -> str:
    """Render a page of the request's host.

    Args:
        page: its context.
        principal: who reads it.
        flashes: messages to show.
        slot: renders what plugins add; without it all slots are empty.

    Returns:
        HTML.
    """
    request, parts = current_request(), services()
    visit = request.visit
    frame = Frame(
        area=area_of(visit.peer.kind, request.path),
        path=request.path,
        here=_here(request),
        tenant=visit.tenant,
        principal=principal,
        registry=parts.plugins,
        config=parts.config,
        locale=visit.locale,
    )
    chrome = make_chrome(frame, parts.navigations.of(frame), flashes)
    theme = visit.tenant.theme if visit.tenant else DEFAULT_THEME
    return await parts.templates.render(theme, page, globals={"chrome": chrome}, slot=slot)


def _here(request: RegularsRequest) -> str:
    if request.method not in SAFE_METHODS:
        return ""
    query = [(name, value) for name, value in request.args.items(multi=True) if name != LOCALE_PARAMETER]
    return quote(request.path) + (f"?{urlencode(query)}" if query else "")
