"""Queries of operators, their sessions and keys."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import LargeBinary, Text, Uuid, bindparam, case, delete, false, func, insert, literal, select, update

from regulars.domain.operators.models import Operator, OperatorKey, OperatorSession

_THIS = Operator.id == bindparam("operator", type_=Uuid)

INSERT = insert(Operator)
ALL = select(Operator.id, Operator.email, Operator.name, Operator.status, Operator.created_at).order_by(Operator.email)
ACTIVE = (
    select(Operator.email, Operator.name, Operator.locale).where(Operator.status == "active").order_by(Operator.email)
)
ID_BY_EMAIL = select(Operator.id).where(Operator.email == bindparam("address", type_=Text))
FOR_LOG_IN = select(
    Operator.id,
    Operator.name,
    Operator.email,
    Operator.password_hash,
    func.coalesce(Operator.login_locked_until > func.now(), false()).label("locked"),
).where(Operator.email == bindparam("address", type_=Text), Operator.status == "active")
LOCK_FOR_LOG_IN = FOR_LOG_IN.with_for_update()
_MAX_FAILURES = 5
_LOCKOUT = timedelta(minutes=15)
_FAILURES = Operator.login_failures + 1
COUNT_FAILURE = (
    update(Operator)
    .where(_THIS)
    .values(
        login_failures=case((_FAILURES >= _MAX_FAILURES, 0), else_=_FAILURES),
        login_locked_until=case(
            (_FAILURES >= _MAX_FAILURES, func.now() + literal(_LOCKOUT)), else_=Operator.login_locked_until
        ),
    )
)
CLEAR_FAILURES = update(Operator).where(_THIS).values(login_failures=0, login_locked_until=None)
SET_PASSWORD = update(Operator).where(_THIS).values(password_hash=bindparam("new_hash", type_=Text))

SET_LANGUAGE = (
    update(Operator)
    .where(_THIS, Operator.locale.is_distinct_from(bindparam("new_locale", type_=Text)))
    .values(locale=bindparam("new_locale", type_=Text))
    .returning(Operator.email)
)

ADD_SESSION = insert(OperatorSession)
_TOKEN = OperatorSession.token_hash == bindparam("token", type_=LargeBinary)
BY_SESSION = (
    select(Operator.id, Operator.name, Operator.email, Operator.locale)
    .join(OperatorSession, OperatorSession.operator_id == Operator.id)
    .where(_TOKEN, OperatorSession.expires_at > func.now(), Operator.status == "active")
)
END_SESSION = delete(OperatorSession).where(_TOKEN).returning(OperatorSession.operator_id)
END_SESSIONS_OF = delete(OperatorSession).where(OperatorSession.operator_id == bindparam("operator", type_=Uuid))

ADD_KEY = insert(OperatorKey)
KEYS = (
    select(OperatorKey.id, OperatorKey.name, OperatorKey.prefix, OperatorKey.created_at, OperatorKey.revoked_at)
    .where(OperatorKey.operator_id == bindparam("operator", type_=Uuid))
    .order_by(OperatorKey.created_at.desc(), OperatorKey.id)
)
REVOKE_KEY = (
    update(OperatorKey)
    .where(
        OperatorKey.id == bindparam("key", type_=Uuid),
        OperatorKey.operator_id == bindparam("operator", type_=Uuid),
        OperatorKey.revoked_at.is_(None),
    )
    .values(revoked_at=func.core.now())
    .returning(OperatorKey.name)
)
BY_KEY = (
    select(Operator.id, Operator.name, Operator.email)
    .join(OperatorKey, OperatorKey.operator_id == Operator.id)
    .where(
        OperatorKey.key_hash == bindparam("hash", type_=LargeBinary),
        OperatorKey.revoked_at.is_(None),
        Operator.status == "active",
    )
)
