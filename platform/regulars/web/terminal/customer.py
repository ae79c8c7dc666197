"""The customer view: who it is, how far the card is, what can be done now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import ClassVar
from uuid import UUID

from regulars.contracts.ledger import RewardOffer
from regulars.contracts.paging import PageRequest
from regulars.contracts.providers import UnitWithoutButton
from regulars.contracts.slots import CardSlot
from regulars.domain.cards.view import CardView, CardViews
from regulars.domain.ledger.history import HistoryEntry
from regulars.domain.ledger.problems import sentence
from regulars.domain.redemptions.life import HELD
from regulars.domain.redemptions.lists import Wanted, list_redemptions
from regulars.kernel import ids
from regulars.kernel.i18n import format_timedelta
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.web.results import Result
from regulars.web.terminal.blueprint import blueprint, till_page
from regulars.web.terminal.desk import Desk, TillPage
from regulars.web.terminal.fields import EarnField, earn_fields
from regulars.web.terminal.lines import card_url
from regulars.web.work import Work, read_id

LAST = 3
MOST_HELD = 20


@dataclass(frozen=True, slots=True)
class EarnAction:
    """A button that gives units.

    Attributes:
        unit: which.
        label: what the button says.
        fields: what the till sends with it.
    """

    unit: str
    label: str
    fields: Sequence[EarnField]


@dataclass(frozen=True, slots=True)
class RewardAction:
    """A button that hands a reward out.

    Attributes:
        reward: `<kind>/<key>`, as redeeming wants it.
        ready: it can be handed out now.
        missing: why not, in words; empty when it is ready.
        is_locked: it is for other customers.
    """

    unit: str
    reward: str
    title: str
    ready: bool
    missing: str
    is_locked: bool


@dataclass(frozen=True, slots=True)
class HeldReward:
    """A reward that waits to be handed out.

    Attributes:
        redemption: public id.
        code: what the customer shows.
    """

    redemption: str
    title: str
    code: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why nothing can be given now.

    Attributes:
        sentence: for staff and customer.
        until: on the clock of the browser, `None` when time does not heal it.
        words: how long that is.
    """

    sentence: str
    until: datetime | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPage(TillPage):
    """A customer at the till.

    Attributes:
        view: the card with all that belongs to it.
        slot: data of the slot `terminal.card`.
        url: of this page; the actions are below it.
        key: fresh idempotency key, for programs without PIN.
        earning: buttons that give units.
        held: rewards that were put aside and wait for the customer.
        rewards: buttons that hand rewards out.
        waiting: why nothing can be given now, `None` when it can.
        undo: what the last action was, empty when nobody here can take it back.
        last: the latest movements, newest first.
        refund_url: where a sale is refunded, empty where there is none or the reader may not.
    """

    template: ClassVar[str] = "terminal/customer.html"
    view: CardView
    slot: CardSlot
    url: str
    key: str
    earning: Sequence[EarnAction]
    held: Sequence[HeldReward]
    rewards: Sequence[RewardAction]
    waiting: Waiting | None
    undo: str
    last: Sequence[HistoryEntry]
    refund_url: str


@blueprint.get("/cards/<card>")
@till_page()
async def customer(work: Work, desk: Desk, card: str) -> Result:
    """Show a customer."""
    views = CardViews(work.services.ledger)
    view = await views.view(work.session, work.ctx, read_id(ids.CARD, card))
    last = await views.history(work.session, work.ctx, view.card.id, PageRequest(1, LAST))
    return CustomerPage(
        desk=desk,
        view=view,
        slot=CardSlot(view.program, view.card.info, view.shared, view.offers),
        url=card_url(view.card.id),
        key=new_token(),
        earning=earn_actions(work, view),
        held=await held_rewards(work, view.card.id),
        rewards=reward_actions(work, view),
        waiting=waiting_of(view),
        undo=undo_label(work, view),
        last=last.items,
        refund_url=refund_url(work, view.card.id, last.items),
    )


def refund_url(work: Work, card_id: UUID, last: Sequence[HistoryEntry]) -> str:
    """Where a sale of this card is refunded, the latest one first, by whoever may do it."""
    if not (work.ctx.principal.may("sales.refund") and work.ctx.principal.may("members.view")):
        return ""
    return f"{card_url(card_id)}/refund" if any(one.sale_id for one in last) else ""


def earn_actions(work: Work, view: CardView) -> Sequence[EarnAction]:
    """What this person may give."""
    if not work.ctx.principal.may("sales.record"):
        return ()
    return [
        EarnAction(unit.unit, unit.words.action() if unit.words else _("Record a sale"), earn_fields(unit.provider))
        for unit in view.units
        if not isinstance(unit.provider, UnitWithoutButton)
    ]


def reward_actions(work: Work, view: CardView) -> Sequence[RewardAction]:
    """What this person may hand out; rewards that are not ready say what is missing."""
    if not work.ctx.principal.may("sales.redeem"):
        return ()
    return [
        RewardAction(
            unit=offer.unit,
            reward=reward_name(offer),
            title=offer.title,
            ready=offer.ready and offer.refusal is None,
            missing=_missing(view, offer),
            is_locked=offer.is_locked,
        )
        for offer in view.offers
        if offer.fulfilment != "shipping"  # needs an address, which the customer types at home
    ]


async def held_rewards(work: Work, card_id: UUID) -> Sequence[HeldReward]:
    """What was put aside for this card."""
    if not work.ctx.principal.may("sales.redeem"):
        return ()
    wanted = Wanted(status="held", card_id=card_id)
    found = await list_redemptions(work.session, work.ctx, wanted, PageRequest(1, MOST_HELD))
    return [
        HeldReward(ids.show(ids.REDEMPTION, row.id), row.title, row.code) for row in found.items if row.state == HELD
    ]


def reward_name(offer: RewardOffer) -> str:
    """How redeeming names an offer."""
    return f"{offer.kind}/{offer.key}" if offer.key else offer.kind


def waiting_of(view: CardView) -> Waiting | None:
    """Why nothing can be given now; the rules' clock is turned into the browser's."""
    found = view.next_sale
    if not found.refusal:
        return None
    return waiting_for(found.refusal, found.retry_at, view.now)


def waiting_for(sentence: str, retry_at: datetime | None, now: datetime) -> Waiting:
    """A refusal with the time that is left.

    Args:
        sentence: translated.
        retry_at: when it is possible again, by the rules' clock.
        now: of the same clock.
    """
    if retry_at is None or retry_at <= now:
        return Waiting(sentence, None, "")
    left = retry_at - now
    unit = timedelta(hours=1) if left > timedelta(minutes=119) else timedelta(minutes=1)  # as countdown.ts says it
    words = format_timedelta(ceil(left / unit) * unit, granularity="minute", threshold=2)
    return Waiting(sentence, datetime.now(UTC) + left, words)


def undo_label(work: Work, view: CardView) -> str:
    """`3 stamps`, `reward for 10 stamps`: what the last action was; empty when it cannot be taken back."""
    if view.undoable is None or not work.ctx.principal.may("sales.undo"):
        return ""
    words = {unit.unit: unit.words for unit in view.units}
    amounts = ", ".join(
        known.amount(abs(amount)) if (known := words.get(unit)) else str(abs(amount))
        for unit, amount in view.undoable.amounts.items()
    )
    if view.undoable.kind == "redemption":
        return _("reward for %(amount)s", amount=amounts)
    return amounts or _("a sale that gave nothing")


def _missing(view: CardView, offer: RewardOffer) -> str:
    if offer.refusal is not None:
        return sentence(offer.refusal, view.program.timezone, view.now)
    if offer.ready:
        return ""
    words = next((unit.words for unit in view.units if unit.unit == offer.unit), None)
    amount = words.amount(offer.missing) if words else str(offer.missing)
    return _("%(amount)s missing", amount=amount)
