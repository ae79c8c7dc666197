"""A wallet of paper."""

from __future__ import annotations

from collections.abc import Sequence

from regulars.sdk.wallets import Delivery, PassFile, WalletDesk, WalletPass, WalletReadiness


class Album:
    """Provider of the wallet `album`."""

    wallet = "album"
    title = "Paper Album"

    async def readiness(self, desk: WalletDesk) -> WalletReadiness:
        """Always ready."""
        return WalletReadiness(identity=desk.context.tenant.slug)

    async def hand_over(self, desk: WalletDesk, one: WalletPass) -> PassFile:
        """A leaf with all that the card's pass shows."""
        lines = [f"{field.key}={field.value}" for field in one.card.face.fields]
        return PassFile("\n".join([desk.hook_url, *lines]).encode(), "text/plain", "leaf.txt")

    async def deliver(self, desk: WalletDesk, passes: Sequence[WalletPass]) -> Sequence[Delivery]:
        """Nobody has to be told."""
        return [Delivery(one.id) for one in passes]
