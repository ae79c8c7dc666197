"""Queries over all tenants, for the console and the operators' API. Sandboxes count for nothing in figures."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import (
    BindParameter,
    Boolean,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)

from regulars.domain.cards.models import Card
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.domain.redemptions.models import Redemption
from regulars.domain.shops.models import Shop
from regulars.domain.tenants.models import Tenant, TenantHost

_ACTIVE_WITHIN = literal(timedelta(days=30))
_SINCE = func.core.now() - _ACTIVE_WITHIN

_text = bindparam("text", type_=Text)
_offering = bindparam("offering", type_=Text)
_status = bindparam("status", type_=Text)
_sandboxes: BindParameter[bool] = bindparam("sandboxes", type_=Boolean)

_HAS_HOST = exists().where(TenantHost.tenant_id == Tenant.id, func.strpos(TenantHost.host, func.lower(_text)) > 0)
_HAS_ACTIVE_PROGRAM = exists().where(Program.tenant_id == Tenant.id, Program.status == "active")
_STATE = case((Tenant.status != "active", Tenant.status), (_HAS_ACTIVE_PROGRAM, "active"), else_="setup")
_WANTED = and_(
    or_(_sandboxes, Tenant.live_tenant_id.is_(None)),
    or_(_text == "", func.strpos(func.lower(Tenant.name), func.lower(_text)) > 0, _HAS_HOST),
    or_(_offering == "", Tenant.offering == _offering),
    or_(
        _status == "",
        _status == _STATE,
        and_(_status == "unproved", Tenant.verify_by.is_not(None)),
    ),
)
_PAGE = (
    select(Tenant.__table__, _STATE.label("state"))
    .where(_WANTED)
    .order_by(func.lower(Tenant.name), Tenant.slug)
    .limit(bindparam("size"))
    .offset(bindparam("offset"))
    .cte("page")
)
_MEMBERS = (
    select(
        func.count().label("members"),
        func.count().filter(Member.last_activity_at >= _SINCE).label("members_active"),
        func.max(Member.last_activity_at).label("last_activity_at"),
    )
    .where(Member.tenant_id == _PAGE.c.id, Member.status == "active", Member.merged_into.is_(None))
    .lateral("figures")
)
_CARDS = (
    select(func.count())
    .where(Card.tenant_id == _PAGE.c.id, Card.status == "active", Card.merged_into.is_(None))
    .scalar_subquery()
)
_HOSTS = (
    select(func.array_agg(func.distinct(TenantHost.host))).where(TenantHost.tenant_id == _PAGE.c.id).scalar_subquery()
)
_PRIMARY = (
    select(TenantHost.host)
    .where(TenantHost.tenant_id == _PAGE.c.id)
    .order_by(TenantHost.is_primary.desc(), TenantHost.host)
    .limit(1)
    .scalar_subquery()
)
TENANTS = (
    select(
        _PAGE.c.id,
        _PAGE.c.slug,
        _PAGE.c.name,
        _PAGE.c.offering,
        _PAGE.c.state,
        _PAGE.c.live_tenant_id.is_not(None).label("is_sandbox"),
        _PAGE.c.created_at,
        _PAGE.c.signed_up_at,
        _PAGE.c.verify_by,
        _PRIMARY.label("host"),
        _HOSTS.label("hosts"),
        _MEMBERS.c.members,
        _MEMBERS.c.members_active,
        _MEMBERS.c.last_activity_at,
        _CARDS.label("cards"),
    )
    .join(_MEMBERS, true())
    .order_by(func.lower(_PAGE.c.name), _PAGE.c.slug)
)
COUNT_TENANTS = select(func.count()).select_from(Tenant).where(_WANTED)

_THIS = bindparam("tenant_id", type_=Uuid)
USED = select(
    select(func.count()).where(Shop.tenant_id == _THIS, Shop.status == "active").scalar_subquery().label("shops"),
    select(func.count())
    .where(Program.tenant_id == _THIS, Program.status != "inactive")
    .scalar_subquery()
    .label("programs"),
)

_LIVE = and_(Tenant.id == Program.tenant_id, Tenant.live_tenant_id.is_(None), Tenant.status != "closed")
_kind = bindparam("kind", type_=Text)
_PROGRAM_WANTED = and_(
    or_(_kind == "", Program.kind == _kind),
    or_(_status == "", Program.status == _status),
    or_(
        _text == "",
        func.strpos(func.lower(Tenant.name), func.lower(_text)) > 0,
        func.strpos(func.lower(Program.name), func.lower(_text)) > 0,
    ),
)
_PROGRAM_FIGURES = (
    select(
        func.count().label("members"),
        func.count().filter(Member.last_activity_at >= _SINCE).label("members_active"),
        func.max(Member.last_activity_at).label("last_activity_at"),
    )
    .select_from(Card)
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(
        Card.tenant_id == Program.tenant_id,
        Card.program_id == Program.id,
        Card.status == "active",
        Card.merged_into.is_(None),
    )
    .lateral("figures")
)
_PROGRAM = (
    select(
        Program.id,
        Program.name,
        Program.kind,
        Program.status,
        Program.timezone,
        Program.currency,
        Program.created_at,
        Program.tenant_id,
        Tenant.slug.label("tenant_slug"),
        Tenant.name.label("tenant_name"),
        Tenant.offering,
        _PROGRAM_FIGURES.c.members,
        _PROGRAM_FIGURES.c.members_active,
        _PROGRAM_FIGURES.c.last_activity_at,
    )
    .join(Tenant, _LIVE)
    .join(_PROGRAM_FIGURES, true())
)
PROGRAMS = (
    _PROGRAM.where(_PROGRAM_WANTED)
    .order_by(func.lower(Tenant.name), Program.created_at, Program.id)
    .limit(bindparam("size"))
    .offset(bindparam("offset"))
)
COUNT_PROGRAMS = select(func.count()).select_from(Program).join(Tenant, _LIVE).where(_PROGRAM_WANTED)
ONE_PROGRAM = _PROGRAM.where(Program.id == bindparam("program", type_=Uuid))

_live_tenants = select(Tenant.id).where(Tenant.live_tenant_id.is_(None), Tenant.status != "closed")
PROGRAMS_BY_KIND = (
    select(
        Program.kind,
        func.count().label("total"),
        func.count().filter(Program.status == "active").label("active"),
    )
    .where(Program.tenant_id.in_(_live_tenants))
    .group_by(Program.kind)
    .order_by(Program.kind)
)
COUNT_MEMBERS = select(func.count()).where(
    Member.tenant_id.in_(_live_tenants), Member.status == "active", Member.merged_into.is_(None)
)
SAVED = (
    select(Redemption.currency, func.sum(Redemption.value_minor).label("minor"))
    .where(
        Redemption.tenant_id.in_(_live_tenants), Redemption.status == "captured", Redemption.value_minor.is_not(None)
    )
    .group_by(Redemption.currency)
    .order_by(Redemption.currency)
)
LIVE_ELSEWHERE = (
    select(Tenant.id, Tenant.slug)
    .where(Tenant.live_tenant_id.is_(None), Tenant.base_domain != bindparam("base_domain", type_=Text))
    .order_by(Tenant.slug)
)

NEWEST_TENANTS = select(Tenant.id).order_by(Tenant.created_at.desc()).limit(50)
"""A sample of merchants, for checks that take long."""
