"""Queries of mails and of those who get them."""

from __future__ import annotations

from sqlalchemy import Text, Uuid, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from regulars.domain.cards.models import Card
from regulars.domain.members.models import Member
from regulars.domain.messaging.models import Mail
from regulars.domain.programs.models import Program
from regulars.domain.staff.models import Staff
from regulars.domain.tenants.models import Tenant

_TENANT = bindparam("of_tenant", type_=Uuid)
_MAIL = (Mail.tenant_id == _TENANT) & (Mail.id == bindparam("mail", type_=Uuid))

ADD = (
    insert(Mail)
    .on_conflict_do_nothing(index_elements=["tenant_id", "template", "recipient", "event_id"])
    .returning(Mail.id)
)
BEGIN_TRY = (
    update(Mail)
    .where(_MAIL, Mail.status == "queued")
    .values(attempts=Mail.attempts + 1)
    .returning(Mail.recipient, Mail.subject, Mail.text_body, Mail.html_body)
)
_MOVE = update(Mail).where(_MAIL, Mail.status == bindparam("from_status", type_=Text))
_OUTCOME = {"status": bindparam("to_status", type_=Text), "error": bindparam("new_error", type_=Text)}
MOVE = _MOVE.values(_OUTCOME)
MOVE_SENT = _MOVE.values({**_OUTCOME, "sent_at": func.core.now()})

MEMBER = select(Member.email, Member.name, Member.locale).where(
    Member.tenant_id == _TENANT, Member.id == bindparam("member", type_=Uuid), Member.status == "active"
)
MAILS = select(func.count()).select_from(Mail).where(Mail.tenant_id == _TENANT)
OWNERS = (
    select(Staff.email, Staff.name, Staff.locale)
    .where(Staff.tenant_id == _TENANT, Staff.role == "owner", Staff.status == "active", Staff.email.is_not(None))
    .order_by(Staff.email)
)
STAFF_NAME = select(Staff.name).where(Staff.tenant_id == _TENANT, Staff.id == bindparam("staff", type_=Uuid))
CARD = (
    select(Card.number, Program.name)
    .join(Program, (Program.tenant_id == Card.tenant_id) & (Program.id == Card.program_id))
    .where(Card.tenant_id == _TENANT, Card.id == bindparam("card", type_=Uuid))
)

_TEXT = bindparam("text", type_=Text)
_STATUS = bindparam("status", type_=Text)
_WANTED = or_(_STATUS == "", Mail.status == _STATUS) & or_(
    _TEXT == "",
    func.strpos(func.lower(Mail.recipient + " " + Mail.subject + " " + Tenant.slug), func.lower(_TEXT)) > 0,
)
_LINE = (Mail.tenant_id, Mail.id, Tenant.slug, Mail.template, Mail.recipient, Mail.subject, Mail.status, Mail.error)
_JOINED = Tenant.id == Mail.tenant_id
MAILBOX = (
    select(*_LINE, Mail.created_at, Mail.sent_at)
    .join(Tenant, _JOINED)
    .where(_WANTED)
    .order_by(Mail.created_at.desc(), Mail.id.desc())
    .limit(bindparam("size"))
    .offset(bindparam("offset"))
)
MAILBOX_COUNT = select(func.count()).select_from(Mail).join(Tenant, _JOINED).where(_WANTED)
ONE_MAIL = (
    select(*_LINE, Mail.created_at, Mail.sent_at, Mail.text_body, Mail.html_body).join(Tenant, _JOINED).where(_MAIL)
)
