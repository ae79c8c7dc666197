"""A plugin with a view in every area, for tests of the web."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup
from pydantic import BaseModel, Field
from quart import Response
from sqlalchemy import text

from regulars.sdk import Occasion, PageContext, ProgramSlot, Proposal, Purchase, Slot, Step, hookimpl
from regulars.sdk.api import ApiWork, Operation, Sent, api
from regulars.sdk.web import Blueprint, Download, Redirect, Result, Work, page

portal = Blueprint("probe_portal", __name__)
terminal = Blueprint("probe_terminal", __name__)
manage = Blueprint("probe_manage", __name__)
store_api = Blueprint("probe_store", __name__)
storefront_api = Blueprint("probe_storefront", __name__)

COUNT = text("SELECT count(*) FROM core.member WHERE tenant_id = :tenant")
CONNECTIONS = text("SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND state <> 'idle'")
RENAME = text("UPDATE core.member SET name = :name WHERE tenant_id = :tenant")
NAMES = text("SELECT name FROM core.member WHERE tenant_id = :tenant ORDER BY name")
SEVEN = 7
slot_behaviour: dict[str, Any] = {"mode": "good"}


class Hooks:
    """Whoever takes seven has one more."""

    @hookimpl
    def adjust_earn(self, occasion: Occasion, proposals: Sequence[Proposal]) -> Sequence[Proposal]:
        """The reasons go with it."""
        if not isinstance(occasion, Purchase) or occasion.quantity != SEVEN:
            return proposals
        missed = Step("missed", "“{rule}” is for other customers.", {"rule": "<b>Friends"})
        more = Step("added", "“{rule}” gives more.", {"rule": "Lucky number"})
        return [one.noted(missed).changed(one.draft.amount + 1, more) for one in proposals]


class NameForm(BaseModel):
    name: str = Field(min_length=2, max_length=40)
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyPage(PageContext):
    template: ClassVar[str] = "pages/error.html"
    title: str = "Probe"
    detail: str = ""
    status_code: int = 200
    code: str = ""
    request_id: str = ""
    start_url: str = "/"


@portal.get("/")
@page()
async def show(work: Work) -> Result:
    total = await work.session.scalar(COUNT, {"tenant": work.session.tenant_id})
    return Response(f"{work.ctx.tenant.slug} {total} {work.principal.kind}")


@portal.get("/flash")
@page()
async def show_flash(work: Work) -> Result:
    return EmptyPage(title="Flashes")


@portal.get("/write")
@page()
async def write_by_get(work: Work) -> Result:
    await work.session.execute(RENAME, {"name": "changed by GET", "tenant": work.session.tenant_id})
    return Response("written")


@portal.post("/name")
@page()
async def rename(work: Work) -> Result:
    form = await work.form(NameForm)
    if form.data is None:
        return Response(f"{sorted(form.errors)}", status=422)
    await work.session.execute(RENAME, {"name": form.data.name, "tenant": work.session.tenant_id})
    if form.data.name == "boom":
        raise RuntimeError("planted")
    work.flash(f"Now called {form.data.name}")
    return Redirect("/p/probe/flash")


@portal.get("/names.csv")
@page()
async def names(work: Work) -> Result:
    async def chunks(session: Any, ctx: Any) -> Any:
        for row in await session.rows(NAMES, {"tenant": ctx.tenant.id}):
            yield f"{row.name}\n".encode()

    return Download("Namen ä.csv", "text/csv; charset=utf-8", chunks)


@portal.get("/member-only")
@page(audience="member")
async def member_only(work: Work) -> Result:
    return Response(f"member {work.principal.name}")


@manage.get("/staff-only")
@page(audience="staff")
async def staff_only(work: Work) -> Result:
    return Response(f"staff {work.principal.name}")


@manage.post("/staff-only")
@page(audience="staff")
async def staff_only_post(work: Work) -> Result:
    return Response("done")


@manage.get("/owners-only")
@page(audience="staff", permission="apikeys.manage")
async def owners_only(work: Work) -> Result:
    return Response("owner")


@terminal.get("/")
@page(audience="staff")
async def at_terminal(work: Work) -> Result:
    return Response(work.ctx.source)


class Echo(Sent):
    text: str
    number: int = 0


class Echoed(BaseModel):
    text: str
    number: int


@store_api.post("/echo")
@api(Operation(door="store", permission="programs.view", body=Echo, answers={200: Echoed}, tag="Probe"))
async def echo(work: ApiWork, body: Echo) -> Echoed:
    """Say it again."""
    return Echoed(text=body.text, number=body.number)


@storefront_api.get("/hello")
@api(Operation(door="storefront", answers={200: Echoed}, tag="Probe"))
async def hello(work: ApiWork) -> Echoed:
    """Say hello."""
    return Echoed(text="hello", number=1)


async def preview(context: Any, data: ProgramSlot) -> Markup:
    mode = slot_behaviour["mode"]
    if mode == "raises":
        raise RuntimeError("planted")
    if mode == "hangs":
        await context.rows(text("SELECT pg_sleep(3)"))
    if mode == "bad sql":
        await context.rows(text("SELECT nothing FROM nowhere"))
    rows = await context.rows(CONNECTIONS)
    return Markup("<p>probe {} {}</p>").format(context.context.tenant.slug, rows[0].count)


SLOT = Slot.PROGRAM_PREVIEW
WAIT = asyncio.sleep
