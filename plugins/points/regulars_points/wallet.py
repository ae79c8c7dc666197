"""What points show in the wallet of a phone."""

from __future__ import annotations

from collections.abc import Iterator

from regulars.sdk import LedgerContext
from regulars.sdk.i18n import _, format_number
from regulars.sdk.wallets import WalletField, WalletPart
from regulars_points import texts
from regulars_points.settings import UNIT, settings_of


def parts(ctx: LedgerContext) -> Iterator[WalletPart]:
    """The balance large where points are all that there is, beside the stamps where there are some; the next reward."""
    settings, balance = settings_of(ctx.settings), ctx.account(UNIT).balance
    is_alone = ctx.program.kind != "hybrid"
    yield WalletField(
        "balance",
        _("Points"),
        format_number(balance),
        "primary" if is_alone else "header",
        changed=_("You have %(points)s now.", points=texts.amount(balance)),
        order=20,
    )
    price = _("%(points)s: %(reward)s", points=texts.amount(settings.reward_cost), reward=settings.reward_text)
    yield WalletField("reward", _("Next reward"), price, "secondary", order=20)
    yield WalletField("way", _("Points"), texts.progress(settings, balance), "back", order=20)
