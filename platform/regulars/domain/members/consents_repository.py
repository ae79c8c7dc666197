"""Queries of consents."""

from __future__ import annotations

from sqlalchemy import Text, Uuid, bindparam, insert, select

from regulars.domain.members.models import Consent

LATEST = (
    select(Consent.granted)
    .where(
        Consent.tenant_id == bindparam("tenant", type_=Uuid),
        Consent.member_id == bindparam("member", type_=Uuid),
        Consent.purpose == bindparam("purpose", type_=Text),
    )
    .order_by(Consent.created_at.desc(), Consent.id.desc())
    .limit(1)
)
ADD = insert(Consent)
