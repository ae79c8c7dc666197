"""Everything that a process of the web needs, collected once at start."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Quart, current_app

from regulars.domain.adjustments.service import Adjustments
from regulars.domain.awards.service import Awards
from regulars.domain.bills.service import Bills
from regulars.domain.bills.shops import ShopBills
from regulars.domain.cards.enrolment import Enrolments
from regulars.domain.cards.view import CardViews
from regulars.domain.domains.desk import DomainDesk
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.rulebook import RuleBook
from regulars.domain.merges.service import Merges
from regulars.domain.messaging.office import PostOffice
from regulars.domain.programs.cache import ProgramCache
from regulars.domain.receipts.service import Receipts
from regulars.domain.redemptions.service import Redemptions
from regulars.domain.redemptions.several import SeveralRewards
from regulars.domain.refunds.service import Refunds
from regulars.domain.sales.service import Sales
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.transfers.service import Transfers
from regulars.domain.wallets.desk import Wallets
from regulars.domain.wallets.passes import WalletPasses
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotCache, TenantListener
from regulars.kernel.hook_tokens import HookTokens
from regulars.kernel.i18n import Phrasebook
from regulars.kernel.live import Announcer, Hub, LiveListener
from regulars.kernel.plugins.presentation import Presenter
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.ratelimit import RateLimiter
from regulars.kernel.redis import TenantRedis
from regulars.kernel.settings import SettingsStore
from regulars.kernel.templating.assets import Assets
from regulars.kernel.templating.engine import TemplateEngine
from regulars.web.navigation import Navigations

EXTENSION = "regulars"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one process; views reach them through their `Work`."""

    config: Config
    database: Database
    redis: TenantRedis
    plugins: PluginRegistry
    snapshots: SnapshotCache
    listener: TenantListener
    hook_tokens: HookTokens
    announcer: Announcer
    hub: Hub
    live_listener: LiveListener
    settings: SettingsStore
    programs: ProgramCache
    templates: TemplateEngine
    assets: Assets
    presenter: Presenter
    limiter: RateLimiter
    navigations: Navigations
    phrasebook: Phrasebook
    catalogue: Catalogue
    office: PostOffice
    domains: DomainDesk
    rules: RuleBook
    ledger: Ledger
    card_views: CardViews
    sales: Sales
    redemptions: Redemptions
    several_rewards: SeveralRewards
    refunds: Refunds
    adjustments: Adjustments
    awards: Awards
    transfers: Transfers
    bills: Bills
    shop_bills: ShopBills
    receipts: Receipts
    merges: Merges
    enrolments: Enrolments
    wallets: Wallets
    wallet_passes: WalletPasses


def services() -> Services:
    """The services of the application that is answering."""
    return services_of(current_app)


def services_of(app: Quart) -> Services:
    """The services of an application."""
    found = app.extensions[EXTENSION]
    assert isinstance(found, Services)
    return found
