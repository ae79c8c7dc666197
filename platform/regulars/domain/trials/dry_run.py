"""A dry run: what a typed-in sale would give, and why, under rules in force or not yet saved. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from regulars.contracts.context import CardInfo, Context
from regulars.contracts.ledger import Proposal, Purchase, Refusal
from regulars.domain.ledger.commands import Attempt, CardRef
from regulars.domain.ledger.drafts import explanation_of
from regulars.domain.ledger.engine import NO_CLAIM, Ledger
from regulars.domain.ledger.history import StepLine, rule_sentence, step_lines, words_of
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.ledger.problems import sentence
from regulars.domain.staff.permissions import require
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry


@dataclass(frozen=True, slots=True)
class TrialSale:
    """A sale that nobody has made.

    Attributes:
        day, hour: when it is to be, in the program's zone; `None` for that of this moment.
        shop_id: where, `None` for nowhere in particular.
        card: whose; `None` for somebody who has just joined.
    """

    purchase: Purchase
    day: date | None = None
    hour: time | None = None
    shop_id: UUID | None = None
    card: CardInfo | None = None


@dataclass(frozen=True, slots=True)
class Gain:
    """What a plugin would give.

    Attributes:
        plugin: its title, in the reader's language.
        amount: units; 0 when every rule missed.
        amount_text: the same in words, `3 stamps`.
        sentence: why, in one sentence.
        lines: why, step by step.
    """

    plugin: str
    unit: str
    rule: str
    amount: int
    amount_text: str
    sentence: str
    lines: Sequence[StepLine]


@dataclass(frozen=True, slots=True)
class Trial:
    """The result.

    Attributes:
        refusal: why the till would refuse the sale, `None` when it would not.
        refused: the same as a sentence, empty when it would not be.
        gains: what it gives, or would give if it was not refused.
        at: the moment by which it was judged.
    """

    refusal: Refusal | None
    refused: str
    gains: Sequence[Gain]
    at: datetime


async def try_sale(
    session: TenantSession,
    ctx: Context,
    ledger: Ledger,
    program_id: UUID,
    sale: TrialSale,
    draft: Mapping[str, BaseModel],
) -> Trial:
    """Judge a sale as the till would.

    Args:
        session: the transaction, may be read-only.
        ctx: somebody with `programs.manage`.
        ledger: the engine.
        program_id: whose rules.
        sale: the sale.
        draft: plugin → settings to be tried instead of those in force.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or somebody who may not change programs.
        NotFound: the tenant has no such program.
        PluginFault: a plugin's hook failed.
    """
    require(ctx, "programs.manage")
    opened = await open_draft(session, ctx, ledger, program_id, draft, sale.card)
    opened.attempt = Attempt(NO_CLAIM, CardRef("id", opened.card.id), None, None, sale.shop_id)
    _move(opened, sale)
    verdict = opened.standing() or opened.check_earn(sale.purchase)
    refusal = verdict if isinstance(verdict, Refusal) else None
    timezone = opened.rules.program.timezone
    return Trial(
        refusal=refusal,
        refused=sentence(refusal, timezone, opened.now) if refusal else "",
        gains=[_gain(one, ledger.registry) for one in opened.evaluate(sale.purchase)],
        at=opened.occurred_at or opened.now,
    )


async def open_draft(
    session: TenantSession,
    ctx: Context,
    ledger: Ledger,
    program_id: UUID,
    draft: Mapping[str, BaseModel],
    card: CardInfo | None = None,
) -> OpenCard:
    """A card as a transaction would read it, with other settings; it is never written.

    Args:
        session: the transaction, may be read-only.
        ctx: of whoever asks; a shop that a device is bound to does not matter.
        ledger: the engine.
        program_id: whose rules.
        draft: plugin → settings instead of those in force.
        card: of that program; `None` for that of a person who has just joined, and who does not exist.
    """
    nowhere = replace(ctx, principal=replace(ctx.principal, shop_id=None))
    newcomer = CardInfo(new_id(), "", "active", new_id(), program_id, datetime.fromtimestamp(0, UTC))
    opened = await ledger.look(session, nowhere, card or newcomer, draft)
    if card is None:
        opened.card = replace(newcomer, created_at=opened.now)
    return opened


def _move(opened: OpenCard, sale: TrialSale) -> None:
    """Let the sale happen at another time. The clock of the checks goes with it, but never back: what happened
    earlier and is recorded now is judged now.
    """
    if sale.day is None and sale.hour is None:
        return
    zone = ZoneInfo(opened.rules.program.timezone)
    here = opened.now.astimezone(zone)
    at = datetime.combine(sale.day or here.date(), sale.hour or here.time(), zone)
    opened.occurred_at = at.astimezone(UTC)
    if opened.occurred_at > opened.now:
        opened.now = opened.occurred_at
        opened.day_start = datetime.combine(at.date(), time.min, zone).astimezone(UTC)


def _gain(proposal: Proposal, registry: PluginRegistry) -> Gain:
    draft, words = proposal.draft, words_of(registry, proposal.draft.unit)
    title = _(registry.plugin(proposal.plugin).manifest.title)
    return Gain(
        plugin=title,
        unit=draft.unit,
        rule=draft.rule,
        amount=draft.amount,
        amount_text=words.amount(draft.amount) if words else str(draft.amount),
        sentence=rule_sentence(words, draft.rule, draft.explanation, title),
        lines=step_lines(explanation_of(draft)),
    )
