"""What stamp cards show in the wallet of a phone."""

from __future__ import annotations

from collections.abc import Iterator

from regulars.sdk import LedgerContext
from regulars.sdk.i18n import _
from regulars.sdk.wallets import StampRow, WalletField, WalletPart
from regulars_stamps import texts
from regulars_stamps.settings import Card, StampSettings


def parts(settings: StampSettings, ctx: LedgerContext) -> Iterator[WalletPart]:
    """The first card is drawn, further ones are lines; a closed card is shown as long as there is something on it."""
    for card in settings.cards:
        count = ctx.account(card.unit).balance
        if card is settings:
            yield StampRow(max(0, min(count, card.target)), card.target, "" if card.icon == "brand" else card.icon)
            sentence = texts.progress_sentence(card, count)
            yield WalletField("count", card.title or _("Stamps"), _short(card, count), "header", order=10)
            yield WalletField("next", _("Reward"), sentence, "secondary", changed=sentence, order=10)
        elif not card.closed or count > 0:
            sentence = texts.progress_sentence(card, count)
            yield WalletField(
                f"count.{card.key}", card.title, _short(card, count), "auxiliary", changed=sentence, order=20
            )


def _short(card: Card, count: int) -> str:
    """`8/10`, as short as a pass wants it."""
    return f"{count}/{card.target}"
