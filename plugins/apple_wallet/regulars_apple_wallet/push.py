"""Telling phones that a pass has changed: Apple's push service, HTTP/2, with the pass's certificate.

One connection for each certificate is kept. A push says nothing: the phone comes and asks what has changed.

Source: Apple, "Sending notification requests to APNs" and "Handling notification responses from APNs".
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import httpx

from regulars_apple_wallet.identity import Identity
from regulars_apple_wallet.settings import AppleWalletSettings

MOST_CONNECTIONS = 64
AT_ONCE = 100
SECONDS = 15.0
GONE_REASONS = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the push service said about one phone.

    Attributes:
        status: of HTTP; 0 when it could not be reached.
        reason: Apple's word, such as `BadDeviceToken`; for 0 what went wrong.
        ended_at: since when the token is none, as far as Apple says.
        retry_after: seconds that Apple asks for.
    """

    status: int
    reason: str = ""
    ended_at: datetime | None = None
    retry_after: float | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the phone has no such pass any more, or the token never was one."""
        return self.status == httpx.codes.GONE or (
            self.status == httpx.codes.BAD_REQUEST and self.reason in GONE_REASONS
        )


class PushService:
    """The connections of a process."""

    def __init__(self) -> None:
        self._clients: OrderedDict[tuple[int, str, bytes], httpx.AsyncClient] = OrderedDict()

    async def tell(
        self, settings: AppleWalletSettings, identity: Identity, tokens: Mapping[T, str]
    ) -> Mapping[T, Answer]:
        """Push to some phones, many at once.

        Args:
            settings: which service.
            identity: whose certificate and topic.
            tokens: phone → push token.
        """
        if not tokens:
            return {}
        client = await self._client(settings, identity)
        free = asyncio.Semaphore(AT_ONCE)

        async def push(token: str) -> Answer:
            async with free:
                return await _push(client, identity.pass_type, token)

        answers = await asyncio.gather(*(push(token) for token in tokens.values()))
        return dict(zip(tokens, answers, strict=True))

    async def close(self) -> None:
        """Close all connections."""
        while self._clients:
            await self._clients.popitem()[1].aclose()

    async def _client(self, settings: AppleWalletSettings, identity: Identity) -> httpx.AsyncClient:
        key = (id(asyncio.get_running_loop()), settings.push_server, identity.fingerprint)
        if key not in self._clients:
            context = await asyncio.to_thread(_tls, settings.push_authority_path, identity)
            made = httpx.AsyncClient(
                base_url=settings.push_server,
                http1=False,
                http2=True,
                verify=context,
                trust_env=False,
                timeout=SECONDS,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None),
            )
            self._clients.setdefault(key, made)
            while len(self._clients) > MOST_CONNECTIONS:
                await self._clients.popitem(last=False)[1].aclose()
        self._clients.move_to_end(key)
        return self._clients[key]


async def _push(client: httpx.AsyncClient, topic: str, token: str) -> Answer:
    headers = {"apns-topic": topic, "apns-push-type": "background", "apns-priority": "5"}
    for is_last in (False, True):
        try:
            response = await client.post(f"/3/device/{token}", headers=headers, content=b"{}")
        except httpx.TransportError as error:  # the connection was closed meanwhile: a push can be sent twice
            if is_last:
                return Answer(0, type(error).__name__)
        else:
            return _read(response)
    raise AssertionError("the last try returns")


def _read(response: httpx.Response) -> Answer:
    try:
        said = response.json() if response.content else {}
    except ValueError:
        said = {}
    told = said if isinstance(said, dict) else {}
    stamp = told.get("timestamp")
    ended_at = datetime.fromtimestamp(stamp / 1000, UTC) if isinstance(stamp, int) and 0 < stamp < 2**43 else None
    retry_after = _seconds(response.headers.get("Retry-After", ""))
    return Answer(response.status_code, str(told.get("reason", "")), ended_at, retry_after)


def _seconds(text: str) -> float | None:
    """Seconds of a `Retry-After`, which is a number or a date."""
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _tls(authority_path: str, identity: Identity) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority_path) if authority_path else httpx.create_ssl_context()
    certificate, key, intermediate = identity.pem()
    with tempfile.TemporaryDirectory() as folder:  # OpenSSL reads keys from files only; the folder is ours alone
        chain = Path(folder) / "chain.pem"
        chain.write_text(certificate + intermediate + key)
        context.load_cert_chain(chain)
    return context
