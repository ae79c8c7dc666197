"""What happens in the background."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any
from uuid import UUID

from regulars.sdk.jobs import Daily, JobWork, job
from regulars.sdk.wallets import WalletKeeper
from regulars_google_wallet import repository


@job("refresh", external=True)
async def refresh(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Let Google hear of a card that may have changed."""
    await work.service(WalletKeeper).refresh(work, "google", UUID(payload["card_id"]))


@job("forget_callbacks", schedule=Daily(time(4, 10)))
async def forget_callbacks(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Forget callbacks that cannot come again."""
    await repository.forget_callbacks(work.session)
