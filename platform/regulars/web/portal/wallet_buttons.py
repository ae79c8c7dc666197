"""The buttons that put a card into the wallet of the phone, the right one first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from regulars.domain.cards.handover import make_ticket
from regulars.domain.cards.qr import qr_svg
from regulars.domain.messaging.office import CARD_LINK_PATH
from regulars.kernel import ids
from regulars.web.work import Work

PHONES = (("iPhone", "apple"), ("iPad", "apple"), ("Android", "google"))
"""What a phone's browser calls itself, and the wallet that it has."""


@dataclass(frozen=True, slots=True)
class WalletButton:
    """A button of a wallet.

    Attributes:
        wallet: `apple`, `google`, or a third party's.
        title: as its maker writes it.
        url: where the pass is handed over.
    """

    wallet: str
    title: str
    url: str


async def wallet_buttons(work: Work, card_id: UUID) -> Sequence[WalletButton]:
    """A button for each wallet that is ready, that of the visitor's phone first; nothing without any."""
    parts, name = work.services, ids.show(ids.CARD, card_id)
    offered = await parts.wallets.offered(work.session, work.ctx, partial(parts.database.tenant, work.ctx.tenant.id))
    own = _own_wallet(work)
    return sorted(
        (
            WalletButton(one.wallet, one.provider.title, f"/card/wallet/{one.wallet}?card={name}")
            for one in offered
            if one.readiness.is_ready
        ),
        key=lambda button: button.wallet != own,
    )


def phone_code(work: Work, card_id: UUID) -> str:
    """On a computer: the drawing of a code that opens the card on a phone, good for half an hour; else nothing."""
    if _own_wallet(work) or "Mobile" in work.request.headers.get("User-Agent", ""):
        return ""
    config, tenant = work.services.config, work.ctx.tenant
    ticket = make_ticket(config.secret_key, tenant.id, card_id)
    return qr_svg(config.url(tenant.host, f"{CARD_LINK_PATH}{ticket}"))


def _own_wallet(work: Work) -> str:
    device = work.request.headers.get("User-Agent", "")
    return next((wallet for phone, wallet in PHONES if phone in device), "")
