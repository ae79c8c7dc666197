"""Queries about how passes do."""

from __future__ import annotations

from sqlalchemy import DateTime, Text, Uuid, and_, bindparam, func, or_, select

from regulars.domain.cards.models import Card
from regulars.domain.members.finding import OF_MEMBER, SOUGHT
from regulars.domain.members.models import Member
from regulars.domain.wallets.models import PassRow, WalletLine
from regulars.domain.wallets.soon import SYNC
from regulars.kernel.db.listing import Listing
from regulars.kernel.jobs.models import Job

_TENANT_ID, _WALLET = bindparam("tenant", type_=Uuid), bindparam("of_wallet", type_=Text)
_SHOW = bindparam("show", type_=Text)
_INSTALLED = PassRow.copies > 0
_REMOVED = and_(PassRow.copies == 0, PassRow.removed_at.is_not(None))
_STALE = PassRow.delivered_version < PassRow.version
_FAULTY = PassRow.fault != ""

COUNTS = (
    select(
        PassRow.wallet,
        func.count().label("passes"),
        func.count().filter(_INSTALLED).label("installed"),
        func.count().filter(_REMOVED).label("removed"),
        func.count().filter(_STALE).label("stale"),
        func.count().filter(_FAULTY).label("faulty"),
    )
    .where(PassRow.tenant_id == _TENANT_ID)
    .group_by(PassRow.wallet)
)
LINES = select(
    WalletLine.wallet,
    WalletLine.failures,
    WalletLine.fault,
    WalletLine.pushed_at,
    WalletLine.failed_at,
    (WalletLine.closed_until > func.now(type_=DateTime(timezone=True))).label("is_closed"),
).where(WalletLine.tenant_id == _TENANT_ID)
LAST_SYNC = (
    select(Job.status, Job.progress, Job.progress_total, Job.finished_at)
    .where(Job.tenant_id == _TENANT_ID, Job.name == SYNC)
    .order_by(Job.id.desc())
    .limit(1)
)
LIST = Listing(
    select(
        PassRow.id,
        PassRow.created_at,
        PassRow.wallet,
        PassRow.copies,
        PassRow.installed_at,
        PassRow.removed_at,
        PassRow.delivered_at,
        PassRow.fault,
        _STALE.label("is_stale"),
        Card.number,
        Member.id.label("member_id"),
        Member.name,
        Member.email,
    )
    .join(Card, and_(Card.tenant_id == PassRow.tenant_id, Card.id == PassRow.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(
        PassRow.tenant_id == _TENANT_ID,
        or_(_WALLET == "", PassRow.wallet == _WALLET),
        or_(
            _SHOW == "all",
            and_(_SHOW == "installed", _INSTALLED),
            and_(_SHOW == "removed", _REMOVED),
            and_(_SHOW == "stale", _STALE),
            and_(_SHOW == "faulty", _FAULTY),
        ),
        or_(SOUGHT == "", OF_MEMBER),
    ),
    PassRow.created_at,
    PassRow.id,
)
