"""The landing page: what Regulars is, honestly, and where to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from quart import Response

from regulars.contracts.pages import PageContext
from regulars.domain.cards.qr import qr_svg
from regulars.domain.tenants.offerings import OfferingInfo, list_offerings
from regulars.domain.tenants.showcase import shown_tenants
from regulars.kernel.config import Config
from regulars.web.answers import HTML
from regulars.web.pages import render_page
from regulars.web.services import services
from regulars.web.site.blueprint import blueprint
from regulars.web.site.matrix import MatrixRow, matrix_of

SAMPLE_NUMBER = "4821-7493-2848"
DEMONSTRATIONS = frozenset({"demo", "test"})


@dataclass(frozen=True, slots=True)
class DemoLink:
    """A merchant of the demo.

    Attributes:
        url: its home.
        color: `#rrggbb`, of its brand.
        offering: title.
    """

    name: str
    tagline: str
    url: str
    color: str
    offering: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingPage(PageContext):
    """The platform's first page.

    Attributes:
        qr: drawing of a code, for the picture of a card.
        offerings: lowest rank first, columns of the matrix.
        matrix: what each of them has.
        demos: merchants to visit; none on a real installation.
        console_url: the operator's console, for demonstrations only, else empty.
        can_sign_up: whether merchants can open a shop by themselves.
        contact: mail address for questions, may be empty.
    """

    template: ClassVar[str] = "site/landing.html"
    qr: str
    offerings: Sequence[OfferingInfo]
    matrix: Sequence[MatrixRow]
    demos: Sequence[DemoLink]
    console_url: str
    can_sign_up: bool
    contact: str


@blueprint.get("/")
async def landing() -> Response:
    """Show what there is."""
    parts = services()
    is_demo = parts.config.env in DEMONSTRATIONS
    async with parts.database.platform("landing page") as session:
        offerings = await list_offerings(session)
        shown = await shown_tenants(session) if is_demo else ()
    titles = {offering.code: offering.title for offering in offerings}
    page = LandingPage(
        qr=qr_svg(SAMPLE_NUMBER),
        offerings=offerings,
        matrix=matrix_of(offerings, parts.plugins),
        demos=[
            DemoLink(one.name, one.tagline, _home(parts.config, one.host), one.primary_color, titles[one.offering])
            for one in shown
        ],
        console_url=_home(parts.config, parts.config.console_host) if is_demo else "",
        can_sign_up=bool(offerings) and parts.config.signups_per_hour > 0,
        contact=parts.config.contact,
    )
    response = Response(await render_page(page), content_type=HTML)
    response.headers["Cache-Control"] = "private, max-age=60"
    return response


def _home(config: Config, host: str) -> str:
    return config.url(host)
