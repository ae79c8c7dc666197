"""Signed links: tokens that name one thing of one tenant for one purpose and expire.

A token of one purpose or tenant is worth nothing for another one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt

_ALGORITHM = "HS256"


class InvalidToken(Exception):
    """The token is damaged, expired, or was made for something else; which of these is not told."""


def sign(secret: str, *, purpose: str, tenant_id: UUID, subject: str, lifetime: timedelta) -> str:
    """Make a token.

    Args:
        secret: the installation's secret key.
        purpose: what it opens, e.g. `card_link`.
        tenant_id: whose it is.
        subject: what it names, usually an id.
        lifetime: how long it is good.

    Returns:
        A JSON Web Token, safe in addresses.
    """
    now = datetime.now(UTC)
    claims = {"aud": purpose, "iss": str(tenant_id), "sub": subject, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def verify(secret: str, token: str, *, purpose: str, tenant_id: UUID) -> str:
    """Read a token.

    Args:
        secret: the installation's secret key.
        token: as it came in.
        purpose: what it must have been made for.
        tenant_id: whose it must be.

    Returns:
        The subject.

    Raises:
        InvalidToken: in every other case.
    """
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=purpose,
            issuer=str(tenant_id),
            options={"require": ["aud", "iss", "sub", "iat", "exp"]},
        )
    except jwt.PyJWTError as error:
        raise InvalidToken from error
    return str(claims["sub"])
