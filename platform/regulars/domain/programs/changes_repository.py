"""Queries of changes of programs, and of the versions of their settings."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import BigInteger, Boolean, Text, Uuid, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from regulars.domain.cards.models import Card
from regulars.domain.programs.models import ProgramChange
from regulars.kernel.db.base import CORE_NOW
from regulars.kernel.settings.models import SettingsVersion

_TENANT = ProgramChange.tenant_id == bindparam("tenant", type_=Uuid)
_PROGRAM = ProgramChange.program_id == bindparam("program", type_=Uuid)
_THIS = ProgramChange.id == bindparam("change", type_=Uuid)
_PLANNED = ProgramChange.status == "planned"
_COLUMNS = (
    ProgramChange.id,
    ProgramChange.program_id,
    ProgramChange.values,
    ProgramChange.note,
    ProgramChange.effective_from,
    ProgramChange.announce_at,
    ProgramChange.announced_at,
    ProgramChange.status,
    ProgramChange.error,
    ProgramChange.actor_kind,
    ProgramChange.actor_id,
    ProgramChange.actor_name,
)
_TO_TELL = and_(
    ProgramChange.announce_at.is_not(None), ProgramChange.announce_at <= CORE_NOW, ProgramChange.announced_at.is_(None)
)
_SIZE, _SKIP = bindparam("size", type_=BigInteger), bindparam("skip", type_=BigInteger)

SHOWN_FAILED = timedelta(days=30)
NOW = select(CORE_NOW)
INSERT = insert(ProgramChange)
_FAILED = and_(ProgramChange.status == "failed", ProgramChange.settled_at > CORE_NOW - bindparam("shown", SHOWN_FAILED))
PLANNED = (
    select(*_COLUMNS)
    .where(_TENANT, _PROGRAM, or_(_PLANNED, _FAILED))
    .order_by(ProgramChange.effective_from, ProgramChange.id)
)
COUNT_PLANNED = select(func.count()).select_from(ProgramChange).where(_TENANT, _PROGRAM, _PLANNED)
ONE = select(*_COLUMNS).where(_TENANT, _THIS)
ONE_PLANNED = ONE.where(_PLANNED)
LOCK_PLANNED = ONE_PLANNED.with_for_update()
SETTLE = (
    update(ProgramChange)
    .where(_TENANT, _THIS, _PLANNED)
    .values(status=bindparam("new_status", type_=Text), settled_at=CORE_NOW, error=bindparam("new_error", type_=Text))
)
TELL = update(ProgramChange).where(_TENANT, _THIS, _PLANNED, _TO_TELL).values(announced_at=CORE_NOW)
DUE = (
    select(
        ProgramChange.tenant_id,
        ProgramChange.id,
        (ProgramChange.effective_from <= CORE_NOW).label("is_due"),
        _TO_TELL.label("is_to_tell"),
    )
    .where(_PLANNED, or_(ProgramChange.effective_from <= CORE_NOW, _TO_TELL))
    .order_by(ProgramChange.effective_from)
    .limit(bindparam("most", type_=BigInteger))
)

_PUBLIC = and_(
    _TENANT,
    _PROGRAM,
    ProgramChange.is_public,
    or_(
        ProgramChange.status.in_(("planned", "applied")),
        and_(ProgramChange.status == "withdrawn", ProgramChange.announced_at.is_not(None)),
    ),
)
"""What customers see: what holds, what is to come, and what they were told of though it did not come."""
LIST_PUBLIC = (
    select(*_COLUMNS)
    .where(_PUBLIC)
    .order_by(ProgramChange.effective_from.desc(), ProgramChange.id.desc())
    .limit(_SIZE)
    .offset(_SKIP)
)
COUNT_PUBLIC = select(func.count()).select_from(ProgramChange).where(_PUBLIC)

_BEFORE = aliased(SettingsVersion)
_OF_PROGRAM = and_(
    SettingsVersion.tenant_id == bindparam("tenant", type_=Uuid),
    SettingsVersion.scope_id == bindparam("program", type_=Uuid),
)
LIST_VERSIONS = (
    select(
        SettingsVersion.plugin,
        SettingsVersion.number,
        SettingsVersion.version,
        SettingsVersion.values,
        SettingsVersion.actor_name,
        SettingsVersion.note,
        SettingsVersion.effective_from,
        _BEFORE.version.label("version_before"),
        _BEFORE.values.label("values_before"),
    )
    .outerjoin(
        _BEFORE,
        and_(
            _BEFORE.tenant_id == SettingsVersion.tenant_id,
            _BEFORE.plugin == SettingsVersion.plugin,
            _BEFORE.scope_id == SettingsVersion.scope_id,
            _BEFORE.number == SettingsVersion.number - 1,
        ),
    )
    .where(_OF_PROGRAM)
    .order_by(SettingsVersion.effective_from.desc(), SettingsVersion.plugin, SettingsVersion.number.desc())
    .limit(_SIZE)
    .offset(_SKIP)
)
COUNT_VERSIONS = select(func.count()).select_from(SettingsVersion).where(_OF_PROGRAM)

MEMBERS = (
    select(Card.id, Card.member_id)
    .where(
        Card.tenant_id == bindparam("tenant", type_=Uuid),
        Card.program_id == bindparam("program", type_=Uuid),
        Card.status == "active",
        Card.merged_into.is_(None),
        or_(bindparam("from_start", type_=Boolean), Card.id > bindparam("after", type_=Uuid)),
    )
    .order_by(Card.id)
    .limit(_SIZE)
)
"""Cards of a program with their members, after one card."""
