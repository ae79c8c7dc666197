"""Values that hooks and providers are called with, ready to be varied with keyword arguments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from regulars.contracts.context import AccountState, Branding, CardInfo, ProgramInfo, TenantSnapshot
from regulars.contracts.ledger import LedgerContext

NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)
"""12:00 in the zone of the snapshot's tenant."""

_TENANT = TenantSnapshot(
    id=UUID(int=1),
    slug="cafe",
    name="Café du Coin",
    host="cafe.localhost",
    status="active",
    live_tenant_id=None,
    offering="basic",
    enabled=frozenset(),
    features=frozenset(),
    limits={},
    theme="classic",
    branding=Branding(),
    locales=("en",),
    default_locale="en",
    timezone="Europe/Luxembourg",
    currency="EUR",
    country="LU",
    revision=1,
)
_PROGRAM = ProgramInfo(UUID(int=2), "Coffee club", "stamps", "active", "Europe/Luxembourg", "EUR")
_CARD = CardInfo(UUID(int=3), "482174932841", "active", UUID(int=4), _PROGRAM.id, NOON)


def tenant_snapshot(**changes: Any) -> TenantSnapshot:
    """A tenant; `changes` are fields of `TenantSnapshot`."""
    return replace(_TENANT, **changes)


def program_info(**changes: Any) -> ProgramInfo:
    """A program; `changes` are fields of `ProgramInfo`."""
    return replace(_PROGRAM, **changes)


def card_info(**changes: Any) -> CardInfo:
    """A card; `changes` are fields of `CardInfo`."""
    return replace(_CARD, **changes)


def ledger_context(settings: BaseModel, *accounts: AccountState, now: datetime = NOON, **changes: Any) -> LedgerContext:
    """What a ledger hook gets.

    Args:
        settings: of the plugin.
        accounts: balances of the card.
        now: the database's clock; the day's start follows it in the program's zone.
        changes: further fields of `LedgerContext`.
    """
    program = changes.pop("program", _PROGRAM)
    local = now.astimezone(ZoneInfo(program.timezone))
    return LedgerContext(
        tenant=changes.pop("tenant", _TENANT),
        program=program,
        card=changes.pop("card", _CARD),
        now=now,
        day_start=local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC),
        accounts={account.unit: account for account in accounts},
        settings=settings,
        **changes,
    )
