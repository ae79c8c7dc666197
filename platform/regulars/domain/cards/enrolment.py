"""Enrolment: a person becomes a member and gets a card, with the welcome gifts of the plugins, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import CardInfo, Context
from regulars.contracts.errors import Conflict, InvalidInput
from regulars.contracts.events import MemberEnrolled
from regulars.contracts.ledger import Enrolment
from regulars.domain.cards import enrolment_repository as repository
from regulars.domain.cards.numbers import new_number, new_token
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import Subject
from regulars.domain.members.normalise import normal_email, normal_name, normal_phone, search_text
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _

TERMS_VERSION = "1"
MAX_CODE = 40
"""Letters of a referral's code that are kept."""
_TRIES = 3
"""How many numbers are tried: one in 90 thousand million is taken."""


@dataclass(frozen=True, slots=True)
class EnrolCommand:
    """Who wants a card.

    Attributes:
        email: required, any spelling; stored normalised.
        terms: accepted the terms of the program; nobody gets a card without.
        marketing: agreed to news; separate and off by default.
        locale: the language they read, one of the tenant's; `None` when nobody knows.
        program_id: which program, which must be active; the tenant's first active one by default.
        referral: the code of the link by which they came, as it stood there; told with `member.enrolled`.
    """

    email: str
    name: str = ""
    phone: str = ""
    locale: str | None = None
    terms: bool = False
    marketing: bool = False
    birthday: date | None = None
    program_id: UUID | None = None
    referral: str = ""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The member's card.

    Attributes:
        token: text of the QR code.
        is_new: False when the person had this card before; then nothing was changed.
    """

    member_id: UUID
    card_id: UUID
    program_id: UUID
    number: str
    token: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Contact:
    email: str
    name: str
    phone: str

    @classmethod
    def of(cls, command: EnrolCommand, country: str) -> _Contact:
        phone = normal_phone(command.phone, country) if command.phone.strip() else ""
        return cls(normal_email(command.email), normal_name(command.name), phone)


class Enrolments:
    """Enrols members.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def enrol(self, session: TenantSession, ctx: Context, command: EnrolCommand) -> Enrolled:
        """Make member and card, or find the card that the person already has.

        Only for callers who may see other people's cards: whoever is asked for may be a member already.

        Returns:
            The card.

        Raises:
            InvalidInput: terms not accepted, bad e-mail or phone; field by field.
            Conflict: there is no such active program.
        """
        program_id, member_id, known = await self._member(session, ctx, command)
        existing = await repository.card_of(session, member_id, program_id) if known else None
        if existing:
            return _had(existing, member_id, program_id)
        return await self._card(session, ctx, member_id, program_id, command.referral)

    async def enrol_stranger(self, session: TenantSession, ctx: Context, command: EnrolCommand) -> Enrolled | None:
        """Make member and card for somebody who has only typed an address; arguments and errors as for `enrol`.

        Returns:
            The card; `None` when the address is a member's, whose cards are not for whoever types it: nothing was done.
        """
        program_id, member_id, known = await self._member(session, ctx, command)
        return None if known else await self._card(session, ctx, member_id, program_id, command.referral)

    async def _card(
        self, session: TenantSession, ctx: Context, member_id: UUID, program_id: UUID, referral: str
    ) -> Enrolled:
        for _try in range(_TRIES):
            card = await repository.add_card(session, member_id, program_id, new_number(), new_token())
            if card is not None:
                await self._welcome(session, ctx, card, referral)
                return Enrolled(member_id, card.id, program_id, card.number, card.token, is_new=True)
            existing = await repository.card_of(session, member_id, program_id)
            if existing is not None:
                return _had(existing, member_id, program_id)
        raise Conflict(_("Another request changed this card at the same moment. Please try again."))

    @staticmethod
    async def _member(session: TenantSession, ctx: Context, command: EnrolCommand) -> tuple[UUID, UUID, bool]:
        """Program, member, and whether the member was there before."""
        if not command.terms:
            raise InvalidInput(fields={"terms": _("Please accept the terms to get a card.")})
        contact = _Contact.of(command, ctx.tenant.country)
        program_id = await repository.program_to_join(session, command.program_id)
        if program_id is None:
            raise Conflict(_("There is no loyalty program to join here yet."))
        member_id = new_id()
        added = await repository.add_member(
            session,
            id=member_id,
            email=contact.email,
            name=contact.name,
            phone=contact.phone,
            search=search_text(contact.name, contact.email, contact.phone),
            locale=command.locale,
            birthday=command.birthday,
        )
        if not added:
            return program_id, await repository.member_by_email(session, contact.email), True
        for purpose, granted in (("terms", command.terms), ("marketing", command.marketing)):
            await repository.add_consent(
                session, member_id, purpose=purpose, granted=granted, text_version=TERMS_VERSION, ip=ctx.ip
            )
        return program_id, member_id, False

    async def _welcome(self, session: TenantSession, ctx: Context, card: Row[Any], referral: str) -> None:
        info = CardInfo(
            id=card.id,
            number=card.number,
            status="active",
            member_id=card.member_id,
            program_id=card.program_id,
            created_at=card.created_at,
        )
        opened = await self._ledger.open_new(session, ctx, info)
        occasion = Enrolment()
        posting = opened.posting("enrolment")
        proposals = opened.evaluate(occasion)
        opened.earn(posting, proposals)
        opened.add_posting(posting)
        opened.add_event(
            MemberEnrolled(
                member_id=info.member_id, card_id=info.id, program_id=info.program_id, referral=referral[:MAX_CODE]
            )
        )
        opened.add_sale_outcomes(occasion, tuple(posting.entries), proposals)
        opened.add_audit(Subject("member.enrol", "member", info.member_id), outcome="done", details={})
        await self._ledger.write(opened, "enrol")


def _had(card: Row[Any], member_id: UUID, program_id: UUID) -> Enrolled:
    return Enrolled(member_id, card.id, program_id, card.number, card.token, is_new=False)
