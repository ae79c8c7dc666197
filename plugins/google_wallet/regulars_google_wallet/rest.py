"""Google's REST API: classes and objects are made, changed and replaced, whatever is there already."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Literal

import httpx

from regulars_google_wallet.failures import refused, unavailable
from regulars_google_wallet.identity import Identity
from regulars_google_wallet.payloads import inserted
from regulars_google_wallet.tokens import Tokens

Kind = Literal["loyaltyClass", "loyaltyObject"]
SERVICE, PER_SECOND = "google_wallet", 20.0
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_GONE, _THERE = 404, 409


class Google:
    """Google Wallet as one issuer sees it.

    Args:
        client: keeps the connection.
        who: the issuer.
        tokens: of the process.
        turn: waits until a request may be made.
    """

    def __init__(
        self, client: httpx.AsyncClient, who: Identity, tokens: Tokens, turn: Callable[[], Awaitable[None]]
    ) -> None:
        self._client = client
        self._who = who
        self._tokens = tokens
        self._turn = turn

    async def make(self, kind: Kind, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Insert, or change what is there already.

        Returns:
            What Google has now.

        Raises:
            WalletUnavailable: not now.
            Refused: and never will be, as it is.
        """
        answer = await self._send("POST", kind, inserted(payload))
        if answer.status_code == _THERE:
            answer = await self._send("PATCH", f"{kind}/{payload['id']}", payload)
        return self._content(answer)

    async def change(self, kind: Kind, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change what was made before; make it again where Google has it no more. As `make`."""
        answer = await self._send("PATCH", f"{kind}/{payload['id']}", payload)
        return await self.make(kind, payload) if answer.status_code == _GONE else self._content(answer)

    async def replace(self, kind: Kind, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put something in the place of all that was there; where there is nothing, nothing is done. As `make`."""
        answer = await self._send("PUT", f"{kind}/{payload['id']}", payload)
        return {} if answer.status_code == _GONE else self._content(answer)

    async def try_out(self) -> None:
        """Ask for something harmless: whether account and issuer go together; errors as `make`."""
        self._content(await self._send("GET", f"loyaltyClass?issuerId={self._who.issuer_id}&maxResults=1", None))

    async def _send(self, method: str, path: str, payload: Mapping[str, Any] | None) -> httpx.Response:
        answer = await self._once(method, path, payload)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._tokens.forget(self._who, answer.request.headers["Authorization"].removeprefix("Bearer "))
            answer = await self._once(method, path, payload)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            raise unavailable(answer)
        return answer

    async def _once(self, method: str, path: str, payload: Mapping[str, Any] | None) -> httpx.Response:
        token = await self._tokens.get(self._client, self._who)
        await self._turn()
        url, headers = f"{self._who.places.api}/{path}", {"Authorization": f"Bearer {token}"}
        try:
            return await self._client.request(method, url, json=payload, headers=headers)
        except httpx.HTTPError as error:
            raise unavailable(error) from None

    def _content(self, answer: httpx.Response) -> Mapping[str, Any]:
        if not answer.is_success:
            raise refused(answer, issuer_id=self._who.issuer_id, email=self._who.account.email)
        content: Mapping[str, Any] = answer.json()
        return content


@asynccontextmanager
async def connected(
    who: Identity, tokens: Tokens, turn: Callable[[str, float], Awaitable[None]]
) -> AsyncIterator[Google]:
    """Google, over a connection that lasts as long as the block.

    Args:
        who: the issuer.
        tokens: of the process.
        turn: a desk's.
    """
    async with web_client() as client:
        yield Google(client, who, tokens, lambda: turn(SERVICE, PER_SECOND))


def web_client() -> httpx.AsyncClient:
    """A client that follows no redirects and takes no proxies or passwords from the environment's files."""
    return httpx.AsyncClient(timeout=_TIMEOUT, verify=_trust(), follow_redirects=False, trust_env=False)


@cache
def _trust() -> ssl.SSLContext:
    """Certificates are read once: that takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)
