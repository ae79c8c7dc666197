"""The member's card: code, progress, rewards, history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.contracts.paging import PageRequest
from regulars.contracts.slots import CardSlot
from regulars.domain.cards.qr import qr_svg
from regulars.domain.cards.view import CardView, CardViews, MemberCard, cards_of_member, version_of
from regulars.domain.ledger.history import HistoryEntry
from regulars.domain.ledger.topics import card_topic
from regulars.kernel import ids
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.web.lists import ListQuery, Pager, make_pager, url_of
from regulars.web.live import live_socket
from regulars.web.portal.blueprint import blueprint, member_page
from regulars.web.portal.navigation import CARD, HISTORY, RECEIPTS
from regulars.web.portal.rewards import RewardLine, reward_lines
from regulars.web.portal.wallet_buttons import WalletButton, phone_code, wallet_buttons
from regulars.web.results import Result
from regulars.web.work import Work, read_id

RECENT = 4
FIRST = 4
"""So many rewards stand on the card's page; the catalogue has all."""
STANDING = frozenset({"card.inactive", "program.inactive", "program.paused"})
"""Refusals that a member should know of; the others concern the till of the moment."""


class CardQuery(BaseModel):
    """Which card.

    Attributes:
        card: public id, empty for the member's first one.
    """

    card: str = Field(default="", max_length=80)


class LiveQuery(CardQuery):
    """What the page shows already.

    Attributes:
        seen: version of the card.
        had: sum of the balances.
    """

    seen: str = Field(default="", max_length=80)
    had: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLive(PageContext):
    """The part of the card page that changes when the till does something.

    Attributes:
        view: the card with all that belongs to it.
        slot: data of the slot `portal.card`.
        rewards: what there is to win.
        recent: the last movements, newest first.
        warning: why nothing can be collected at all, empty when it can.
        live_url: where the part asks whether it is still right.
        said: what has just happened, for those who hear the page.
    """

    template: ClassVar[str] = "portal/parts/live.html"
    view: CardView
    slot: CardSlot
    rewards: Sequence[RewardLine]
    recent: Sequence[HistoryEntry]
    warning: str
    live_url: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPage(PageContext):
    """A member's card.

    Attributes:
        live: the part that changes.
        qr: drawing of the card's code, an address of the merchant.
        cards: the member's cards where there are several, else nothing.
        wallets: buttons that put the card into the phone, the right one first.
        phone_code: on a computer, a drawing of the code that opens the card on a phone; else empty.
    """

    template: ClassVar[str] = "portal/card.html"
    live: CardLive
    qr: str
    cards: Sequence[MemberCard]
    wallets: Sequence[WalletButton] = ()
    phone_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage(PageContext):
    """All movements of a card.

    Attributes:
        entries: newest first.
        pager: the way to older ones.
        missing_url: where a purchase that is missing can be claimed, empty where none can.
    """

    template: ClassVar[str] = "portal/history.html"
    entries: Sequence[HistoryEntry]
    pager: Pager
    missing_url: str


@blueprint.get("/card")
@member_page
async def card(work: Work) -> Result:
    """Show the card."""
    owned = await cards_of_member(work.session, member_of(work))
    view = await CardViews(work.services.ledger).view(
        work.session, work.ctx, chosen_card(owned, work.query(CardQuery).card)
    )
    wallets = await wallet_buttons(work, view.card.id)
    return CardPage(
        live=await _live(work, view, just_earned=0),
        qr=qr_svg(work.services.config.url(work.ctx.tenant.host, f"/c/{view.card.token}")),
        cards=owned if len(owned) > 1 else (),
        wallets=wallets,
        phone_code=phone_code(work, view.card.id) if wallets else "",
    )


@blueprint.get("/card/live")
@member_page
async def card_live(work: Work) -> Result:
    """The changing part, if it has changed since; no content when it has not."""
    query = work.query(LiveQuery)
    card_id = read_id(ids.CARD, query.card)
    if await version_of(work.session, work.ctx, member_of(work), card_id) == query.seen:
        return Response(status=204)
    view = await CardViews(work.services.ledger).view(work.session, work.ctx, card_id)
    return await _live(work, view, just_earned=max(0, _had(view) - query.had))


@blueprint.websocket("/card/socket")
@live_socket()
async def card_socket(session: TenantSession, ctx: Context, query: Mapping[str, str]) -> Iterable[str]:
    """Hear of movements on one of the member's cards."""
    card_id = read_id(ids.CARD, query.get("card", ""))
    assert ctx.principal.id is not None
    await version_of(session, ctx, ctx.principal.id, card_id)
    return [card_topic(card_id)]


@blueprint.get("/card/history")
@member_page
async def card_history(work: Work) -> Result:
    """Every movement, and why."""
    wanted = work.query(ListQuery).request()
    card_name = work.query(CardQuery).card
    owned = await cards_of_member(work.session, member_of(work))
    views = CardViews(work.services.ledger)
    card_id = chosen_card(owned, card_name)
    found = await views.history(work.session, work.ctx, card_id, wanted)
    return HistoryPage(
        entries=found.items,
        pager=make_pager(found, HISTORY, {"card": card_name}),
        missing_url=await _missing_url(work, owned, card_id),
    )


async def _live(work: Work, view: CardView, *, just_earned: int) -> CardLive:
    views = CardViews(work.services.ledger)
    recent = await views.history(work.session, work.ctx, view.card.id, PageRequest(1, RECENT))
    name = ids.show(ids.CARD, view.card.id)
    return CardLive(
        view=view,
        slot=CardSlot(view.program, view.card.info, view.shared, view.offers, just_earned),
        rewards=reward_lines(view, work.ctx.tenant)[:FIRST],
        recent=recent.items,
        warning=_warning(view),
        live_url=f"{CARD}/live?card={name}&seen={view.version}&had={_had(view)}",
        said=_said(view, just_earned),
    )


async def _missing_url(work: Work, owned: Sequence[MemberCard], card_id: UUID) -> str:
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    program_id = next(one.program_id for one in owned if one.id == card_id)
    counts = programs.get(program_id).claim_days > 0
    return url_of(RECEIPTS, {"card": ids.show(ids.CARD, card_id)}) if counts else ""


def _warning(view: CardView) -> str:
    return view.next_sale.refusal if view.next_sale.code in STANDING else ""


def _said(view: CardView, just_earned: int) -> str:
    """What those hear who do not see the stamp land."""
    parts = [unit.progress.message or unit.progress.label for unit in view.units]
    if warning := _warning(view):
        return " ".join([warning, *parts])
    first = next((unit.words for unit in view.units if unit.words), None)
    if just_earned and first and len(view.units) == 1:
        parts.insert(0, first.earned(just_earned))
    return " ".join(parts)


def member_of(work: Work) -> UUID:
    """The member who is signed in."""
    assert work.ctx.principal.id is not None
    return work.ctx.principal.id


def chosen_card(owned: Sequence[MemberCard], name: str) -> UUID:
    """Which of the member's cards is meant; a foreign or unknown one is not found."""
    if not owned:
        raise NotFound(_("You have no card here."))
    if not name:
        return owned[0].id
    wanted = read_id(ids.CARD, name)
    if wanted not in {one.id for one in owned}:
        raise NotFound(_("We could not find this card."))
    return wanted


def _had(view: CardView) -> int:
    return sum(account.balance for account in view.shared.values())
