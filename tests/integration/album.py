"""A wallet for the tests of the host: it remembers what it was told, and can be out of order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from regulars.sdk import Plugin, ProviderRef, Subscription
from regulars.sdk.jobs import JobWork, job
from regulars.sdk.wallets import (
    CARD_EVENTS,
    Delivery,
    PassLink,
    WalletDesk,
    WalletKeeper,
    WalletPass,
    WalletProblem,
    WalletReadiness,
    WalletUnavailable,
)

WALLET = NAME = "album"


class Album:
    """Provider of the wallet `album`.

    Attributes:
        state: whether it works, is down, refuses every pass, breaks, or is not set up.
        told: of what it was told, in the order of telling.
        calls: how often it was called.
        ends: when the merchant's certificate does.
        gate: where it waits, once it was called.
    """

    wallet = WALLET
    title = "Paper Album"
    state: ClassVar[Literal["good", "down", "faulty", "broken", "missing"]] = "good"
    told: ClassVar[list[WalletPass]] = []
    calls: ClassVar[int] = 0
    ends: ClassVar[datetime | None] = None
    gate: ClassVar[asyncio.Event | None] = None
    called: ClassVar[asyncio.Event | None] = None

    async def readiness(self, desk: WalletDesk) -> WalletReadiness:
        problem = WalletProblem("There is no album.", "Buy one.")
        return WalletReadiness(
            (problem,) if Album.state == "missing" else (), own=True, identity=desk.hook_url, expires_at=Album.ends
        )

    async def hand_over(self, desk: WalletDesk, one: WalletPass) -> PassLink:
        return PassLink(f"https://album.example/{one.serial}")

    async def deliver(self, desk: WalletDesk, passes: Sequence[WalletPass]) -> Sequence[Delivery]:
        Album.calls += 1
        if Album.called is not None:
            Album.called.set()
        if Album.gate is not None:
            await Album.gate.wait()
        if Album.state == "down":
            raise WalletUnavailable("closed", retry_after=7)
        if Album.state == "broken":
            raise RuntimeError("torn")
        Album.told.extend(passes)
        fault = "no glue" if Album.state == "faulty" else ""
        return [Delivery(one.id, reached=1, fault=fault) for one in passes]


def reset() -> None:
    """A new album."""
    Album.state, Album.told, Album.calls, Album.ends, Album.gate, Album.called = "good", [], 0, None, None, None


@job("refresh", external=True)
async def refresh(work: JobWork, payload: Mapping[str, Any]) -> None:
    await work.service(WalletKeeper).refresh(work, WALLET, UUID(payload["card_id"]))


plugin = Plugin(
    name=NAME,
    title="Album",
    host=">=1,<2",
    category="wallet",
    providers=(ProviderRef("wallet", WALLET, "album:Album"),),
    jobs=("album",),
    subscriptions=tuple(Subscription(event, "refresh") for event in CARD_EVENTS),
)
