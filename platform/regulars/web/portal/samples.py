"""Example contexts of every page of the portal: for previews of a look, and for checking themes without a merchant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from regulars.contracts.context import AccountState, Branding, ProgramInfo, TenantSnapshot
from regulars.contracts.ledger import LedgerContext
from regulars.contracts.pages import PageContext
from regulars.contracts.providers import UnitWords
from regulars.contracts.slots import CardSlot, ProgramSlot
from regulars.domain.cards.qr import qr_svg
from regulars.domain.cards.service import CardHit
from regulars.domain.cards.view import CardView, MemberCard, NextSale, UnitView
from regulars.domain.ledger.history import HistoryEntry, Why
from regulars.domain.programs.service import plugins_outside
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import language_name
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.web.forms import Form
from regulars.web.lists import Pager
from regulars.web.portal.account import AccountPage
from regulars.web.portal.card import CardLive, CardPage, HistoryPage
from regulars.web.portal.changes import ChangesPage, PublicChange
from regulars.web.portal.code import CodePage
from regulars.web.portal.doors import MailSentPage
from regulars.web.portal.home import HomePage
from regulars.web.portal.household import (
    HouseholdPage,
    InvitationLine,
    JoinHouseholdPage,
    LeaveHouseholdPage,
    SharerLine,
)
from regulars.web.portal.join import JoinPage
from regulars.web.portal.legal import PrivacyPage, TermsPage
from regulars.web.portal.program import Promise
from regulars.web.portal.receipts import MissingPage
from regulars.web.portal.rewards import reward_lines
from regulars.web.portal.sign_in import LinkExpiredPage, OpenCardPage, SignInPage
from regulars.web.portal.wallet_buttons import WalletButton

NUMBER = "482174932848"
HAD = 7
"""Units on the example's card: a few, with the reward in sight."""


@dataclass(frozen=True, slots=True)
class SampleShop:
    """What the examples are made from.

    Attributes:
        registry: its unit providers and rewards are those of the plugins that the tenant has.
        settings: plugin → settings for the program.
        now: the moment at which the pages are seen.
    """

    tenant: TenantSnapshot
    program: ProgramInfo
    registry: PluginRegistry
    settings: Mapping[str, BaseModel]
    now: datetime

    def card(self) -> CardPage:
        """A card with a few visits on it."""
        wallets = (WalletButton("apple", "Apple Wallet", "#"), WalletButton("google", "Google Wallet", "#"))
        return CardPage(live=self._live(), qr=qr_svg(NUMBER), cards=(), wallets=wallets)

    def home(self) -> HomePage:
        """The first page."""
        return HomePage(
            name=self.tenant.name,
            tagline=self.tenant.branding.tagline,
            promise=self._promise(),
            preview=ProgramSlot(self.program),
        )

    def all(self) -> Sequence[PageContext]:
        """Every page of the portal, those with two faces in both."""
        card, home, name = self.card(), self.home(), self.tenant.name
        pager = Pager(first=1, last=3, total=23, next_url="/card/history?page=2")
        places = (("Old town", "1, Main street"), ("Harbour", ""))
        two = [MemberCard(UUID(int=number), NUMBER, self.program.id, self.program.name) for number in (1, 2)]
        faults: Form[Any] = Form({"email": "nobody"}, {"": "Too often.", "email": "This is no address."})
        return (
            card,
            replace(card, cards=two, live=replace(card.live, warning="Blocked.", recent=(), rewards=())),
            card.live,
            HistoryPage(entries=self._visits(), pager=pager, missing_url="/receipts"),
            HistoryPage(entries=(), pager=Pager(first=0, last=0, total=0), missing_url=""),
            MissingPage(card="card_0", days=10, key="k", number="A-1", errors={"amount": "This is no amount."}),
            ChangesPage(changes=self._changes(), timezone=self.program.timezone, pager=pager),
            ChangesPage(changes=(), timezone=self.program.timezone, pager=Pager(first=0, last=0, total=0)),
            home,
            replace(home, promise=None, preview=None, tagline=""),
            JoinPage(name=name, promise=self._promise(), key="k"),
            JoinPage(name=name, promise=self._promise(), key="k", form=faults),
            JoinPage(name=name, promise=None, key="k"),
            SignInPage(),
            SignInPage(form=faults),
            MailSentPage(email="alex@example.com"),
            OpenCardPage(token="t", number=NUMBER[:8]),  # noqa: S106 -- an example
            LinkExpiredPage(),
            CodePage(merchant=name, till_url="/terminal", mine=True),
            CodePage(merchant=name, till_url="/terminal", mine=False),
            AccountPage(
                merchant=name,
                name="Alex Example",
                email="alex@example.com",
                phone="+352 691 000 000",
                since=self.now - timedelta(days=90),
                numbers=(NUMBER,),
                news=True,
                locale=self.tenant.default_locale,
                locales=[(code, language_name(code)) for code in self.tenant.locales],
                has_households=True,
            ),
            *self._households(),
            TermsPage(merchant=name, places=places, promise=self._promise()),
            PrivacyPage(merchant=name, places=places, promise=None),
        )

    def _households(self) -> Sequence[PageContext]:
        card, what = "card_0", [unit.progress.label for unit in self._units()]
        sharers = [
            SharerLine("card_0", "Alex Example", is_own=True, is_head=True, earned="", leave_url="/household/leave")
        ]
        invitation = InvitationLine("ABCD-EFGH", "https://example.com/household/join?code=ABCDEFGH", self.now)
        shared = HouseholdPage(
            card=card, program=self.program.name, head="Alex Example", balances=what, sharers=sharers, has_room=True
        )
        return (
            HouseholdPage(
                card=card, program=self.program.name, error=_("There is no room for more in this household.")
            ),
            replace(shared, invitations=[invitation]),
            JoinHouseholdPage(card=card, code="ABCDEFGH", head="Alex Example", count=2, own=what),
            LeaveHouseholdPage(card=card, name="", taken=", ".join(what)),
        )

    def _units(self) -> Sequence[UnitView]:
        return [
            UnitView(
                unit=one.unit,
                plugin=one.plugin,
                provider=one.provider,
                words=one.provider if isinstance(one.provider, UnitWords) else None,
                progress=one.provider.progress(self._account(one.unit), one.settings),
            )
            for one in self.registry.unit_providers.of_program(self.settings, self._plugins)
        ]

    @property
    def _plugins(self) -> frozenset[str]:
        return frozenset(self.settings) - plugins_outside(self.program.kind)

    def _account(self, unit: str) -> AccountState:
        return AccountState(unit, HAD, HAD, HAD, self.now)

    def _promise(self) -> Promise:
        units = self.registry.unit_providers.of_program(self.settings, self._plugins)
        return Promise(
            self.program,
            [one.provider.progress(AccountState(one.unit), one.settings) for one in units],
        )

    def _live(self) -> CardLive:
        view = self._view()
        return CardLive(
            view=view,
            slot=CardSlot(view.program, view.card.info, view.accounts, view.offers),
            rewards=reward_lines(view, self.tenant),
            recent=self._visits(),
            warning="",
            live_url="/card/live",
            said="",
        )

    def _view(self) -> CardView:
        units = self._units()
        accounts = {unit.unit: self._account(unit.unit) for unit in units}
        card = CardHit(
            id=UUID(int=3),
            number=NUMBER,
            token="example",  # noqa: S106 -- an example
            status="active",
            program_id=self.program.id,
            created_at=self.now,
            has_merged=False,
            household_id=None,
            member_id=UUID(int=4),
            name="Alex Example",
            email="alex@example.com",
            phone="",
            birthday=None,
            enrolled_at=self.now,
            last_activity_at=self.now,
            balances={unit: account.balance for unit, account in accounts.items()},
        )
        offers = [
            offer
            for plugin, provider in self.registry.reward_providers.values()
            if plugin in self.settings
            for offer in provider.offers(
                LedgerContext(
                    tenant=self.tenant,
                    program=self.program,
                    card=card.info,
                    now=self.now,
                    day_start=self.now,
                    accounts=accounts,
                    settings=self.settings[plugin],
                ),
                {},
            )
        ]
        return CardView(card, self.program, True, accounts, units, offers, NextSale(), None, self.now)

    def _changes(self) -> Sequence[PublicChange]:
        return (
            PublicChange(self.now + timedelta(days=20), "Stamps", "Two stamps on rainy days.", is_planned=True),
            PublicChange(self.now + timedelta(days=10), "Stamps", "", is_withdrawn=True),
            PublicChange(self.now - timedelta(days=30), "Stamps", ""),
        )

    def _visits(self) -> Sequence[HistoryEntry]:
        return [
            self._visit(number, unit, balance)
            for unit in self._units()[:1]
            for number, balance in enumerate((HAD, HAD - 1, HAD - 2))
        ]

    def _visit(self, number: int, unit: UnitView, balance: int) -> HistoryEntry:
        return HistoryEntry(
            id=UUID(int=10 + number),
            unit=unit.unit,
            kind="earn",
            occasion="purchase",
            amount=1,
            amount_text=unit.words.amount(1) if unit.words else "1",
            balance_after=balance,
            at=self.now - timedelta(days=2 * number),
            shop="",
            staff="",
            source="terminal",
            reason="",
            sale_id=None,
            undone=False,
            why=Why(unit.plugin, "per_visit", {}, _("An example.")),
        )


def example_shop(registry: PluginRegistry, theme: str, name: str) -> SampleShop:
    """A shop that needs no database: it has every plugin, with the settings that they begin with.

    Args:
        registry: the plugins.
        theme: that it wears.
        name: what it is called.
    """
    tenant = TenantSnapshot(
        id=UUID(int=1),
        slug="example",
        name=name,
        host="example.localhost",
        status="active",
        live_tenant_id=None,
        offering="example",
        enabled=registry.names,
        features=registry.names,
        limits={},
        theme=theme,
        branding=Branding(tagline=_("Coffee worth coming back for")),
        locales=("en",),
        default_locale="en",
        timezone="Europe/Luxembourg",
        currency="EUR",
        country="LU",
        revision=1,
    )
    program = ProgramInfo(UUID(int=2), _("Loyalty card"), "stamps", "active", tenant.timezone, tenant.currency)
    models = {plugin.name: plugin.settings_model for plugin in registry.plugins}
    settings = {plugin: model() for plugin, model in models.items() if model is not None}
    return SampleShop(tenant, program, registry, settings, datetime.now(UTC))
