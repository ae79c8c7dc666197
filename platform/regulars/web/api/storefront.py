"""What a shop's own site can show its customers: their card, its movements, enrolment."""

from __future__ import annotations

from dataclasses import replace

from quart import Blueprint

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import Conflict, NotFound, Unauthenticated
from regulars.contracts.ledger import RewardOffer
from regulars.domain.cards import service as cards
from regulars.domain.cards.numbers import format_number, token_of
from regulars.domain.cards.service import CardHit
from regulars.domain.cards.view import CardView, cards_of_member
from regulars.domain.ledger.history import HistoryEntry
from regulars.domain.ledger.problems import sentence
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.customers import command_of, progress_answer
from regulars.web.api.models import (
    FollowingPage,
    NewCustomer,
    OwnCardAnswer,
    RewardAnswer,
    SelfEnrolledAnswer,
    TransactionAnswer,
    TransactionList,
    WhyStep,
)
from regulars.web.api.toolkit import ApiWork, Operation, Reply, api
from regulars.web.limits import ENROL, LOOK_UP

TAG = "Storefront"


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of the storefront."""
    blueprint.add_url_rule("/card", "card", get_card, methods=["GET"])
    blueprint.add_url_rule("/transactions", "transactions", list_transactions, methods=["GET"])
    blueprint.add_url_rule("/enroll", "enroll", enrol, methods=["POST"])


@api(
    Operation(
        door="storefront",
        feature="cards",
        answers={200: OwnCardAnswer},
        problems=(Unauthenticated, NotFound),
        limit=LOOK_UP,
        tag=TAG,
    )
)
async def get_card(work: ApiWork) -> OwnCardAnswer:
    """The customer's card with what is on it and what it can be exchanged for.

    The customer is whoever is signed in, or the card whose QR code's text is sent as bearer token.
    """
    card, ctx = await _own_card(work)
    return _card(await work.services.card_views.view(work.session, ctx, card.id))


@api(
    Operation(
        door="storefront",
        feature="cards",
        query=FollowingPage,
        answers={200: TransactionList},
        problems=(Unauthenticated, NotFound),
        limit=LOOK_UP,
        tag=TAG,
    )
)
async def list_transactions(work: ApiWork, query: FollowingPage) -> TransactionList:
    """Every movement on the customer's card, newest first; who is meant is found as for the card."""
    card, ctx = await _own_card(work)
    paged = await work.services.card_views.history(work.session, ctx, card.id, query.request(ids.ENTRY))
    return TransactionList(
        items=[_transaction(entry) for entry in paged.items],
        total=paged.total,
        page=query.page,
        size=query.size,
        pages=paged.pages,
    )


@api(
    Operation(
        door="storefront",
        feature="enrolment",
        body=NewCustomer,
        answers={201: SelfEnrolledAnswer, 200: SelfEnrolledAnswer},
        problems=(Conflict,),
        limit=ENROL,
        tag=TAG,
    )
)
async def enrol(work: ApiWork, body: NewCustomer) -> Reply:
    """Let a customer enrol; the new card comes at once.

    Somebody who is a member already is told so (200) and gets no card here, since anybody can type an address.
    """
    enrolled = await work.services.enrolments.enrol_stranger(work.session, work.ctx, command_of(work, body))
    if enrolled is None:
        message = _("There is a card for this address already. Open it with the link in your welcome e-mail.")
        return Reply(200, SelfEnrolledAnswer(is_new=False, message=message))
    return Reply(
        201,
        SelfEnrolledAnswer(
            is_new=True,
            message=_("Welcome! Here is your card."),
            number=format_number(enrolled.number),
            token=enrolled.token,
        ),
    )


async def _own_card(work: ApiWork) -> tuple[CardHit, Context]:
    """The caller's card, and the context in which its member acts.

    Raises:
        Unauthenticated: nobody is signed in, or the token is no card's.
        NotFound: the member has no card.
    """
    if work.card_token:
        return await _card_of_token(work)
    if work.ctx.principal.kind != "member" or work.ctx.principal.id is None:
        raise Unauthenticated(_("Sign in, or send the text of a card's QR code: Authorization: Bearer …"))
    own = await cards_of_member(work.session, work.ctx.principal.id)
    if not own:
        raise NotFound(_("There is no card yet."))
    return await cards.get(work.session, own[0].id), work.ctx


async def _card_of_token(work: ApiWork) -> tuple[CardHit, Context]:
    token = token_of(work.card_token)
    try:
        if token is None:
            raise NotFound
        card = await cards.by_token(work.session, token)
    except NotFound:
        raise Unauthenticated(_("This is no card of this shop.")) from None
    member = Principal(kind="member", id=card.member_id, name=card.name, role="member")
    return card, replace(work.ctx, principal=member)


def _card(view: CardView) -> OwnCardAnswer:
    return OwnCardAnswer(
        id=ids.show(ids.CARD, view.card.id),
        number=format_number(view.card.number),
        token=view.card.token,
        status=view.card.status,
        program=ids.show(ids.PROGRAM, view.program.id),
        program_name=view.program.name,
        name=view.card.name,
        member_since=view.card.enrolled_at,
        balances={unit: account.balance for unit, account in view.shared.items()},
        progress={unit.unit: progress_answer(unit.progress) for unit in view.units},
        rewards=[_reward(offer, view) for offer in view.offers],
    )


def _reward(offer: RewardOffer, view: CardView) -> RewardAnswer:
    return RewardAnswer(
        kind=offer.kind,
        key=offer.key,
        title=offer.title,
        unit=offer.unit,
        cost=offer.cost,
        ready=offer.ready,
        missing=offer.missing,
        locked=offer.is_locked,
        reason=sentence(offer.refusal, view.program.timezone, view.now) if offer.refusal else "",
    )


def _transaction(entry: HistoryEntry) -> TransactionAnswer:
    return TransactionAnswer(
        id=ids.show(ids.ENTRY, entry.id),
        type=entry.kind,
        unit=entry.unit,
        amount=entry.amount,
        balance=entry.balance_after,
        at=entry.at,
        shop=entry.shop,
        undone=entry.undone,
        why=entry.why.sentence,
        why_steps=[WhyStep(kind=line.kind, message=line.text, change=line.change) for line in entry.why.lines],
    )
