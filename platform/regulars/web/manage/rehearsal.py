"""Before something is done to a card: it is done, looked at and taken back, and what it comes to is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from regulars.contracts.context import AccountState
from regulars.contracts.pages import PageContext
from regulars.domain.cards.view import CardViews
from regulars.kernel.i18n import format_number
from regulars.web.manage.news import unit_amount, unit_title
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalPage(PageContext):
    """Says what will happen to one card or two, and asks.

    Attributes:
        title: what is done.
        crumbs: (label, address) of the pages above.
        changes: of balances; none when nothing changes.
        notes: sentences to know before.
        action: where the confirmation is sent to.
        fields: what is sent with it.
        confirm_label: what the button says.
        back_url: of the form.
    """

    template: ClassVar[str] = "manage/rehearsal.html"
    title: str
    crumbs: Sequence[tuple[str, str]]
    changes: Sequence[Change]
    notes: Sequence[str]
    action: str
    fields: Mapping[str, str | Sequence[str]]
    confirm_label: str
    back_url: str


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
