"""The member's page: a link to share, and what has come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regulars.sdk import NotFound, PageContext
from regulars.sdk.i18n import _, ngettext
from regulars.sdk.web import Blueprint, Result, Work, page
from regulars_referrals import repository
from regulars_referrals.rules import code_of
from regulars_referrals.settings import ReferralSettings

bp = Blueprint("referrals_portal", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePage(PageContext):
    """A member's link.

    Attributes:
        link: whole address.
        promise: what both get, a sentence each.
        waiting, rewarded: how many friends have come, and for how many there was a reward.
    """

    template: ClassVar[str] = "referrals/portal/share.html"
    link: str
    promise: tuple[str, ...]
    waiting: int
    rewarded: int


@bp.get("/")
@page(audience="member")
async def share(work: Work) -> Result:
    """Show the link of the member's card."""
    assert work.principal.id is not None
    card_id = await repository.first_card(work.session, work.principal.id)
    holder = await repository.holder(work.session, card_id) if card_id else None
    if holder is None:
        raise NotFound(_("You have no card here."))
    rules = await work.rules("referrals")
    settings = next(one.settings for one in rules if one.program.id == holder.program_id)
    assert isinstance(settings, ReferralSettings)
    friends = await repository.of_card(work.session, holder.card_id)
    return SharePage(
        link=work.address(f"/join?ref={code_of(holder.card_id)}"),
        promise=tuple(_promise(settings)),
        waiting=friends.get("waiting", 0) + friends.get("bought", 0),
        rewarded=friends.get("rewarded", 0),
    )


def _promise(settings: ReferralSettings) -> list[str]:
    found = []
    if settings.referrer_reward:
        found.append(_("For you: %(amount)s", amount=_amount(settings, settings.referrer_reward)))
    if settings.friend_reward:
        found.append(_("For your friend: %(amount)s", amount=_amount(settings, settings.friend_reward)))
    return found


def _amount(settings: ReferralSettings, number: int) -> str:
    if settings.unit == "stamps":
        return ngettext("%(num)s stamp", "%(num)s stamps", number)
    return ngettext("%(num)s point", "%(num)s points", number)
