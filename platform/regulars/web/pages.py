"""Rendering a page: theme, chrome, slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urlencode

from regulars.contracts.context import ANONYMOUS, Principal, TenantSnapshot
from regulars.contracts.pages import PageContext
from regulars.domain.tenants.looks import look_of
from regulars.kernel.templating.chrome import Flash
from regulars.kernel.templating.engine import SlotRenderer
from regulars.kernel.templating.themes import DEFAULT_THEME
from regulars.web.areas import Area, area_of, is_themed
from regulars.web.chrome import make_chrome
from regulars.web.locales import LOCALE_PARAMETER
from regulars.web.navigation import Frame
from regulars.web.origin import SAFE_METHODS
from regulars.web.request import RegularsRequest, current_request
from regulars.web.results import Still
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
    request = current_request()
    area = area_of(request.visit.peer.kind, request.path)
    frame = _frame(area, request.path, request.visit.tenant, principal, here=_here(request))
    return await _render(page, frame, flashes, slot)


async def render_still(still: Still, slot: SlotRenderer) -> str:
    """Render a still picture of a page: no scripts, one colour scheme.

    Args:
        still: what it shows.
        slot: renders what plugins add.

    Returns:
        HTML.
    """
    frame = _frame(still.area, still.path, still.tenant, still.principal, here="")
    return await _render(still.page, frame, (), slot, still)


def _frame(area: Area, path: str, tenant: TenantSnapshot | None, principal: Principal, *, here: str) -> Frame:
    parts = services()
    return Frame(
        area=area,
        path=path,
        here=here,
        tenant=tenant,
        principal=principal,
        registry=parts.plugins,
        config=parts.config,
        locale=current_request().visit.locale,
    )


async def _render(
    page: PageContext,
    frame: Frame,
    flashes: Sequence[Flash],
    slot: SlotRenderer | None,
    still: Still | None = None,
) -> str:
    parts = services()
    look = look_of(parts.templates.themes, frame.tenant) if frame.tenant else None
    chrome = make_chrome(frame, parts.navigations.of(frame), flashes, look)
    if still is not None:
        chrome = replace(chrome, preview=still.scheme, brand_css_url=still.brand_css_url)
    theme = look.theme if look is not None and is_themed(frame.area) else DEFAULT_THEME
    return await parts.templates.render(theme, page, globals={"chrome": chrome}, slot=slot)


def _here(request: RegularsRequest) -> str:
    if request.method not in SAFE_METHODS:
        return ""
    query = [(name, value) for name, value in request.args.items(multi=True) if name != LOCALE_PARAMETER]
    return quote(request.path) + (f"?{urlencode(query)}" if query else "")
