"""From what a view returned to an answer; runs after the unit of work has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

from quart import Response

from regulars.contracts.context import Context
from regulars.contracts.pages import PageContext
from regulars.web.headers import FRAMED_POLICY
from regulars.web.pages import render_page, render_still
from regulars.web.results import Download, Redirect, Result, Still
from regulars.web.services import Services
from regulars.web.slots import PageSlots
from regulars.web.work import BaseWork, PlatformWork, Work

HTML = "text/html; charset=utf-8"


async def answer(result: Result, work: Work | PlatformWork) -> Response:
    """Answer with what a view has returned.

    Args:
        result: of the view.
        work: its work, whose transaction has ended.
    """
    await work.run_later()
    if isinstance(result, PageContext):
        response = await _page(result, work)
    elif isinstance(result, Redirect):
        response = redirect_response(result, work)
    elif isinstance(result, Still):
        assert isinstance(work, Work), "previews need a tenant"
        response = await _still(result, work)
    elif isinstance(result, Download):
        assert isinstance(work, Work), "downloads need a tenant"
        response = _download(result, work.services, work.ctx)
    else:
        response = result
    return work.finish(response)


def redirect_response(result: Redirect, work: BaseWork) -> Response:
    """A redirect; htmx follows its own header, so that the whole page changes."""
    if work.request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": result.path})
    return Response(status=303, headers={"Location": result.path})


async def _page(page: PageContext, work: Work | PlatformWork) -> Response:
    flashes = work.take_flashes()
    if isinstance(work, Work):
        async with PageSlots(work.services, work.ctx, work.slot_settings) as slots:
            html = await render_page(page, principal=work.principal, flashes=flashes, slot=slots.render)
    else:
        html = await render_page(page, principal=work.principal, flashes=flashes)
    return Response(html, status=page.status, content_type=HTML)


async def _still(still: Still, work: Work) -> Response:
    ctx = replace(work.ctx, tenant=still.tenant)
    async with PageSlots(work.services, ctx, work.slot_settings) as slots:
        html = await render_still(still, slots.render)
    return Response(html, content_type=HTML, headers={"Content-Security-Policy": FRAMED_POLICY})


def _download(result: Download, services: Services, ctx: Context) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        async with services.database.tenant(ctx.tenant.id, read_only=True) as session:
            async for chunk in result.chunks(session, ctx):
                yield chunk

    response = Response(chunks(), content_type=result.content_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(result.filename)}"
    response.timeout = None
    return response
