"""What the plugin reads and writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, DateTime, Text, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from regulars.sdk import Fact, WriteStatement
from regulars.sdk.db import CORE_NOW, Redemption, TenantSession, count_rows, update_rows
from regulars_rewards.models import Code, Pool, Stock

KIND = "rewards.catalogue"
_TENANT = bindparam("tenant_id", type_=Uuid(), required=True)
_PROGRAM = bindparam("program_id", type_=Uuid(), required=True)
_CARD = bindparam("card_id", type_=Uuid(), required=True)
_DAY_START = bindparam("day_start", type_=DateTime(timezone=True), required=True)
_GIVEN_BACK: list[ColumnElement[str]] = [literal_column(f"'{status}'") for status in ("released", "expired", "undone")]
_ONE: ColumnElement[int] = literal_column("1")
PLACES = 1 << 60
BATCH = 1000

_TAKEN = (
    select(func.jsonb_object_agg(Stock.reward_key, Stock.taken))
    .where(Stock.tenant_id == _TENANT, Stock.program_id == _PROGRAM)
    .scalar_subquery()
)
_STANDING = (
    select(
        Redemption.reward_key,
        func.count().label("in_all"),
        func.count().filter(Redemption.created_at >= _DAY_START).label("today"),
    )
    .where(
        Redemption.tenant_id == _TENANT,
        Redemption.card_id == _CARD,
        Redemption.reward_kind == literal_column(f"'{KIND}'"),
        Redemption.status.not_in(_GIVEN_BACK),
    )
    .group_by(Redemption.reward_key)
    .subquery("standing")
)
_HAD = select(
    func.jsonb_object_agg(_STANDING.c.reward_key, func.jsonb_build_array(_STANDING.c.in_all, _STANDING.c.today))
).scalar_subquery()


def _first_free(*where: ColumnElement[bool]) -> Any:
    return (
        select(Code.code)
        .where(
            Code.tenant_id == _TENANT,
            Code.program_id == _PROGRAM,
            Code.reward_key == Pool.reward_key,
            Code.redemption_id.is_(None),
            *where,
        )
        .order_by(Code.place)
        .limit(_ONE)
        .correlate(Pool)
        .scalar_subquery()
    )


_START: ColumnElement[int] = func.abs(
    func.mod(func.hashtextextended(cast(_CARD, Text), literal_column("0")), literal_column(str(PLACES))),
    type_=BigInteger,
)
_CODES = (
    select(func.jsonb_object_agg(Pool.reward_key, func.coalesce(_first_free(Code.place >= _START), _first_free())))
    .where(Pool.tenant_id == _TENANT, Pool.program_id == _PROGRAM)
    .scalar_subquery()
)
FACTS = (Fact("taken", _TAKEN), Fact("had", _HAD), Fact("codes", _CODES))
WRITES = (
    WriteStatement(
        "stock",
        count_rows(Stock, "taken", match=("program_id", "reward_key"), most="most", bind="rewards_stock"),
        adds=("taken",),
    ),
    WriteStatement(
        "code",
        update_rows(
            Code,
            "redemption_id",
            "taken_at",
            match=("program_id", "reward_key", "code"),
            bind="rewards_code",
            where=Code.redemption_id.is_(None),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a reward.

    Attributes:
        taken: how many are out.
        codes_free, codes_taken: of the merchant's own codes; both 0 without any.
    """

    taken: int = 0
    codes_free: int = 0
    codes_taken: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of codes that were sent.

    Attributes:
        added: new ones.
        known: those that were there already, or came twice.
        faults: (line, what is wrong with it); nothing of such a line is kept.
    """

    added: int
    known: int
    faults: Sequence[tuple[int, str]]


async def figures(session: TenantSession, program_id: UUID) -> Mapping[str, Figures]:
    """Figures of every reward of a program that has some, by its short name."""
    stock = select(Stock.reward_key, Stock.taken).where(
        Stock.tenant_id == session.tenant_id, Stock.program_id == program_id
    )
    codes = (
        select(
            Code.reward_key,
            func.count().filter(Code.redemption_id.is_(None)).label("free"),
            func.count().filter(Code.redemption_id.is_not(None)).label("gone"),
        )
        .where(Code.tenant_id == session.tenant_id, Code.program_id == program_id)
        .group_by(Code.reward_key)
    )
    taken = {row.reward_key: row.taken for row in await session.rows(stock)}
    counted = {row.reward_key: (row.free, row.gone) for row in await session.rows(codes)}
    return {key: Figures(taken.get(key, 0), *counted.get(key, (0, 0))) for key in {*taken, *counted}}


async def add_codes(session: TenantSession, program_id: UUID, reward_key: str, codes: Sequence[str]) -> int:
    """Add codes to a reward's pool; those that are there stay as they are, so that a list can be sent again.

    Returns:
        How many were new.
    """
    owner = {"tenant_id": session.tenant_id, "program_id": program_id, "reward_key": reward_key}
    await session.execute(insert(Pool).values(**owner, created_at=CORE_NOW).on_conflict_do_nothing())
    new = 0
    for start in range(0, len(codes), BATCH):
        rows = [{**owner, "code": code, "place": place_of(code)} for code in codes[start : start + BATCH]]
        result = await session.execute(insert(Code).values(rows).on_conflict_do_nothing())
        new += result.rowcount
    return new


def place_of(code: str) -> int:
    """Where a code stands in the pool: evenly spread, the same for the same code."""
    return int.from_bytes(sha256(code.encode()).digest()[:8]) % PLACES
