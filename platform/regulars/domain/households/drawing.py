"""Spending what a household has together: what one card lacks comes from the others, in the same transaction.

The other cards' units that expire first go first; they keep their dates on the way. Whoever spends holds the locks of
all the household's cards, taken in the order of their ids, so nobody can spend the same units twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from regulars.contracts.context import AccountState, Context
from regulars.domain.households import repository
from regulars.domain.ledger.commands import CardRef
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.fellows import HOUSEHOLDS
from regulars.domain.ledger.lots import Portion, first_out
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.kernel import ids
from regulars.kernel.db.database import TenantSession


async def lock_household(session: TenantSession, ctx: Context, card: CardRef) -> None:
    """Take the locks of all cards of a card's household, if it is in one.

    Args:
        session: the transaction, before it has locked any card.
        ctx: of the request; nothing is asked where there are no households.
        card: as it was named.
    """
    if ctx.tenant.has(HOUSEHOLDS):
        await session.rows(repository.lock_around(card.by), {"tenant_id": session.tenant_id, "card": card.value})


async def draw(ledger: Ledger, opened: OpenCard, unit: str, cost: int) -> Posting:
    """Bring what a card lacks for a reward from the other cards of its household, and write those.

    Args:
        ledger: the engine.
        opened: the card that spends; its household is locked.
        unit: which.
        cost: what is wanted; the household has it together.

    Returns:
        The posting of the card that spends, to go on with.
    """
    posting = opened.posting("household")
    missing = cost - (opened.accounts.get(unit) or AccountState(unit)).balance
    if missing <= 0:
        return posting
    plugin = ledger.registry.unit_providers[unit][0]
    cards = await _open(ledger, opened, unit)
    portions: list[Portion] = []
    for card_id, amount in _amounts(cards.values(), unit, missing).items():
        giver = cards[card_id]
        giving = giver.posting("household")
        portions += giving.share(unit, -amount, plugin=plugin, lots=giver.lots)
        giver.add_posting(giving, is_activity=False)
        details = {"unit": unit, "amount": amount, "card": ids.show(ids.CARD, opened.card.id)}
        giver.add_audit(Subject("household.spend", "card", card_id), outcome="done", details=details)
        await ledger.write(giver, "adjust")
        opened.fellows = [one.less(unit, amount) if one.card_id == card_id else one for one in opened.fellows]
    posting.share(unit, missing, plugin=plugin, portions=portions)
    return posting


async def _open(ledger: Ledger, opened: OpenCard, unit: str) -> Mapping[UUID, OpenCard]:
    """The other cards that have something, with their lots."""
    found = {}
    for card_id in sorted(one.card_id for one in opened.fellows if one.balances.get(unit, 0) > 0):
        assert opened.attempt is not None
        attempt = replace(opened.attempt, card=CardRef("id", card_id))
        card = await ledger.open(opened.session, opened.ctx, attempt, extra="lots", values={})
        assert isinstance(card, OpenCard)  # the key is new: it was claimed with the card that spends
        found[card_id] = card
    return found


def _amounts(cards: Iterable[OpenCard], unit: str, missing: int) -> Mapping[UUID, int]:
    """Card → what it gives: what expires first goes first, whoever has it."""
    amounts: Counter[UUID] = Counter()
    lots = [(first_out(lot), card.card.id, lot.amount_left) for card in cards for lot in card.lots if lot.unit == unit]
    for _order, card_id, left in sorted(lots):
        if taken := min(left, missing):
            amounts[card_id] += taken
            missing -= taken
    return amounts
