"""Staff and PINs: who works here, in which role, with which PIN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, InvalidInput, NotFound, RegularsError
from regulars.contracts.pages import PageContext
from regulars.domain.staff import service
from regulars.domain.staff.permissions import ROLE_TITLES, ROLES, outranks
from regulars.domain.staff.service import StaffDraft, StaffMember
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.i18n import format_time
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.forms import Form
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words
from regulars.web.work import Work, read_id

LIST = "/manage/staff"
PinChoice = Literal["generate", "choose", "none"]


@dataclass(frozen=True, slots=True)
class StaffRow:
    """Somebody in the list.

    Attributes:
        url: of the person's page.
        role: title in the reader's language.
        last_used: when the PIN was used last, in words; empty for never.
        locked_until: time of day when the PIN works again; empty while it does.
        may_change: whether the reader may change this person.
        is_self: whether it is the reader.
    """

    person: StaffMember
    url: str
    role: str
    last_used: str
    locked_until: str
    may_change: bool
    is_self: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage(PageContext):
    """Everybody who works here.

    Attributes:
        rows: owners, managers, staff, by name.
        may_manage: whether the reader may add people.
        max_failures: wrong PINs in a row that lock one.
        lockout_minutes: for how long.
        has_pins: whether the offering has staff PINs.
    """

    template: ClassVar[str] = "manage/staff.html"
    rows: Sequence[StaffRow]
    may_manage: bool
    max_failures: int
    lockout_minutes: int
    has_pins: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffFormPage(PageContext):
    """Add or change a person.

    Attributes:
        person: who is changed, `None` when somebody is added.
        role_tiles: value, label, text (what it may do) and icon of the roles that the reader may give.
        values: field → what is shown.
        errors: field → sentence.
        has_pins: whether the offering has staff PINs.
    """

    template: ClassVar[str] = "manage/staff_form.html"
    person: StaffRow | None = None
    role_tiles: Sequence[Mapping[str, str]]
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    has_pins: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFormPage(PageContext):
    """Set or generate somebody's PIN.

    Attributes:
        person: whose.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/staff_pin.html"
    person: StaffRow
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinShownPage(PageContext):
    """A new PIN, for the only time.

    Attributes:
        pin: four digits.
    """

    template: ClassVar[str] = "manage/staff_pin_shown.html"
    person: StaffRow
    pin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDismissPage(PageContext):
    """Asks before somebody is taken off the staff."""

    template: ClassVar[str] = "manage/staff_dismiss.html"
    person: StaffRow


class StaffForm(BaseModel):
    """What is typed of a person.

    Attributes:
        key: of the form that adds somebody: sent again, it adds nobody.
    """

    key: UUID | None = None
    name: str = Field(default="", max_length=500)
    role: str = "staff"
    email: str = Field(default="", max_length=500)
    password: str = Field(default="", max_length=1024)
    pin_choice: PinChoice = "none"
    pin: str = Field(default="", max_length=20)

    @property
    def draft(self) -> StaffDraft:
        """What the service takes."""
        return StaffDraft(self.name, self.role, self.email)


class PinForm(BaseModel):
    """A chosen PIN, or the wish for a random one."""

    pin_choice: PinChoice = "generate"
    pin: str = Field(default="", max_length=20)


@blueprint.get("/staff")
@manage_page("staff.view")
async def staff_list(work: Work) -> Result:
    """The list."""
    people = await service.list_staff(work.session, work.ctx)
    config = work.services.config
    return StaffPage(
        rows=[_row(work, person) for person in people],
        may_manage=work.ctx.principal.may("staff.manage"),
        max_failures=config.pin_max_failed_attempts,
        lockout_minutes=config.pin_lockout_minutes,
        has_pins=_has_pins(work),
    )


@blueprint.get("/staff/new")
@manage_page("staff.manage")
async def new_staff_form(work: Work) -> Result:
    """An empty form."""
    values = {"key": str(new_id()), "role": "staff", "pin_choice": "generate" if _has_pins(work) else "none"}
    return _form_page(work, None, values, {})


@blueprint.post("/staff/new")
@manage_page("staff.manage")
async def add_staff(work: Work) -> Result:
    """Add a person, with PIN and password where they are given."""
    form = await work.form(StaffForm)
    try:
        wanted = form.require()
        person = await service.add(work.session, work.ctx, wanted.draft, wanted.key)
        if person is None:
            work.flash(_("This person was added already."), "info")
            return Redirect(LIST)
        pin = await _give_pin(work, person.id, wanted.pin_choice if _has_pins(work) else "none", wanted.pin)
        if wanted.password:
            await service.set_password(work.session, work.ctx, person.id, wanted.password)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, _form_page(work, None, form.values, _faults(form, error))) from error
    row = _row(work, await service.get(work.session, work.ctx, person.id))
    if pin:
        return PinShownPage(person=row, pin=pin)
    work.flash(_("%(name)s was added.", name=person.name))
    return Redirect(LIST)


@blueprint.get("/staff/<person>")
@manage_page("staff.manage")
async def staff_form(work: Work, person: str) -> Result:
    """The form with what is known."""
    row = await _person(work, person)
    values = {"name": row.person.name, "role": row.person.role, "email": row.person.email or ""}
    return _form_page(work, row, values, {})


@blueprint.post("/staff/<person>")
@manage_page("staff.manage")
async def change_staff(work: Work, person: str) -> Result:
    """Change name, role, address, and the password where one is given."""
    row = await _person(work, person)
    form = await work.form(StaffForm)
    try:
        wanted = form.require()
        await service.change(work.session, work.ctx, row.person.id, wanted.draft)
        if wanted.password:
            await service.set_password(work.session, work.ctx, row.person.id, wanted.password)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, _form_page(work, row, form.values, _faults(form, error))) from error
    work.flash(_("Saved."))
    return Redirect(LIST)


@blueprint.get("/staff/<person>/pin")
@manage_page("staff.manage", feature="staff_pins")
async def pin_form(work: Work, person: str) -> Result:
    """Ask how the PIN is to be made."""
    return PinFormPage(person=await _person(work, person))


@blueprint.post("/staff/<person>/pin")
@manage_page("staff.manage", feature="staff_pins")
async def set_pin(work: Work, person: str) -> Result:
    """Set a chosen PIN, or make one and show it once."""
    row = await _person(work, person)
    form = await work.form(PinForm)
    try:
        wanted = form.require()
        pin = await _give_pin(work, row.person.id, wanted.pin_choice, wanted.pin)
    except InvalidInput as error:
        raise TryAgain(work, PinFormPage(person=row, errors=dict(faults_of(error)))) from error
    if pin:
        return PinShownPage(person=row, pin=pin)
    work.flash(_("%(name)s has a new PIN.", name=row.person.name))
    return Redirect(LIST)


@blueprint.post("/staff/<person>/unlock")
@manage_page("staff.manage", feature="staff_pins")
async def unlock_pin(work: Work, person: str) -> Result:
    """End the lock of a PIN at once."""
    row = await _person(work, person)
    await service.unlock_pin(work.session, work.ctx, row.person.id)
    work.flash(_("%(name)s can use the PIN again.", name=row.person.name))
    return Redirect(LIST)


@blueprint.get("/staff/<person>/dismiss")
@manage_page("staff.manage")
async def dismiss_form(work: Work, person: str) -> Result:
    """Say what it means, and ask."""
    return StaffDismissPage(person=await _person(work, person))


@blueprint.post("/staff/<person>/dismiss")
@manage_page("staff.manage")
async def dismiss(work: Work, person: str) -> Result:
    """Take somebody off the staff."""
    row = await _person(work, person)
    await service.dismiss(work.session, work.ctx, row.person.id)
    work.flash(_("%(name)s no longer has access.", name=row.person.name))
    return Redirect(LIST)


async def _give_pin(work: Work, staff_id: UUID, choice: PinChoice, pin: str) -> str:
    """Give a PIN; returns the one that must be shown, else nothing."""
    pepper = work.services.config.pin_pepper.encode()
    if choice == "generate":
        return await service.renew_pin(work.session, work.ctx, staff_id, pepper)
    if choice == "choose":
        await service.set_pin(work.session, work.ctx, staff_id, pin, pepper)
    return ""


async def _person(work: Work, text: str) -> StaffRow:
    person = await service.get(work.session, work.ctx, read_id(ids.STAFF, text))
    if person.status != "active":
        raise NotFound(_("This person does not work here any more."))
    return _row(work, person)


def _row(work: Work, person: StaffMember) -> StaffRow:
    who = work.ctx.principal
    return StaffRow(
        person=person,
        url=f"{LIST}/{ids.show(ids.STAFF, person.id)}",
        role=_title(person.role),
        last_used=moment_words(person.pin_used_at) if person.pin_used_at else "",
        locked_until=format_time(person.pin_locked_until) if person.pin_locked_until else "",
        may_change=who.may("staff.manage") and outranks(work.ctx, person.role),
        is_self=who.id == person.id,
    )


def _title(role: str) -> str:
    return next((_(title) for name, title in ROLE_TITLES.items() if name == role), role)


def _form_page(work: Work, person: StaffRow | None, values: Mapping[str, str], errors: dict[str, str]) -> StaffFormPage:
    return StaffFormPage(
        person=person,
        role_tiles=_role_tiles(work),
        values=dict(values),
        errors=errors,
        has_pins=_has_pins(work),
    )


def _role_tiles(work: Work) -> Sequence[Mapping[str, str]]:
    looks = {
        "owner": ("crown", _("Everything, extensions and API keys included.")),
        "manager": ("briefcase-business", _("Everyday business: members, program and staff.")),
        "staff": ("user-round", _("The terminal only: stamps, rewards, new customers.")),
    }
    return [
        {"value": role, "label": _title(role), "icon": looks[role][0], "text": looks[role][1]}
        for role in reversed(ROLES)
        if outranks(work.ctx, role)
    ]


def _faults(form: Form[StaffForm], error: RegularsError) -> dict[str, str]:
    return {**form.errors, **faults_of(error)}


def _has_pins(work: Work) -> bool:
    return work.ctx.tenant.has("staff_pins")
