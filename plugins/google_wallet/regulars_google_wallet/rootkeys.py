"""Google's public keys for callbacks: fetched when they are needed, kept as long as Google says."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass

import httpx
import structlog

from regulars_google_wallet.callbacks import RootKey, read_root_keys
from regulars_google_wallet.failures import unavailable
from regulars_google_wallet.rest import web_client

log = structlog.get_logger(__name__)
_SHORTEST, _LONGEST = 60.0, 86_400.0
_PAUSE = 30.0
"""Seconds after a failed fetch in which nobody tries again."""
_MAX_AGE = re.compile(r"max-age=([0-9]{1,9})")


@dataclass(slots=True)
class _Kept:
    keys: tuple[RootKey, ...]
    fresh_until: float


class RootKeys:
    """The keys of one process, for each address that has some."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = asyncio.Lock()

    async def get(self, url: str) -> tuple[RootKey, ...]:
        """The keys; when they cannot be fetched, those that were kept, however old: they have an end of their own.

        Args:
            url: Google's list.

        Raises:
            WalletUnavailable: there are none.
        """
        async with self._lock:
            kept = self._kept.get(url)
            if kept is None or time.monotonic() >= kept.fresh_until:
                kept = self._kept[url] = await self._renewed(url, kept)
            return kept.keys

    async def _renewed(self, url: str, old: _Kept | None) -> _Kept:
        try:
            async with web_client() as client:
                answer = await client.get(url)
            answer.raise_for_status()
            keys = read_root_keys(answer.json())
        except (httpx.HTTPError, ValueError) as error:
            log.warning("google_keys_not_fetched", reason=str(error) or type(error).__name__)
            if old is None:
                raise unavailable(httpx.TransportError("no keys")) from error
            return _Kept(old.keys, time.monotonic() + _PAUSE)
        said = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
        seconds = min(max(float(said[1]) if said else _SHORTEST, _SHORTEST), _LONGEST)
        return _Kept(keys, time.monotonic() + seconds)
