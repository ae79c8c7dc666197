"""Keeping passes true, and coming back to phones that Apple wanted to be left alone for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from regulars.sdk.jobs import JobWork, job
from regulars.sdk.wallets import WalletKeeper
from regulars_apple_wallet.provider import WALLET


@job("refresh", external=True)
async def refresh(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See what passes of a card show now, and tell phones if that is something else.

    Args:
        work: the job.
        payload: of an event of a card.
    """
    await work.service(WalletKeeper).refresh(work, WALLET, UUID(payload["card_id"]))


@job("again", external=True)
async def again(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Tell phones of a pass once more.

    Args:
        work: the job.
        payload: `serial` of the pass.
    """
    await work.service(WalletKeeper).tell_again(work, WALLET, payload["serial"])
