"""All SQL of the plugin."""

from __future__ import annotations

from sqlalchemy import BigInteger, Uuid, bindparam, func, insert, select

from regulars.sdk import Fact, WriteStatement
from regulars.sdk.db import TenantSession, insert_rows, new_id, update_rows
from regulars_fixture.models import Note, Sample

_TAKEN = select(func.count()).where(
    Sample.tenant_id == bindparam("tenant_id", type_=Uuid(), required=True),
    Sample.card_id == bindparam("card_id", type_=Uuid(), required=True),
)
_MOST = select(bindparam("sampler_most", type_=BigInteger(), required=True))
FACTS = (
    Fact("taken_before", _TAKEN.scalar_subquery()),
    Fact("most", _MOST.scalar_subquery(), lambda settings: {"sampler_most": settings.most}),
)
WRITES = (
    WriteStatement("taken", insert_rows(Sample, "entry_id", "state", bind="sampler_taken")),
    WriteStatement("noted", insert_rows(Note, "id", "text", bind="sampler_noted")),
    WriteStatement("given_back", update_rows(Sample, "state", match=("entry_id",), bind="sampler_given_back")),
)


async def count(session: TenantSession) -> int:
    """Samples of the tenant."""
    found: int = await session.scalar(
        select(func.count()).select_from(Sample).where(Sample.tenant_id == session.tenant_id)
    )
    return found


async def note(session: TenantSession, text: str) -> None:
    """Keep what a job saw."""
    await session.execute(insert(Note).values(tenant_id=session.tenant_id, id=new_id(), text=text))
