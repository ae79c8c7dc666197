"""What something comes to: it is done, looked at and taken back; see decision 26."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from regulars.contracts.context import AccountState
from regulars.domain.cards.view import CardViews
from regulars.kernel.i18n import format_number
from regulars.web.units import unit_amount, unit_title
from regulars.web.work import Work

Accounts = Mapping[str, AccountState]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a balance.

    Attributes:
        who: whose card, empty where there is only one.
        unit: what the units are called.
        amount: in words, without its sign.
        is_more: whether units are added.
        before, after: the balance.
    """

    who: str
    unit: str
    amount: str
    is_more: bool
    before: str
    after: str


async def accounts_of(work: Work, card_id: UUID) -> Accounts:
    """What is on a card at this moment of the transaction."""
    view = await CardViews(work.services.ledger).view(work.session, work.ctx, card_id)
    return view.accounts


def changes_of(work: Work, before: Accounts, after: Accounts, who: str = "") -> Sequence[Change]:
    """How balances differ, by unit.

    Args:
        work: of the request.
        before, after: `accounts_of` a card.
        who: whose card it is, where there are several.
    """
    return [
        Change(
            who=who,
            unit=unit_title(work, unit),
            amount=unit_amount(work, unit, abs(delta)),
            is_more=delta > 0,
            before=format_number(balance_of(before, unit)),
            after=format_number(balance_of(after, unit)),
        )
        for unit in after
        if (delta := balance_of(after, unit) - balance_of(before, unit))
    ]


def balance_of(accounts: Accounts, unit: str) -> int:
    """The balance of a unit, 0 for one that the card never had."""
    return accounts[unit].balance if unit in accounts else 0
