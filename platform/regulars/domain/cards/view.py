"""All that a person sees of one card, whoever looks: the member on the phone, staff at the till, the merchant.

Nothing is locked: what is shown may be a moment old, what is done with it is decided again under the card's lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from regulars.contracts.context import AccountState, Context, ProgramInfo
from regulars.contracts.errors import NotFound
from regulars.contracts.ledger import Purchase, Refusal, RewardOffer
from regulars.contracts.paging import Paged, PageRequest
from regulars.contracts.providers import Progress, UnitProvider, UnitWords
from regulars.domain.cards import service as cards
from regulars.domain.cards import view_repository as repository
from regulars.domain.households.lists import head_of
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.fellows import HOUSEHOLDS, Fellow, shared
from regulars.domain.ledger.history import HistoryEntry, history, owner_in_sight
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.ledger.problems import sentence
from regulars.domain.redemptions.service import Redemptions
from regulars.domain.sales.service import UNDO_WINDOW, LastAction
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class UnitView:
    """A unit on a card.

    Attributes:
        plugin: that provides it.
        words: how people speak of it, where the provider says so.
    """

    unit: str
    plugin: str
    provider: UnitProvider
    words: UnitWords | None
    progress: Progress


@dataclass(frozen=True, slots=True)
class NextSale:
    """Whether a sale could be recorded now: a dry run of its checks up to the PIN.

    Attributes:
        refusal: sentence why not, empty when it could.
        code: stable name of the refusal.
        retry_at: when it is possible again, if time heals it.
        next_at: when the one after a sale now would be possible; `None` when at once.
    """

    refusal: str = ""
    code: str = ""
    retry_at: datetime | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Undoable:
    """The card's last action, which whoever did it can still take back.

    Attributes:
        staff_id: who did it.
        amounts: unit → what it gave or took.
        until: when it is too late.
    """

    kind: Literal["sale", "redemption"]
    staff_id: UUID
    amounts: Mapping[str, int]
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class CardView:
    """A card with all that belongs to it.

    Attributes:
        card: the card and its member.
        require_pin: whether till operations need a staff PIN.
        accounts: unit → state; units without an entry yet are missing.
        units: the units of the enabled plugins, in loading order.
        offers: rewards, reachable or not; those for others are locked, or left out where the merchant wants so.
        undoable: the last action, for those who may take it back.
        now: the rules' clock, to which all other times belong.
        fellows: other cards of the household that share with this one.
        has_households: whether cards of its program can share.
        household: whose household it is in, empty when it shares with nobody.
    """

    card: cards.CardHit
    program: ProgramInfo
    require_pin: bool
    accounts: Mapping[str, AccountState]
    units: Sequence[UnitView]
    offers: Sequence[RewardOffer]
    next_sale: NextSale
    undoable: Undoable | None
    now: datetime
    fellows: Sequence[Fellow] = ()
    has_households: bool = False
    household: str = ""

    @property
    def shared(self) -> Mapping[str, AccountState]:
        """Unit → what can be spent with this card; its own accounts where it shares with nobody."""
        return shared(self.accounts, self.fellows)

    @property
    def version(self) -> str:
        """Another one whenever the card has changed, or one that shares with it; the same as `version_of`."""
        own = sum(account.seq for account in self.accounts.values())
        theirs = sum(fellow.entries for fellow in self.fellows)
        return f"{own + theirs}-{len(self.fellows)}-{self.card.status}-{self.program.status}"


@dataclass(frozen=True, slots=True)
class MemberCard:
    """One of a member's cards, for choosing among several.

    Attributes:
        number: 12 digits.
        program: its name.
    """

    id: UUID
    number: str
    program_id: UUID
    program: str


class CardViews:
    """Reads cards for people.

    Args:
        ledger: the engine, for the same facts and rules as a transaction.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._redemptions = Redemptions(ledger)

    async def view(self, session: TenantSession, ctx: Context, card_id: UUID) -> CardView:
        """All that there is to see of a card; two queries when the rules are warm.

        Args:
            session: the transaction, may be read-only.
            ctx: the card's own member, or somebody with `terminal.use` or `members.view`.
            card_id: which card.

        Raises:
            Unauthenticated, Forbidden: nobody is signed in, or somebody who may not see cards.
            NotFound: the tenant has no such card, or a member asks for somebody else's.
        """
        owner = owner_in_sight(ctx)
        card = await cards.get(session, card_id)
        if owner is not None and card.member_id != owner:
            raise NotFound(_("We could not find this card."))
        opened = await self._ledger.look(session, ctx, card.info)
        household_id = card.household_id if opened.rules.has_households else None
        return CardView(
            card=card,
            program=opened.rules.program,
            require_pin=opened.rules.require_pin,
            accounts=opened.accounts,
            units=self._units(opened),
            offers=self._redemptions.shown(opened),
            next_sale=_next_sale(opened),
            undoable=_undoable(opened),
            now=opened.now,
            fellows=opened.fellows,
            has_households=opened.rules.has_households,
            household=await head_of(session, household_id) if household_id else "",
        )

    async def history(
        self, session: TenantSession, ctx: Context, card_id: UUID, page: PageRequest
    ) -> Paged[HistoryEntry]:
        """The card's movements, newest first; arguments and errors as for `view`."""
        return await history(session, ctx, self._ledger.registry, card_id, page)

    @staticmethod
    def _units(opened: OpenCard) -> Sequence[UnitView]:
        accounts = opened.shared()
        return [
            UnitView(
                unit=one.unit,
                plugin=one.plugin,
                provider=one.provider,
                words=one.provider if isinstance(one.provider, UnitWords) else None,
                progress=one.provider.progress(accounts.get(one.unit) or AccountState(one.unit), one.settings),
            )
            for one in opened.units()
        ]


async def cards_of_member(session: TenantSession, member_id: UUID) -> Sequence[MemberCard]:
    """A member's cards that are not closed, oldest first; who may ask is for the caller to check."""
    rows = await session.rows(repository.OF_MEMBER, {"tenant": session.tenant_id, "member": member_id})
    return [MemberCard(**row._mapping) for row in rows]


async def version_of(session: TenantSession, ctx: Context, member_id: UUID, card_id: UUID) -> str:
    """Another one whenever a member's card has changed: a movement, a block; one cheap query, for asking often.

    Raises:
        NotFound: the member has no such card.
    """
    where = {"tenant": session.tenant_id, "member": member_id, "card": card_id, "shares": ctx.tenant.has(HOUSEHOLDS)}
    found: str | None = await session.scalar(repository.VERSION, where)
    if found is None:
        raise NotFound(_("We could not find this card."))
    return found


def _next_sale(opened: OpenCard) -> NextSale:
    verdict = opened.standing() or opened.check_earn(Purchase(1))
    if isinstance(verdict, Refusal):
        return NextSale(sentence(verdict, opened.rules.program.timezone, opened.now), verdict.code, verdict.retry_at)
    return NextSale(next_at=verdict.next_at)


def _undoable(opened: OpenCard) -> Undoable | None:
    """With PINs anybody may act at a till, so the action is shown to all and asks for the PIN of whoever did it."""
    action = LastAction.of(opened)
    if action is None or action.staff_id is None or opened.now - action.at > UNDO_WINDOW:
        return None
    if not opened.rules.require_pin and action.staff_id != opened.staff_id:
        return None
    amounts: Counter[str] = Counter()
    for posted in action.entries:
        amounts[posted.entry.unit] += posted.entry.amount
    return Undoable(
        kind="sale" if action.sale_id is not None else "redemption",
        staff_id=action.staff_id,
        amounts=amounts,
        at=action.at,
        until=action.at + UNDO_WINDOW,
    )
