"""A card's history: every movement with shop, date and the reason why there are these stamps or points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import EntryKind, StepKind
from regulars.contracts.paging import Paged, PageRequest
from regulars.contracts.providers import UnitWords
from regulars.domain.ledger import history_repository as repository
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import currency_symbol, format_money
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry

SIGHT = ("terminal.use", "members.view")
"""Permissions of which one is needed to see other people's cards."""


FOR_RECEIPT = "receipt"
"""Reason of what an earlier purchase gave when it was claimed."""
_MOVES = {
    "refund": (N_("Given back by a refund."), N_("Taken back by a refund.")),
    "household": (N_("From your household, for a reward."), N_("Spent by your household.")),
    "merge": (N_("Two cards have become one."),) * 2,
    "unmerge": (N_("They are two cards again."),) * 2,
}
"""Occasion → what is said of units that came, and of those that went."""


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of how an amount came about, as people read it.

    Attributes:
        kind: what happened.
        text: one sentence, in the reader's language.
        change: units that this step added (or took away), 0 for none.
    """

    kind: StepKind
    text: str
    change: int = 0


@dataclass(frozen=True, slots=True)
class Why:
    """The answer to "why these stamps?".

    Attributes:
        plugin: title of the extension that decided, in the reader's language.
        rule: stable name of its rule.
        details: what the rule matched, as it was written down.
        sentence: the same for people.
        lines: how the amount came about: what matched, what missed, what was multiplied and cut, in order.
    """

    plugin: str
    rule: str
    details: Mapping[str, Any]
    sentence: str
    lines: tuple[StepLine, ...] = ()

    @property
    def steps(self) -> tuple[str, ...]:
        """The sentences of the lines."""
        return tuple(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One movement on a card.

    Attributes:
        occasion: purchase, enrolment, redemption, undo, refund, release, expiry, adjustment, transfer, award, merge,
            unmerge or household.
        amount: units, with its sign.
        amount_text: the amount in words, `3 stamps`; only the number where the unit has no words.
        shop: where, empty when nowhere.
        staff: who did it; told to staff only, else empty.
        sale_id: of the sale that it belongs to, `None` for none.
        undone: all of it was taken back by later movements.
    """

    id: UUID
    unit: str
    kind: EntryKind
    occasion: str
    amount: int
    amount_text: str
    balance_after: int
    at: datetime
    shop: str
    staff: str
    source: str
    reason: str
    sale_id: UUID | None
    undone: bool
    why: Why


async def history(
    session: TenantSession, ctx: Context, registry: PluginRegistry, card_id: UUID, page: PageRequest
) -> Paged[HistoryEntry]:
    """A card's movements, newest first; two queries however many there are.

    Args:
        session: the transaction.
        ctx: the card's own member, or somebody with `terminal.use` or `members.view`.
        registry: for the words of units and plugins.
        card_id: whose history.
        page: which part of it.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or somebody who may not see cards.
        NotFound: the tenant has no such card, or a member asks for somebody else's.
    """
    owner = owner_in_sight(ctx)
    where = {"tenant": session.tenant_id, "card": card_id}
    counted = await session.one_or_none(repository.COUNT, {**where, "owner": owner})
    if counted is None:
        raise NotFound(_("We could not find this card."))
    rows = await repository.ENTRIES.part(session, where, page)
    names_staff = owner is None
    return Paged([_entry(row, registry, names_staff=names_staff) for row in rows], counted.total, page)


def owner_in_sight(ctx: Context) -> UUID | None:
    """Whose cards the principal may see: a member the own ones, staff and keys all (`None`).

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or somebody who may not see cards.
    """
    if ctx.principal.kind == "member":
        return ctx.principal.id
    require(ctx, *SIGHT)
    return None


def explain(row: Row[Any], words: UnitWords | None, plugin_title: str) -> str:
    """Why an entry was written, one sentence.

    Args:
        row: with kind, rule, explanation and reason.
        words: of the entry's unit, where its provider has any.
        plugin_title: in the reader's language.
    """
    if row.occasion in _MOVES:
        return _(_MOVES[row.occasion][row.amount < 0])
    if row.kind == "reverse":
        return _("Taken back by whoever recorded it.") if row.occasion == "undo" else _("A correction.")
    if row.kind == "redeem" and "reward" in row.explanation:
        return _("Exchanged for: %(reward)s.", reward=row.explanation["reward"])
    if row.kind == "expire":
        return _("The card was not used for too long.") if row.rule == "idle" else _("Not used in time.")
    if row.kind == "adjust" and row.reason:
        return _("A correction: %(reason)s", reason=row.reason)
    sentence = rule_sentence(words, row.rule, row.explanation, plugin_title)
    return f"{sentence} {_('Added later, for a receipt.')}" if row.reason == FOR_RECEIPT else sentence


def rule_sentence(words: UnitWords | None, rule: str, details: Mapping[str, Any], plugin_title: str) -> str:
    """Why a rule gave something, one sentence.

    Args:
        words: of the unit, where its provider has any.
        rule: its stable name.
        details: what it matched, as it is written down.
        plugin_title: in the reader's language.
    """
    said = words.explain(rule, details) if words else ""
    rule = details.get("title", rule)
    return said or _("Given by %(plugin)s under its rule “%(rule)s”.", plugin=plugin_title, rule=rule)


def step_lines(explanation: Mapping[str, Any]) -> tuple[StepLine, ...]:
    """The steps of an explanation, as it is stored, in the reader's language."""
    return tuple(_line(**step) for step in explanation.get("steps", ()))


def _line(kind: StepKind, message: str, params: Mapping[str, Any], change: int) -> StepLine:
    return StepLine(kind, _(message).format(**{name: _shown(value) for name, value in params.items()}), change)


def _shown(value: Any) -> Any:
    """A value of a step, see `Step.params`."""
    if not isinstance(value, Mapping):
        return value
    if "minor" in value:
        return format_money(value["minor"], value["currency"])
    return currency_symbol(value["currency"])


def words_of(registry: PluginRegistry, unit: str) -> UnitWords | None:
    """The words of a unit, `None` where its provider has none or is not loaded any more."""
    found = registry.unit_providers.get(unit)
    return found[1] if found is not None and isinstance(found[1], UnitWords) else None


def _entry(row: Row[Any], registry: PluginRegistry, *, names_staff: bool) -> HistoryEntry:
    words = words_of(registry, row.unit)
    title = _(registry.plugin(row.plugin).manifest.title) if row.plugin in registry.names else row.plugin
    return HistoryEntry(
        id=row.id,
        unit=row.unit,
        kind=row.kind,
        occasion=row.occasion,
        amount=row.amount,
        amount_text=words.amount(abs(row.amount)) if words else str(abs(row.amount)),
        balance_after=row.balance_after,
        at=row.created_at,
        shop=row.shop,
        staff=row.staff if names_staff else "",
        source=row.source,
        reason=row.reason,
        sale_id=row.sale_id,
        undone=row.undone,
        why=Why(title, row.rule, row.explanation, explain(row, words, title), step_lines(row.explanation)),
    )
