"""Customers and their cards, as the shop sees them."""

from __future__ import annotations

from quart import Blueprint

from regulars.contracts.errors import Conflict, InvalidInput
from regulars.contracts.providers import Progress
from regulars.domain.cards.enrolment import EnrolCommand, Enrolled
from regulars.domain.cards.numbers import format_number
from regulars.domain.members import service as members
from regulars.domain.members.gauges import gauges_of
from regulars.domain.members.views import Member, MemberCard, MemberFilter
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import (
    CardAnswer,
    CustomerAnswer,
    CustomerList,
    CustomerQuery,
    EnrolledAnswer,
    NewCustomer,
    ProgressAnswer,
)
from regulars.web.api.toolkit import ApiWork, Operation, Reply, api
from regulars.web.limits import ENROL_BY_SHOP, LOOK_UP

TAG = "Cards"


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of customers."""
    blueprint.add_url_rule("/cards", "cards", list_customers, methods=["GET"])
    blueprint.add_url_rule("/cards/enroll", "enroll", enrol, methods=["POST"])


@api(
    Operation(
        door="store",
        permission="members.view",
        feature="cards",
        query=CustomerQuery,
        answers={200: CustomerList},
        limit=LOOK_UP,
        tag=TAG,
    )
)
async def list_customers(work: ApiWork, query: CustomerQuery) -> CustomerList:
    """Customers with their cards, who came last first."""
    parts, session, ctx = work.services, work.session, work.ctx
    programs = await parts.programs.programs(session, ctx.tenant)
    gauges = await gauges_of(session, ctx, parts.plugins, parts.rules, programs)
    wanted = MemberFilter(query=query.q, only=query.filter, sort=query.order)
    paged = await members.list_members(session, ctx, wanted, query.request(ids.MEMBER), gauges)
    return CustomerList(
        items=[_customer(member) for member in paged.items],
        total=paged.total,
        page=query.page,
        size=query.size,
        pages=paged.pages,
    )


@api(
    Operation(
        door="store",
        permission="members.enrol",
        feature="enrolment",
        body=NewCustomer,
        answers={201: EnrolledAnswer, 200: EnrolledAnswer},
        problems=(Conflict,),
        limit=ENROL_BY_SHOP,
        tag=TAG,
    )
)
async def enrol(work: ApiWork, body: NewCustomer) -> Reply:
    """Give somebody a card; who has one already keeps it (200).

    A second call with the same address changes nothing, so it is safe to try again.
    """
    enrolled = await work.services.enrolments.enrol(work.session, work.ctx, command_of(work, body))
    return Reply(201 if enrolled.is_new else 200, _enrolled(enrolled))


def command_of(work: ApiWork, sent: NewCustomer) -> EnrolCommand:
    """What somebody sent, as enrolment reads it.

    Raises:
        InvalidInput: the program cannot be an id, or the language is not the shop's.
    """
    program_id = ids.read(ids.PROGRAM, sent.program) if sent.program is not None else None
    faults = {}
    if sent.program is not None and program_id is None:
        faults["program"] = _("This is no id of a program.")
    if sent.locale is not None and sent.locale not in work.ctx.tenant.locales:
        faults["locale"] = _("Choose one of: %(locales)s.", locales=", ".join(work.ctx.tenant.locales))
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    return EnrolCommand(
        email=sent.email,
        name=sent.name,
        phone=sent.phone,
        locale=sent.locale or (None if work.ctx.principal.kind == "api_key" else work.ctx.locale),
        terms=sent.terms,
        marketing=sent.marketing,
        birthday=sent.birthday,
        program_id=program_id,
        referral=sent.ref,
    )


def progress_answer(progress: Progress) -> ProgressAnswer:
    """How far a card is."""
    return ProgressAnswer(
        count=progress.count,
        target=progress.target,
        label=progress.label,
        message=progress.message,
        ready=progress.ready,
        close=progress.close,
    )


def _enrolled(enrolled: Enrolled) -> EnrolledAnswer:
    return EnrolledAnswer(
        member=ids.show(ids.MEMBER, enrolled.member_id),
        card=ids.show(ids.CARD, enrolled.card_id),
        number=format_number(enrolled.number),
        token=enrolled.token,
        program=ids.show(ids.PROGRAM, enrolled.program_id),
        is_new=enrolled.is_new,
    )


def _customer(member: Member) -> CustomerAnswer:
    return CustomerAnswer(
        id=ids.show(ids.MEMBER, member.id),
        name=member.name,
        email=member.email,
        phone=member.phone,
        member_since=member.enrolled_at,
        last_visit=member.last_activity_at,
        cards=[_card(card) for card in member.cards],
    )


def _card(card: MemberCard) -> CardAnswer:
    return CardAnswer(
        id=ids.show(ids.CARD, card.id),
        number=format_number(card.number),
        status=card.status,
        program=ids.show(ids.PROGRAM, card.program_id),
        balances=card.balances,
        progress={unit: progress_answer(progress) for unit, progress in card.progress.items()},
    )
