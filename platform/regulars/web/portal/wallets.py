"""A card into the wallet of the phone."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from quart import Response

from regulars.contracts.errors import NotFound, Unavailable
from regulars.contracts.wallets import PassFile, WalletUnavailable
from regulars.domain.cards.view import cards_of_member
from regulars.kernel.i18n import gettext as _
from regulars.web.again import forgiving
from regulars.web.portal.blueprint import blueprint
from regulars.web.portal.card import CardQuery, chosen_card, member_of
from regulars.web.results import Result
from regulars.web.toolkit import page
from regulars.web.work import Work


@blueprint.get("/card/wallet/<wallet>")
@forgiving
@page(audience="member", transaction=False)
async def hand_over(work: Work, wallet: str) -> Result:
    """Hand the card's pass to the phone: a file, or the address of the wallet's maker. Made at the first time."""
    parts, tenant = work.services, work.ctx.tenant
    if wallet not in parts.wallets.of(tenant):
        raise NotFound
    plugin, provider = parts.wallets.of(tenant)[wallet]
    open_step = partial(parts.database.tenant, tenant.id)
    async with open_step() as session:
        owned = await cards_of_member(session, member_of(work))
        card_id = chosen_card(owned, work.query(CardQuery).card)
        desk = await parts.wallets.desk(session, work.ctx, plugin, open_step)
        if not (await provider.readiness(desk)).is_ready:
            raise NotFound
        one = await parts.wallet_passes.issue(session, work.ctx, wallet, card_id)
    try:
        given = await provider.hand_over(desk, one)
    except WalletUnavailable as error:
        sentence = _(
            "%(wallet)s does not answer just now. Please try again in a minute; your card works here meanwhile.",
            wallet=provider.title,
        )
        raise Unavailable(sentence) from error
    if isinstance(given, PassFile):
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(given.name)}",
            "Cache-Control": "private, no-store",
        }
        return Response(given.content, content_type=given.mimetype, headers=headers)
    return Response(status=303, headers={"Location": given.url})
