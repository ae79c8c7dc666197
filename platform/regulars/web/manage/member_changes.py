"""Changes of members: name, phone and language, and blocked cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.cards import service as cards
from regulars.domain.cards.numbers import format_number
from regulars.domain.members import service
from regulars.domain.members.service import MemberChange
from regulars.domain.members.views import Member
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import language_name
from regulars.web.again import TryAgain, faults_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.members import card_of, find_gauges, member_url, shown_name
from regulars.web.results import Redirect, Result
from regulars.web.work import Work, read_id


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFormPage(PageContext):
    """Change a member's name, phone and language.

    Attributes:
        locales: (code, name) of the languages to choose from.
        values: field → what is shown.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/member_form.html"
    url: str
    name: str
    email: str
    locales: Sequence[tuple[str, str]]
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBlockPage(PageContext):
    """Asks before a card is blocked."""

    template: ClassVar[str] = "manage/card_block.html"
    member_url: str
    name: str
    number: str
    action: str


class MemberForm(BaseModel):
    """What is typed of a member."""

    name: str = Field(default="", max_length=500)
    phone: str = Field(default="", max_length=100)
    locale: str | None = None


@blueprint.get("/members/<member>/edit")
@manage_page("members.manage")
async def member_form(work: Work, member: str) -> Result:
    """The form with what is known."""
    known = await _member(work, member)
    values = {"name": known.name, "phone": known.phone, "locale": known.locale or ""}
    return _form_page(work, known, values, {})


@blueprint.post("/members/<member>/edit")
@manage_page("members.manage")
async def change_member(work: Work, member: str) -> Result:
    """Change name, phone and language."""
    known = await _member(work, member)
    form = await work.form(MemberForm)
    try:
        wanted = form.require()
        locale = known.locale if wanted.locale is None else wanted.locale or None
        change = MemberChange(wanted.name, wanted.phone, locale)
        await service.update(work.session, work.ctx, known.id, change)
    except InvalidInput as error:
        raise TryAgain(work, _form_page(work, known, form.values, faults_of(error))) from error
    work.flash(_("Saved."))
    return Redirect(member_url(known.id))


@blueprint.get("/members/<member>/cards/<card>/block")
@manage_page("members.manage")
async def block_card_form(work: Work, member: str, card: str) -> Result:
    """Say what it means, and ask."""
    known = await _member(work, member)
    found, url = card_of(known, card), member_url(known.id)
    number = format_number(found.number)
    return CardBlockPage(
        member_url=url,
        name=shown_name(known),
        number=number,
        action=f"{url}/cards/{ids.show(ids.CARD, found.id)}/block",
    )


@blueprint.post("/members/<member>/cards/<card>/block")
@manage_page("members.manage")
async def block_card(work: Work, member: str, card: str) -> Result:
    """Block a card; it can be unblocked again."""
    known = await _member(work, member)
    found, url = card_of(known, card), member_url(known.id)
    await cards.set_status(work.session, work.ctx, found.id, "blocked")
    undo = f"{url}/cards/{ids.show(ids.CARD, found.id)}/unblock"
    work.flash(_("The card is blocked."), action_label=_("Undo"), action_url=undo)
    return Redirect(url)


@blueprint.post("/members/<member>/cards/<card>/unblock")
@manage_page("members.manage")
async def unblock_card(work: Work, member: str, card: str) -> Result:
    """Make it usable again."""
    known = await _member(work, member)
    await cards.set_status(work.session, work.ctx, card_of(known, card).id, "active")
    work.flash(_("The card can be used again."))
    return Redirect(member_url(known.id))


async def _member(work: Work, text: str) -> Member:
    return (await service.get(work.session, work.ctx, read_id(ids.MEMBER, text), await find_gauges(work))).member


def _form_page(work: Work, member: Member, values: Mapping[str, str], errors: Mapping[str, str]) -> MemberFormPage:
    return MemberFormPage(
        url=member_url(member.id),
        name=shown_name(member),
        email=member.email,
        locales=[("", _("As the browser asks")), *((code, language_name(code)) for code in work.ctx.tenant.locales)],
        values=values,
        errors=errors,
    )
