"""Merges as people see them: what will happen, and what has happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars.contracts.errors import Conflict
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Person:
    """A member who can be merged."""

    id: UUID
    name: str
    email: str

    @property
    def shown(self) -> str:
        """The name, or the address where there is no name."""
        return self.name or self.email


@dataclass(frozen=True, slots=True)
class OwnCard:
    """A card of such a member.

    Attributes:
        program: its name.
        balances: unit → balance.
        shares: it is in a household.
    """

    id: UUID
    number: str
    status: str
    program_id: UUID
    program: str
    balances: Mapping[str, int]
    shares: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A card, and the one of the same program to which it will lead."""

    source: OwnCard
    target: OwnCard

    @property
    def after(self) -> Mapping[str, int]:
        """Unit → what is on the card that stays, in the order of the units' names."""
        units = sorted({*self.source.balances, *self.target.balances})
        return {unit: self.source.balances.get(unit, 0) + self.target.balances.get(unit, 0) for unit in units}


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge.

    Attributes:
        name, email, numbers: of whoever was merged; name and address are empty once erased.
        merged_by, undone_by: names of people or keys.
    """

    id: UUID
    source_id: UUID
    target_id: UUID
    name: str
    email: str
    status: str
    numbers: Sequence[str]
    reason: str
    merged_by: str
    created_at: datetime
    undone_by: str
    undone_at: datetime | None


def pairs_of(target: Person, own: Sequence[OwnCard], source: Person, theirs: Sequence[OwnCard]) -> Sequence[Pair]:
    """Which card leads to which.

    Raises:
        Conflict: a card has no counterpart, or one of them is blocked.
    """
    by_program = {card.program_id: card for card in own}
    if not theirs:
        raise Conflict(_("%(name)s has no card that could be merged.", name=source.shown))
    for card in theirs:
        if card.program_id not in by_program:
            message = _(
                "%(name)s has no card of %(program)s. Add one first, then merge.",
                name=target.shown,
                program=card.program,
            )
            raise Conflict(message)
    pairs = [Pair(card, by_program[card.program_id]) for card in theirs]
    if any(card.status != "active" for pair in pairs for card in (pair.source, pair.target)):
        raise Conflict(_("A blocked card cannot be merged. Unblock it first."))
    if any(card.shares for card in theirs):
        raise Conflict(_("%(name)s shares a card with a household, and has to leave it first.", name=source.shown))
    return pairs
