"""The start of the till: one big field, and the cards that were here last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import ClassVar

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.cards import numbers
from regulars.domain.cards import service as cards
from regulars.domain.ledger.topics import ACTIVITY, shop_topic
from regulars.domain.members.normalise import email_of
from regulars.domain.redemptions.lists import card_of_code
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.web.headers import allow_camera
from regulars.web.limits import LOOK_UP, check_limit
from regulars.web.lists import url_of
from regulars.web.live import live_socket
from regulars.web.results import Redirect, Result
from regulars.web.terminal.blueprint import blueprint, till_page
from regulars.web.terminal.desk import Desk, TillPage, at_desk, shop_of
from regulars.web.terminal.lines import CardLine, card_lines, card_url
from regulars.web.terminal.navigation import START
from regulars.web.work import Work

RECENT = 6
FOUND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPage(TillPage):
    """Where a card is scanned, typed or searched.

    Attributes:
        query: what was typed before.
        error: why it led nowhere, empty at first.
        recent: the cards that were used here last.
    """

    template: ClassVar[str] = "terminal/start.html"
    query: str = ""
    error: str = ""
    recent: RecentPart


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage(TillPage):
    """Several cards that may be meant, or none.

    Attributes:
        query: what was typed.
        lines: exact hits first, then whoever came last.
        new_email: the address that was typed and that nobody has here, empty when it was none.
    """

    template: ClassVar[str] = "terminal/found.html"
    query: str
    lines: Sequence[CardLine]
    new_email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentPart(PageContext):
    """The cards that were used here last.

    Attributes:
        recent: last ones first.
        url: where the list asks whether it is still right; it names what is shown.
    """

    template: ClassVar[str] = "terminal/parts/recent.html"
    recent: Sequence[CardLine]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedPart(PageContext):
    """Why a code leads to no card; what the camera says below its picture."""

    template: ClassVar[str] = "terminal/parts/scanned.html"
    sentence: str


class RecentQuery(BaseModel):
    """What the page has already: name of the list that it shows."""

    seen: str = ""


class FindForm(BaseModel):
    """What was scanned or typed."""

    card: str = Field(default="", max_length=300)


@blueprint.get("")
@till_page()
async def start(work: Work, desk: Desk) -> Result:
    """Wait for a card."""
    return await _start(work, desk)


@blueprint.after_request
async def with_camera(response: Response) -> Response:
    """The till's pages may use the camera, no others."""
    allow_camera(response.headers)
    return response


@blueprint.get("/recent")
@till_page()
async def recent(work: Work, desk: Desk) -> Result:
    """The cards that were used last, or nothing when they are still the same; only as a part of the start."""
    if work.request.headers.get("HX-Request") != "true":
        return Redirect(START)
    part = await _recent(work, desk)
    seen = url_of(f"{START}/recent", {"seen": work.query(RecentQuery).seen})
    return Response(status=204) if part.url == seen else part


@blueprint.websocket("/socket")
@live_socket(permission="terminal.use")
async def socket(session: TenantSession, ctx: Context, query: Mapping[str, str]) -> Iterable[str]:
    """Hear of what happens in the shop where the device stands."""
    del query
    shop = await shop_of(session, ctx)
    return [shop_topic(shop.id) if shop else ACTIVITY]


@blueprint.post("/find")
@till_page()
async def find(work: Work, desk: Desk) -> Result:
    """Look a card up; a single hit opens at once. It is a form, so that no name stands in an address."""
    await check_limit(LOOK_UP, work.request, work.services)
    form = await work.form(FindForm)
    if form.data is None:
        return await _start(work, desk, error=form.errors["card"])
    query = form.data.card.strip()
    if len(query) < cards.MIN_QUERY:
        return await _start(work, desk, query=query, error=_("Type at least two characters, or scan a card."))
    hits = await cards.find(work.session, work.ctx, query, FOUND)
    if not hits and (card_id := await card_of_code(work.session, work.ctx, query)):
        return Redirect(card_url(card_id))
    if len(hits) == 1:
        return Redirect(card_url(hits[0].id))
    if not hits and (sentence := _number_fault(query)):
        return await _start(work, desk, query=query, error=sentence)
    email = email_of(query) or ""
    lines = await card_lines(work, hits)
    return FoundPage(desk=desk, query=query, lines=lines, new_email="" if hits else email)


@blueprint.post("/scan")
@till_page()
async def scanned(work: Work, desk: Desk) -> Result:
    """Open the card whose code the camera has read; the page stays when it is none."""
    del desk
    await check_limit(LOOK_UP, work.request, work.services)
    form = (await work.form(FindForm)).data or FindForm()
    if card_id := await card_of_code(work.session, work.ctx, form.card):
        return Redirect(card_url(card_id))
    try:
        hit = await cards.by_code(work.session, work.ctx, form.card)
    except NotFound:
        return ScannedPart(sentence=_("This is not a card of this shop."))
    return Redirect(card_url(hit.id))


@blueprint.get("/scan")
@till_page()
async def scan_again(work: Work, desk: Desk) -> Result:
    """Where a reload after a scan leads."""
    del work, desk
    return Redirect(START)


@blueprint.get("/find")
@till_page()
async def find_again(work: Work, desk: Desk) -> Result:
    """Where a reload or a change of language leads after a search."""
    del work, desk
    return Redirect(START)


@blueprint.get("/scan/<token>")
@till_page()
async def scan(work: Work, desk: Desk, token: str) -> Result:
    """Open the card of a QR code that a phone's camera has read."""
    del desk
    return Redirect(card_url((await cards.by_token(work.session, token)).id))


def _number_fault(query: str) -> str:
    """What is wrong with a number that leads to no card, empty when it was no number."""
    digits = numbers.digits_of(query)
    if len(digits) == numbers.NUMBER_LENGTH:
        if numbers.is_valid(digits):
            return _("There is no card with this number here.")
        return _("This number has a typing mistake: the last digit does not fit.")
    if len(digits) > numbers.SHORT_LENGTH:
        return _("A card number has 12 digits, this one has %(count)s.", count=len(digits))
    return ""


async def _start(work: Work, desk: Desk, *, query: str = "", error: str = "") -> StartPage:
    return StartPage(desk=desk, query=query, error=error, recent=await _recent(work, desk), idle_seconds=0)


async def _recent(work: Work, desk: Desk) -> RecentPart:
    hits = await cards.recent(work.session, at_desk(work.ctx, desk), RECENT)
    shown = ((hit.id, hit.name, hit.status, sorted(hit.balances.items())) for hit in hits)
    seen = blake2b(repr(list(shown)).encode(), digest_size=8).hexdigest()
    return RecentPart(recent=await card_lines(work, hits), url=url_of(f"{START}/recent", {"seen": seen}))
