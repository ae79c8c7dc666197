"""Who calls the API: a key, somebody signed in, or a card."""

from __future__ import annotations

import re
from dataclasses import dataclass

from regulars.contracts.context import TenantSnapshot
from regulars.kernel.db.database import Credentials
from regulars.kernel.keys import digest
from regulars.web.areas import STORE, STOREFRONT
from regulars.web.principals import cookie_credentials
from regulars.web.request import RegularsRequest
from regulars.web.services import Services

_BEARER = re.compile(r"bearer +([\x21-\x7e]{1,200}) *", re.IGNORECASE)
LIVE_KEY, TEST_KEY, OPERATOR_KEY = "rk_live_", "rk_test_", "rk_ops_"


@dataclass(frozen=True, slots=True)
class Caller:
    """What a call brings.

    Attributes:
        credentials: to be resolved in the tenant; `None` when there is nothing to resolve.
        needs_feature: whether the tenant must have API access for this call; staff at their terminal need none.
        card_token: the QR code's text that a storefront sent.
    """

    credentials: Credentials | None
    needs_feature: bool = False
    card_token: str = ""


def bearer(request: RegularsRequest) -> str | None:
    """The token of the `Authorization` header; empty when the header holds something else, `None` without it."""
    headers = request.headers.getlist("Authorization")
    if not headers:
        return None
    found = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    return found[1] if found else ""


def store_credentials(request: RegularsRequest, tenant: TenantSnapshot, services: Services) -> Caller:
    """The caller of the store's API: an API key of this tenant, else whoever is signed in at the terminal.

    A key of the live side is worth nothing in the sandbox, nor the reverse.
    """
    token = bearer(request)
    if token is None:
        credentials = cookie_credentials(request, STORE, services)
        return Caller(credentials, needs_feature=credentials is None)
    right = token.startswith(TEST_KEY if tenant.is_sandbox else LIVE_KEY)
    return Caller(Credentials(key_hash=digest(token)) if right else None, needs_feature=True)


def storefront_credentials(request: RegularsRequest, tenant: TenantSnapshot, services: Services) -> Caller:
    """The caller of the storefront's API: a card by its QR code's text, else the member who is signed in."""
    del tenant
    token = bearer(request)
    if token is None:
        return Caller(cookie_credentials(request, STOREFRONT, services))
    return Caller(None, card_token=token)
