"""Wallets: the language of passes, and what a wallet's plugin uses of the host.

A wallet's plugin declares a provider of the kind `wallet` and a job `refresh`, subscribed to `CARD_EVENTS`, which calls
`work.service(WalletKeeper).refresh(work, wallet, card_id)`. Its views in the area `hooks` find passes with
`work.services.wallet_passes`.
"""

from regulars.contracts.wallets import (
    Delivery,
    FieldPlace,
    PassFile,
    PassLink,
    StampRow,
    WalletCard,
    WalletDesk,
    WalletFace,
    WalletField,
    WalletLook,
    WalletPart,
    WalletPass,
    WalletPlace,
    WalletProblem,
    WalletProvider,
    WalletReadiness,
    WalletTier,
    WalletUnavailable,
)
from regulars.domain.wallets.events import CARD_EVENTS
from regulars.domain.wallets.keeper import WalletKeeper
from regulars.domain.wallets.passes import WalletPasses

__all__ = [
    "CARD_EVENTS",
    "Delivery",
    "FieldPlace",
    "PassFile",
    "PassLink",
    "StampRow",
    "WalletCard",
    "WalletDesk",
    "WalletFace",
    "WalletField",
    "WalletKeeper",
    "WalletLook",
    "WalletPart",
    "WalletPass",
    "WalletPasses",
    "WalletPlace",
    "WalletProblem",
    "WalletProvider",
    "WalletReadiness",
    "WalletTier",
    "WalletUnavailable",
]
