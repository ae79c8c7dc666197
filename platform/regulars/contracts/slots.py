"""Slots: named places in host pages where plugins add HTML. Each has a typed data class.

When it runs: while the page is rendered, after the unit of work has ended. Gate: the plugin is enabled for the tenant.
Order: `order`, then plugin name. Errors: a renderer that raises or is late leaves its place empty, is logged and
counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from markupsafe import Markup
from pydantic import BaseModel

from regulars.contracts.context import AccountState, CardInfo, Context, ProgramInfo
from regulars.contracts.ledger import RewardOffer


class Slot(Enum):
    """Every slot there is."""

    PORTAL_CARD = "portal.card"
    """Below the card on the customer's page: progress of the unit. Data: `CardSlot`."""
    TERMINAL_CARD = "terminal.card"
    """In the terminal's customer view: progress of the unit. Data: `CardSlot`."""
    PROGRAM_PREVIEW = "manage.program_preview"
    """In the live preview beside the program's settings. Data: `ProgramSlot`."""


@dataclass(frozen=True, slots=True)
class CardSlot:
    """A card with its balances.

    Attributes:
        accounts: unit → state.
        offers: rewards of the plugin's units, reachable or not.
        just_earned: units given in the action that led to this page, 0 otherwise (for the landing animation).
    """

    program: ProgramInfo
    card: CardInfo
    accounts: Mapping[str, AccountState]
    offers: Sequence[RewardOffer]
    just_earned: int = 0


@dataclass(frozen=True, slots=True)
class ProgramSlot:
    """A program whose settings are being edited."""

    program: ProgramInfo


class SlotContext(Protocol):
    """What a renderer may use."""

    @property
    def context(self) -> Context:
        """Tenant, principal and locale of the request."""

    @property
    def settings(self) -> BaseModel:
        """The plugin's settings for the program of the slot's data."""

    async def rows(self, statement: Any, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Run a read in the page's lazily opened, read-only tenant session."""

    def render(self, template: str, /, **values: Any) -> Markup:
        """Render a template below the plugin's own prefix, e.g. `stamps/slots/card.html`."""
