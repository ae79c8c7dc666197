"""Staff PINs."""

from __future__ import annotations

from datetime import datetime

from quart import Blueprint

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.staff import service as staff
from regulars.domain.staff.service import StaffDraft, StaffMember
from regulars.kernel import ids
from regulars.kernel.db.clock import rules_now
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import NewPin, PinAnswer, PinChange, PinList
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

TAG = "Staff PINs"


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of PINs."""
    blueprint.add_url_rule("/pins", "pins", list_pins, methods=["GET"])
    blueprint.add_url_rule("/pins", "add_pin", add_pin, methods=["POST"])
    blueprint.add_url_rule("/pins/<staff_id>", "change_pin", change_pin, methods=["PATCH"])
    blueprint.add_url_rule("/pins/<staff_id>", "delete_pin", delete_pin, methods=["DELETE"])
    blueprint.add_url_rule("/pins/<staff_id>/unlock", "unlock_pin", unlock_pin, methods=["POST"])


@api(Operation(door="store", permission="staff.view", feature="staff_pins", answers={200: PinList}, tag=TAG))
async def list_pins(work: ApiWork) -> PinList:
    """Everybody who works here, by name."""
    now = await rules_now(work.session)
    people = await staff.list_staff(work.session, work.ctx)
    return PinList(items=[_answer(person, now) for person in people])


@api(
    Operation(
        door="store",
        permission="staff.manage",
        feature="staff_pins",
        body=NewPin,
        answers={201: PinAnswer},
        problems=(NotFound, Conflict),
        tag=TAG,
    )
)
async def add_pin(work: ApiWork, body: NewPin) -> PinAnswer:
    """Give a PIN to somebody who works here, or to somebody new."""
    if (body.staff is None) == (body.name is None):
        sentence = _("Say either who it is (staff) or who is new (name).")
        raise InvalidInput(sentence, fields={"staff": sentence})
    if body.staff is not None:
        person = await staff.get(work.session, work.ctx, read_id(ids.STAFF, body.staff))
    else:
        added = await staff.add(work.session, work.ctx, StaffDraft(body.name or "", body.role))
        assert added is not None, "a key of our own is new"
        person = added
    return await _set_pin(work, person, body.pin)


@api(
    Operation(
        door="store",
        permission="staff.manage",
        feature="staff_pins",
        body=PinChange,
        answers={200: PinAnswer},
        problems=(NotFound, Conflict),
        tag=TAG,
    )
)
async def change_pin(work: ApiWork, staff_id: str, body: PinChange) -> PinAnswer:
    """Change somebody's name, role or PIN."""
    person = await staff.get(work.session, work.ctx, read_id(ids.STAFF, staff_id))
    if body.name is not None or body.role is not None:
        person = await staff.patch(work.session, work.ctx, person.id, name=body.name, role=body.role)
    if body.pin is not None:
        return await _set_pin(work, person, body.pin)
    return _answer(person, await rules_now(work.session))


@api(
    Operation(
        door="store",
        permission="staff.manage",
        feature="staff_pins",
        answers={204: None},
        problems=(NotFound, Conflict),
        tag=TAG,
    )
)
async def delete_pin(work: ApiWork, staff_id: str) -> None:
    """Take somebody off the staff: PIN, password and sessions end at once; what was recorded stays."""
    await staff.dismiss(work.session, work.ctx, read_id(ids.STAFF, staff_id))


@api(
    Operation(
        door="store",
        permission="staff.manage",
        feature="staff_pins",
        answers={200: PinAnswer},
        problems=(NotFound,),
        tag=TAG,
    )
)
async def unlock_pin(work: ApiWork, staff_id: str) -> PinAnswer:
    """End the lock of a PIN after too many failures."""
    person_id = read_id(ids.STAFF, staff_id)
    await staff.unlock_pin(work.session, work.ctx, person_id)
    return _answer(await staff.get(work.session, work.ctx, person_id), await rules_now(work.session))


async def _set_pin(work: ApiWork, person: StaffMember, pin: str | None) -> PinAnswer:
    pepper, made = work.services.config.pin_pepper.encode(), None
    if pin is None:
        made = await staff.renew_pin(work.session, work.ctx, person.id, pepper)
    else:
        await staff.set_pin(work.session, work.ctx, person.id, pin, pepper)
    changed = await staff.get(work.session, work.ctx, person.id)
    return _answer(changed, await rules_now(work.session)).model_copy(update={"pin": made})


def _answer(person: StaffMember, now: datetime) -> PinAnswer:
    locked = person.pin_locked_until is not None and now < person.pin_locked_until
    return PinAnswer(
        id=ids.show(ids.STAFF, person.id),
        name=person.name,
        role=person.role,
        status="none" if not person.has_pin else "locked" if locked else "active",
        locked_until=person.pin_locked_until if locked else None,
        last_used_at=person.pin_used_at,
    )
