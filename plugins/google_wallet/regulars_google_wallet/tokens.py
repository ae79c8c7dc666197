"""Access tokens of service accounts: asked for once, kept until shortly before their end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx
import jwt

from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletUnavailable
from regulars_google_wallet.account import ServiceAccount
from regulars_google_wallet.failures import said_by, unavailable
from regulars_google_wallet.identity import Identity

SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600
EARLY = 60.0
"""Seconds before its end at which a token is not used any more."""
_MOST = 1000


@dataclass(slots=True)
class _Kept:
    token: str
    until: float


class Tokens:
    """The tokens of one process, one for each account."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], _Kept] = {}
        self._locks: dict[tuple[str, str, str], asyncio.Lock] = {}

    async def get(self, client: httpx.AsyncClient, who: Identity) -> str:
        """A token that is good for a minute at least; whoever comes while one is fetched waits for it.

        Raises:
            WalletUnavailable: Google gives none.
        """
        name = _name(who)
        async with self._locks.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)
            if kept is None or time.monotonic() >= kept.until:
                if len(self._kept) >= _MOST:
                    self._kept.clear()
                kept = self._kept[name] = await _fetch(client, who)
            return kept.token

    def forget(self, who: Identity, token: str) -> None:
        """Use a token no more, which Google has refused."""
        kept = self._kept.get(_name(who))
        if kept is not None and kept.token == token:
            del self._kept[_name(who)]


def _name(who: Identity) -> tuple[str, str, str]:
    return who.account.email, who.account.key_id, who.places.token


async def _fetch(client: httpx.AsyncClient, who: Identity) -> _Kept:
    begun = time.monotonic()
    form = {"grant_type": GRANT, "assertion": _assertion(who.account)}
    try:
        answer = await client.post(who.places.token, data=form)
    except httpx.HTTPError as error:
        raise unavailable(error) from None
    if answer.status_code == httpx.codes.OK:
        content = answer.json()
        return _Kept(str(content["access_token"]), begun + float(content.get("expires_in", LIFETIME)) - EARLY)
    if answer.status_code in {400, 401, 403}:
        raise WalletUnavailable(
            _(
                "Google does not accept the key of the service account %(email)s: %(reason)s",
                email=who.account.email,
                reason=said_by(answer),
            )
        )
    raise unavailable(answer)


def _assertion(account: ServiceAccount) -> str:
    now = int(time.time())
    claims = {"iss": account.email, "scope": SCOPE, "aud": AUDIENCE, "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, account.key, algorithm="RS256", headers={"kid": account.key_id})
