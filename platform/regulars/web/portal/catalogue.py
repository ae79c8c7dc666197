"""The rewards that a member can have, and those that the member has: put aside, on their way, handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from json import loads
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.contracts.paging import PageRequest
from regulars.domain.cards.qr import qr_svg
from regulars.domain.cards.view import CardView, CardViews, cards_of_member
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim, principal_of
from regulars.domain.redemptions import lists
from regulars.domain.redemptions.life import HELD, TITLES
from regulars.domain.redemptions.service import MAX_ADDRESS, MoveCommand, RedeemCommand
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.kernel.templating.chrome import Link
from regulars.web.again import TryAgain
from regulars.web.lists import url_of
from regulars.web.portal.blueprint import blueprint, member_page
from regulars.web.portal.card import chosen_card, member_of
from regulars.web.portal.navigation import REWARDS
from regulars.web.portal.rewards import RewardLine, reward_lines
from regulars.web.results import Redirect, Result
from regulars.web.work import Work, read_id

OWN = 10


class CatalogueQuery(BaseModel):
    """What is looked at.

    Attributes:
        card: public id, empty for the member's first one.
        category: in the merchant's words, empty for all.
        reward: the one that is wanted.
    """

    card: str = Field(default="", max_length=80)
    category: str = Field(default="", max_length=40)
    reward: str = Field(default="", max_length=200)


class GetForm(CatalogueQuery):
    """What is sent to have a reward."""

    key: str = Field(default="", max_length=80)
    ship_to: str = Field(default="", max_length=4 * MAX_ADDRESS)


class ReleaseForm(BaseModel):
    """Gives a reward back."""

    key: str = Field(default="", max_length=80)


@dataclass(frozen=True, slots=True)
class OwnRedemption:
    """A reward that the member has.

    Attributes:
        state: in words.
        qr: drawing of the code, empty unless it waits to be used.
        release_url: gives it back, empty when that is not possible.
    """

    row: lists.RedemptionRow
    state: str
    qr: str
    release_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguePage(PageContext):
    """The catalogue.

    Attributes:
        balances: what is on the card, in words.
        lines: rewards with what is missing.
        categories: filters, empty when there are none.
        own: the last rewards of the member.
        get_url: where a reward is asked for; its name is added.
        key: fresh idempotency key.
    """

    template: ClassVar[str] = "portal/rewards.html"
    balances: Sequence[str]
    lines: Sequence[RewardLine]
    categories: Sequence[Link]
    own: Sequence[OwnRedemption]
    get_url: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRewardPage(PageContext):
    """Says what a reward costs, and asks.

    Attributes:
        card: public id of the card that pays.
        needs_address: it is sent by post.
        key: fresh idempotency key.
        ship_to: what was typed, with what is wrong with it.
    """

    template: ClassVar[str] = "portal/reward.html"
    line: RewardLine
    card: str
    needs_address: bool
    key: str
    ship_to: str
    error: str


@blueprint.get("/rewards")
@member_page
async def rewards(work: Work) -> Result:
    """All rewards, and one's own."""
    query = work.query(CatalogueQuery)
    view = await _view(work, query.card)
    lines = reward_lines(view, work.ctx.tenant)
    own = await lists.list_redemptions(work.session, work.ctx, lists.Wanted(), PageRequest(1, OWN))
    return CataloguePage(
        balances=[unit.progress.label for unit in view.units],
        lines=[line for line in lines if query.category in {"", line.category}],
        categories=_categories(lines, query),
        own=[_own(row) for row in own.items],
        get_url=url_of(f"{REWARDS}/get", {"card": ids.show(ids.CARD, view.card.id)}) + "&reward=",
        key=new_token(),
    )


@blueprint.get("/rewards/get")
@member_page
async def reward_form(work: Work) -> Result:
    """Ask whether the reward is really wanted."""
    query = work.query(CatalogueQuery)
    view = await _view(work, query.card)
    return _ask(work, view, query.reward)


@blueprint.post("/rewards/get")
@member_page
async def get_reward(work: Work) -> Result:
    """Have the reward: it is put aside under a code, or ordered."""
    form = (await work.form(GetForm)).data or GetForm()
    view = await _view(work, form.card)
    page = _ask(work, view, form.reward)
    command = RedeemCommand(
        _attempt(work, view.card.id.hex, "get", form.reward, form.key),
        unit=None,
        reward=form.reward,
        hold=True,
        is_online=True,
        ship_to=form.ship_to,
        wants_redemption=True,
    )
    try:
        answer = await work.services.redemptions.redeem(work.session, work.ctx, command)
    except InvalidInput as error:
        again = _ask(work, view, form.reward, ship_to=form.ship_to, error=error.detail)
        raise TryAgain(work, again) from error
    _say(work, answer, _("“%(reward)s” is yours.", reward=page.line.title))
    return Redirect(REWARDS)


@blueprint.post("/rewards/<redemption>/release")
@member_page
async def release_reward(work: Work, redemption: str) -> Result:
    """Give a reward back that is still put aside."""
    form = (await work.form(ReleaseForm)).data or ReleaseForm()
    row = await lists.get_redemption(work.session, work.ctx, read_id(ids.REDEMPTION, redemption))
    attempt = _attempt(work, row.card_id.hex, "release", redemption, form.key)
    command = MoveCommand(attempt, row.id, "release", is_online=True)
    answer = await work.services.redemptions.move(work.session, work.ctx, command)
    _say(work, answer, _("You have given “%(reward)s” back.", reward=row.title))
    return Redirect(REWARDS)


async def _view(work: Work, card: str) -> CardView:
    owned = await cards_of_member(work.session, member_of(work))
    return await CardViews(work.services.ledger).view(work.session, work.ctx, chosen_card(owned, card))


def _ask(work: Work, view: CardView, reward: str, *, ship_to: str = "", error: str = "") -> GetRewardPage:
    line = next((one for one in reward_lines(view, work.ctx.tenant) if one.reward == reward and one.is_online), None)
    if line is None:
        raise NotFound(_("There is no such reward."))
    kind, _separator, key = reward.partition("/")
    by_post = any(one.fulfilment == "shipping" for one in view.offers if (one.kind, one.key) == (kind, key))
    return GetRewardPage(
        line=line,
        card=ids.show(ids.CARD, view.card.id),
        needs_address=by_post,
        key=new_token(),
        ship_to=ship_to,
        error=error,
    )


def _attempt(work: Work, card: str, act: str, what: str, key: str) -> Attempt:
    """The claim of a form on its effect: the same form sent twice counts once."""
    fingerprint = sha256(f"{act}\0{card}\0{what}".encode("utf-8", "surrogatepass")).digest()
    claim = Claim(principal_of(work.ctx), key or new_token(), fingerprint)
    card_id = ids.read(ids.CARD, f"{ids.CARD}_{card}")
    assert card_id is not None
    return Attempt(claim, CardRef("id", card_id))


def _say(work: Work, answer: Answer, done: str) -> None:
    if answer.refused:
        work.flash(loads(answer.body)["detail"], "warning")
    else:
        work.flash(done)


def _own(row: lists.RedemptionRow) -> OwnRedemption:
    public = ids.show(ids.REDEMPTION, row.id)
    waits = row.state == HELD
    can_go_back = row.status == "held"
    return OwnRedemption(
        row=row,
        state=_(TITLES[row.state]),
        qr=qr_svg(row.code) if waits and row.code else "",
        release_url=f"{REWARDS}/{public}/release" if can_go_back else "",
    )


def _categories(lines: Sequence[RewardLine], query: CatalogueQuery) -> Sequence[Link]:
    names = sorted({line.category for line in lines if line.category})
    if not names:
        return ()
    return [
        Link(
            label=name or _("All"),
            url=url_of(REWARDS, {"card": query.card, "category": name}),
            active=query.category == name,
        )
        for name in ("", *names)
    ]
