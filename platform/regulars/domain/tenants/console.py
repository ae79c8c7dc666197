"""All tenants at a glance, and one in detail: what operators look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.errors import NotFound
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.tenants import queries, repository
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.effective import (
    EffectiveFeature,
    EffectiveLimit,
    Inputs,
    Killed,
    StoredOverride,
    explain_features,
    explain_limits,
)
from regulars.domain.tenants.profile import Profile
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.entitlements.rules import Override
from regulars.kernel.i18n import gettext as _

Activity = Literal["high", "medium", "low"]
State = Literal["active", "setup", "suspended", "closed"]
KINDS = ("stamps", "points", "hybrid")
_HIGH, _MEDIUM = 30, 10
"""Per cent of members who were here in the last 30 days, from which activity is high or medium."""


@dataclass(frozen=True, slots=True)
class TenantFilter:
    """Which tenants are wanted.

    Attributes:
        text: part of the name or of a host, in any case; empty for all.
        offering: code, empty for all.
        status: a state, empty for all; `unproved` for those whose owner's address must still prove right.
        sandboxes: whether sandboxes are listed beside the live tenants.
    """

    text: str = ""
    offering: str = ""
    status: str = ""
    sandboxes: bool = False


@dataclass(frozen=True, slots=True)
class TenantLine:
    """A tenant in the list.

    Attributes:
        state: `setup` while no program is open; otherwise the tenant's own status.
        host: the one that links are built with.
        members: active ones; `cards` likewise.
        activity: by the share of members who were here in the last 30 days.
        signed_up_at: when it signed up by itself, `None` when an operator or a file made it.
        verify_by: until when an owner's address must prove right, `None` when it need not (any more).
    """

    id: UUID
    slug: str
    name: str
    offering: str
    state: State
    is_sandbox: bool
    host: str
    hosts: Sequence[str]
    members: int
    cards: int
    last_activity_at: datetime | None
    activity: Activity
    created_at: datetime
    signed_up_at: datetime | None
    verify_by: datetime | None


@dataclass(frozen=True, slots=True)
class PluginSwitch:
    """How a plugin stands for a tenant.

    Attributes:
        switched_on: the tenant's own choice, `None` when it made none (then an entitled plugin is on).
    """

    plugin: str
    switched_on: bool | None
    killed: Killed | None


@dataclass(frozen=True, slots=True)
class TenantDetail:
    """A tenant with everything that decides what it can do.

    Attributes:
        sandbox_id: of a live tenant; `live_id`: of a sandbox.
        signed_up_at, verify_by: as in a line of the list.
        used: limit → how many there are, for those that the host counts.
    """

    id: UUID
    slug: str
    status: str
    offering: str
    live_id: UUID | None
    sandbox_id: UUID | None
    profile: Profile
    hosts: Sequence[str]
    created_at: datetime
    signed_up_at: datetime | None
    verify_by: datetime | None
    features: Sequence[EffectiveFeature]
    limits: Sequence[EffectiveLimit]
    used: Mapping[str, int]
    overrides: Sequence[StoredOverride]
    plugins: Sequence[PluginSwitch]


@dataclass(frozen=True, slots=True)
class ProgramLine:
    """A program of any tenant; `members` are those with an active card."""

    id: UUID
    name: str
    kind: str
    status: str
    timezone: str
    currency: str
    created_at: datetime
    tenant_id: UUID
    tenant_slug: str
    tenant_name: str
    offering: str
    members: int
    last_activity_at: datetime | None
    activity: Activity


@dataclass(frozen=True, slots=True)
class ProgramFilter:
    """Which programs are wanted; empty for all."""

    text: str = ""
    kind: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class KindShare:
    """How many programs of a kind there are; `share` in per cent of all, the shares add up to 100."""

    kind: str
    total: int
    active: int
    share: int


@dataclass(frozen=True, slots=True)
class PlatformStats:
    """The platform's figures; `saved` is currency → minor units."""

    programs_total: int
    programs_active: int
    members: int
    saved: Mapping[str, int]
    kinds: Sequence[KindShare]


async def list_tenants(session: PlatformSession, wanted: TenantFilter, page: PageRequest) -> Paged[TenantLine]:
    """Tenants by name."""
    where = {
        "text": wanted.text,
        "offering": wanted.offering,
        "status": wanted.status,
        "sandboxes": wanted.sandboxes,
    }
    rows = await session.rows(queries.TENANTS, {**where, "size": page.size, "offset": page.offset})
    total = await session.scalar(queries.COUNT_TENANTS, where)
    return Paged([TenantLine(**_with_activity(row)) for row in rows], total, page)


async def tenant_detail(session: PlatformSession, catalogue: Catalogue, tenant_id: UUID) -> TenantDetail:
    """One tenant.

    Raises:
        NotFound: there is no such tenant.
    """
    key = {"tenant_id": tenant_id}
    row = await session.one_or_none(repository.TENANT, key)
    raw = await session.scalar(repository.RESOLVE_TENANT, key)
    if row is None or raw is None:
        raise NotFound(_("There is no such tenant."))
    overrides = [_override(one) for one in await session.rows(repository.OVERRIDES, key)]
    killed = [
        Killed(one.plugin, one.reason, one.tenant_id is None)
        for one in await session.rows(repository.KILL_SWITCHES, key)
    ]
    inputs = Inputs.of(raw, overrides, killed)
    used = await session.one_or_none(queries.USED, key)
    assert used is not None
    return TenantDetail(
        id=row.id,
        slug=row.slug,
        status=row.status,
        offering=row.offering,
        live_id=row.live_tenant_id,
        sandbox_id=await session.scalar(repository.SANDBOX, key),
        profile=Profile.of(row._mapping),
        hosts=[host.host for host in await session.rows(repository.HOSTS, key)],
        created_at=row.created_at,
        signed_up_at=row.signed_up_at,
        verify_by=row.verify_by,
        features=explain_features(catalogue, inputs),
        limits=explain_limits(catalogue, inputs),
        used=dict(used._mapping),
        overrides=overrides,
        plugins=_switches(catalogue, inputs),
    )


async def killed_for_everybody(session: PlatformSession) -> list[Killed]:
    """The kill switches that hold for all tenants."""
    rows = await session.rows(repository.KILL_SWITCHES_FOR_ALL)
    return [Killed(row.plugin, row.reason, everybody=True) for row in rows]


async def list_programs(session: PlatformSession, wanted: ProgramFilter, page: PageRequest) -> Paged[ProgramLine]:
    """Programs of all live tenants, by tenant."""
    where = {"text": wanted.text, "kind": wanted.kind, "status": wanted.status}
    rows = await session.rows(queries.PROGRAMS, {**where, "size": page.size, "offset": page.offset})
    total = await session.scalar(queries.COUNT_PROGRAMS, where)
    return Paged([ProgramLine(**_with_activity(row)) for row in rows], total, page)


async def get_program(session: PlatformSession, program_id: UUID) -> ProgramLine:
    """One program of any live tenant.

    Raises:
        NotFound: there is no such program.
    """
    row = await session.one_or_none(queries.ONE_PROGRAM, {"program": program_id})
    if row is None:
        raise NotFound(_("There is no such program."))
    return ProgramLine(**_with_activity(row))


async def platform_stats(session: PlatformSession) -> PlatformStats:
    """Figures over all live tenants."""
    rows = {row.kind: row for row in await session.rows(queries.PROGRAMS_BY_KIND)}
    kinds = [*KINDS, *sorted(set(rows) - set(KINDS))]
    totals = [rows[kind].total if kind in rows else 0 for kind in kinds]
    shares = _shares(totals)
    return PlatformStats(
        programs_total=sum(totals),
        programs_active=sum(row.active for row in rows.values()),
        members=await session.scalar(queries.COUNT_MEMBERS),
        saved={row.currency: int(row.minor) for row in await session.rows(queries.SAVED)},
        kinds=[
            KindShare(kind, total, rows[kind].active if kind in rows else 0, share)
            for kind, total, share in zip(kinds, totals, shares, strict=True)
        ],
    )


def activity_of(members: int, active: int) -> Activity:
    """How busy a tenant is.

    Args:
        members: all active members.
        active: those who were here in the last 30 days.
    """
    share = 100 * active // members if members else 0
    if share >= _HIGH:
        return "high"
    return "medium" if share >= _MEDIUM else "low"


def _with_activity(row: Row[Any]) -> dict[str, Any]:
    values = dict(row._mapping)
    active = values.pop("members_active")
    return {**values, "activity": activity_of(values["members"], active)}


def _override(row: Row[Any]) -> StoredOverride:
    return StoredOverride(Override(row.name, row.kind, row.value, row.expires_at), row.reason)


def _switches(catalogue: Catalogue, inputs: Inputs) -> list[PluginSwitch]:
    killed = {one.plugin: one for one in inputs.killed}
    return [PluginSwitch(name, inputs.switches.get(name), killed.get(name)) for name in catalogue.plugins]


def _shares(totals: Sequence[int]) -> list[int]:
    """Whole per cents that add up to 100: what rounding down loses goes to the largest remainders."""
    whole = sum(totals)
    if whole == 0:
        return [0 for _total in totals]
    shares = [100 * total // whole for total in totals]
    by_remainder = sorted(range(len(totals)), key=lambda place: (-(100 * totals[place] % whole), place))
    for place in by_remainder[: 100 - sum(shares)]:
        shares[place] += 1
    return shares
