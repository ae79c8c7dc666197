"""What the catalogue shows in the wallet of a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from regulars.sdk import RewardOffer
from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletField, WalletPart
from regulars_rewards.queries import KIND

MOST = 5


def parts(offers: Sequence[RewardOffer]) -> Iterator[WalletPart]:
    """On the back: what can be had now."""
    ready = [offer.title for offer in offers if offer.kind == KIND and offer.ready and not offer.refusal]
    if ready:
        changed = _("Ready for you: %(reward)s", reward=ready[0])
        yield WalletField("ready", _("Ready for you"), "\n".join(ready[:MOST]), "back", changed=changed, order=40)
