"""Wallets for the merchant: whether cards can be put into phones, how the passes do, and sending all of them again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from pydantic import BaseModel, Field
from quart import Response, url_for

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.audit import service as audit
from regulars.domain.cards.numbers import format_number
from regulars.domain.wallets import health
from regulars.domain.wallets.desk import OfferedWallet
from regulars.domain.wallets.health import PassLine, Show, Sync, WalletHealth
from regulars.kernel.i18n import N_, format_datetime
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.areas import MANAGE
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.news import member_url
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words
from regulars.web.work import Work

HOME = "/manage/wallets"
LIST = "/manage/wallets/passes"
ALARM_DAYS = 30
_SHOWS: Mapping[Show, str] = {
    "all": N_("All"),
    "installed": N_("In a phone"),
    "removed": N_("Taken out"),
    "stale": N_("Not up to date"),
    "faulty": N_("Faulty"),
}


class PassesQuery(ListQuery):
    """Search and filters of the list."""

    wallet: str = Field(default="", max_length=40)
    show: Show = "all"

    def kept(self, **changes: str) -> dict[str, str]:
        """Search and filters for other addresses of the list."""
        return {"q": self.q, "wallet": self.wallet, "show": "" if self.show == "all" else self.show, **changes}


class WalletForm(BaseModel):
    """Which wallet."""

    wallet: str = Field(default="", max_length=40)


@dataclass(frozen=True, slots=True)
class WalletPart:
    """A wallet on the page.

    Attributes:
        days_left: until its certificate or key ends; `None` for never or unknown.
        figures: (title, number, address of the list behind it).
        settings_url: where it is set up, empty where the plugin has no page.
    """

    one: OfferedWallet
    health: WalletHealth
    days_left: int | None
    figures: Sequence[tuple[str, int, str]]
    settings_url: str = ""

    @property
    def is_ending(self) -> bool:
        """Whether it is time to care for the certificate."""
        return self.days_left is not None and self.days_left <= ALARM_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletsPage(PageContext):
    """How the passes do.

    Attributes:
        sync: the last look at all passes.
        may_send: whether the reader may send all again.
    """

    template: ClassVar[str] = "manage/wallets.html"
    wallets: Sequence[WalletPart]
    sync: Sync | None
    may_send: bool


@dataclass(frozen=True, slots=True)
class PassRow:
    """A pass in the list.

    Attributes:
        wallet: its title.
        state, tone: in words, and how it looks.
        told: when phones last heard, in words.
    """

    line: PassLine
    url: str
    wallet: str
    state: str
    tone: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassesPage(PageContext):
    """The list.

    Attributes:
        filters: by state.
        is_empty: no card is in a wallet.
    """

    template: ClassVar[str] = "manage/wallet_passes.html"
    rows: Sequence[PassRow]
    pager: Pager
    query: PassesQuery
    filters: Sequence[Link]
    may_export: bool
    is_empty: bool


@blueprint.get("/wallets")
@manage_page("members.view")
async def wallets(work: Work) -> Result:
    """How the passes do."""
    found = await health.health(work.session, work.ctx)
    return WalletsPage(
        wallets=[await _part(work, one, found.get(one.wallet, WalletHealth())) for one in await _offered(work)],
        sync=await health.last_sync(work.session, work.ctx),
        may_send=work.principal.may("members.manage"),
    )


@blueprint.post("/wallets/resync")
@manage_page("members.manage")
async def resync(work: Work) -> Result:
    """Send all passes of a wallet again."""
    form = (await work.form(WalletForm)).data
    if form is None or form.wallet not in work.services.wallets.of(work.ctx.tenant):
        raise NotFound
    await health.resync(work.session, work.ctx, form.wallet)
    work.flash(_("All passes are looked at and sent again. This page shows how far it is."))
    return Redirect(HOME)


@blueprint.get("/wallets/passes")
@manage_page("members.view")
async def passes(work: Work) -> Result:
    """A page of the list."""
    query = work.query(PassesQuery)
    found = await health.list_passes(
        work.session, work.ctx, query.request(), wallet=query.wallet, show=query.show, query=query.q
    )
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    titles = _titles(work)
    return PassesPage(
        rows=[_row(line, titles) for line in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        filters=[
            Link(label=_(title), url=url_of(LIST, query.kept(show=name)), active=query.show == name)
            for name, title in _SHOWS.items()
        ],
        may_export=work.principal.may("members.export"),
        is_empty=found.total == 0 and not query.q and query.show == "all" and not query.wallet,
    )


@blueprint.post("/wallets/passes/export")
@manage_page("members.export")
async def export_passes(work: Work) -> Response:
    """The list as a file, with its search and filters; the audit log keeps who took it."""
    query = (await work.form(PassesQuery)).data or PassesQuery()
    details = {"sought": query.q, "only": query.show, "wallet": query.wallet}
    await audit.record(work.session, work.ctx, "wallet.exported", "tenant", work.ctx.tenant.id, details)
    return csv_response(_lines(work, query), f"{work.ctx.tenant.slug}-passes.csv")


async def _lines(work: Work, query: PassesQuery) -> AsyncIterator[Sequence[str]]:
    titles = _titles(work)
    yield (_("Customer"), _("E-mail"), _("Card #"), _("Wallet"), _("State"), _("Phones"), _("Since"), _("Last told"))
    found = health.all_passes(work.services.database, work.ctx, wallet=query.wallet, show=query.show, query=query.q)
    async for line in found:
        row = _row(line, titles)
        told = format_datetime(line.delivered_at) if line.delivered_at else ""
        yield (
            *(line.name, line.email, format_number(line.number), row.wallet, row.state, str(line.copies)),
            *(format_datetime(line.created_at), told),
        )


async def _offered(work: Work) -> Sequence[OfferedWallet]:
    parts = work.services
    return await parts.wallets.offered(work.session, work.ctx, partial(parts.database.tenant, work.ctx.tenant.id))


async def _part(work: Work, one: OfferedWallet, found: WalletHealth) -> WalletPart:
    ends = one.readiness.expires_at
    numbers: Mapping[Show, int] = {
        "installed": found.installed,
        "removed": found.removed,
        "stale": found.stale,
        "faulty": found.faulty,
    }
    return WalletPart(
        one=one,
        health=found,
        days_left=None if ends is None else (ends - datetime.now(UTC)).days,
        figures=[
            (_(_SHOWS[show]), number, url_of(LIST, {"wallet": one.wallet, "show": show}))
            for show, number in numbers.items()
        ],
        settings_url=next(
            (
                url_for(f"{plugin}_{MANAGE.name}.{entry.endpoint}")
                for plugin, entry in work.services.plugins.nav
                if plugin == one.plugin and work.principal.may(entry.permission)
            ),
            "",
        ),
    )


def _titles(work: Work) -> Mapping[str, str]:
    return {wallet: provider.title for wallet, (_plugin, provider) in work.services.plugins.wallet_providers.items()}


def _row(line: PassLine, titles: Mapping[str, str]) -> PassRow:
    if line.fault:
        state, tone = _("Faulty"), "error"
    elif line.is_stale:
        state, tone = _("Not up to date"), "warning"
    elif line.copies:
        state, tone = _("In a phone"), "success"
    elif line.removed_at is not None:
        state, tone = _("Taken out"), ""
    else:
        state, tone = _("Handed out"), ""
    return PassRow(
        line=line,
        url=member_url(line.member_id),
        wallet=titles.get(line.wallet, line.wallet),
        state=state,
        tone=tone,
        told=moment_words(line.delivered_at) if line.delivered_at else "–",
    )
