"""A plugin that does wrong whatever a test asks for; as long as nothing is asked it gives nothing and does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from pydantic import BaseModel
from quart import Response
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Uuid

from regulars.sdk import (
    BlueprintRef,
    EntryDraft,
    Fact,
    LedgerContext,
    Occasion,
    Outcome,
    Plugin,
    PostedEntry,
    Write,
    WriteStatement,
    hookimpl,
)
from regulars.sdk.db import PluginTables, TenantTable, insert_rows
from regulars.sdk.web import Blueprint, Result, Work, page


class Base(PluginTables, DeclarativeBase, plugin="faulty"):
    """The plugin's tables: all in its schema."""


asked = {"for": ""}
SECONDS = 0.2


class Note(TenantTable, Base):
    __tablename__ = "note"
    number: Mapped[int] = mapped_column(primary_key=True)


_NOTES = select(func.count()).where(Note.tenant_id == bindparam("tenant_id", type_=Uuid(), required=True))
FACTS = (Fact("share", select(100 / _NOTES.scalar_subquery()).scalar_subquery()),)
WRITES = (WriteStatement("note", insert_rows(Note, "number", bind="faulty_note")),)
ROWS = {"bad row": -1, "bad value": "many", "double row": 1}


class Hooks:
    @hookimpl
    def earn(self, ctx: LedgerContext, occasion: Occasion) -> Sequence[EntryDraft]:
        if asked["for"] == "raises":
            raise RuntimeError("planted")
        if asked["for"] == "late":
            end = perf_counter() + SECONDS
            while perf_counter() < end:
                pass
        return (EntryDraft("stamps", 1, "stolen"),) if asked["for"] == "foreign unit" else ()

    @hookimpl
    def sale_posted(self, ctx: LedgerContext, entries: Sequence[PostedEntry]) -> Outcome | None:
        number = ROWS.get(asked["for"])
        return None if number is None else Outcome(writes=(Write("note", [{"number": number}]),))


bp = Blueprint("faulty", __name__)
STATEMENTS = {
    "commit": "COMMIT",
    "rollback": "  rollback",
    "commented": "/* harmless */ COMMIT",
    "tenant": "SELECT set_config('app.tenant_id', '{other}', true)",
    "block": "DO $$ BEGIN PERFORM 1; END $$",
    "setting": "SET app.tenant_id = '{other}'",
    "all": "SELECT DISTINCT tenant_id FROM core.member",
    "enter": "SELECT * FROM core.enter_tenant('{other}', NULL, NULL)",
}
MINE = text("UPDATE core.member SET name = 'changed' WHERE tenant_id = :tenant")


@bp.post("/sql/<what>/<other>")
@page()
async def run_sql(work: Work, what: str, other: str) -> Result:
    await work.session.execute(MINE, {"tenant": work.session.tenant_id})
    rows = await work.session.rows(text(STATEMENTS[what].format(other=other)))
    return Response(" ".join(str(row[0]) for row in rows))


@bp.post("/second/<uuid:other>")
@page()
async def second_session(work: Work, other: object) -> Result:
    await work.session.execute(MINE, {"tenant": work.session.tenant_id})
    async with work.services.database.tenant(other) as session:
        return Response(str(await session.scalar(text("SELECT count(*) FROM core.member"))))


class NoSettings(BaseModel):
    pass


plugin = Plugin(
    name="faulty",
    title="Faulty",
    host=">=1,<2",
    models="faulty_plugin",
    hooks="faulty_plugin:Hooks",
    facts="faulty_plugin:FACTS",
    writes="faulty_plugin:WRITES",
    blueprints=(BlueprintRef("portal", "faulty_plugin:bp"),),
)
