"""The composition root of the web: makes every part of a process and puts routes and pipeline together."""

from __future__ import annotations

import gc
import os
from datetime import timedelta
from functools import partial

import structlog
from quart import Blueprint

from regulars.contracts.errors import ConfigurationError, Unavailable
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
from regulars.domain.staff.pins import PinPolicy
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.features import FEATURES
from regulars.domain.tenants.repository import fetch_snapshot, fetch_snapshot_by_id
from regulars.domain.transfers.service import Transfers
from regulars.domain.wallets.desk import Wallets
from regulars.domain.wallets.faces import Faces
from regulars.domain.wallets.passes import WalletPasses
from regulars.kernel.config import Config, load_config
from regulars.kernel.db.clock import refuse_shifted_clock
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder, SnapshotCache, TenantListener
from regulars.kernel.hook_tokens import HookTokens
from regulars.kernel.i18n import Catalogues, Phrasebook, install
from regulars.kernel.live import Announcer, Hub, Limits, LiveListener
from regulars.kernel.observability import configure_logging
from regulars.kernel.observability.reports import report_errors
from regulars.kernel.observability.watchdog import Watchdog
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.presentation import Breaker, Presenter
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.plugins.targets import resolve
from regulars.kernel.ratelimit import Pace, RateLimiter
from regulars.kernel.redis import TenantRedis
from regulars.kernel.settings import SettingsStore
from regulars.web import api, console, manage, portal, site, terminal
from regulars.web.areas import CONSOLE, MANAGE, PLUGIN_AREAS, PORTAL, SITE, TERMINAL, plugin_blueprint
from regulars.web.ask import register_ask
from regulars.web.assets import register_static
from regulars.web.failures import register_failures
from regulars.web.health import register_health
from regulars.web.language import register_language
from regulars.web.measures import measure
from regulars.web.navigation import Navigations
from regulars.web.pipeline import register_pipeline
from regulars.web.rendering import make_assets, make_templates, make_themes, translations
from regulars.web.request import RegularsApp
from regulars.web.services import EXTENSION, Services, services_of
from regulars.web.stopping import Stopping

log = structlog.get_logger(__name__)
_NEW_OBJECTS = 10_000
"""So many more than before make the garbage collector look at the youngest: those of some requests, not of one."""

PAGES = ((SITE, site), (CONSOLE, console), (PORTAL, portal), (TERMINAL, terminal), (MANAGE, manage))
"""The areas with pages of the host, each with the package that has its `blueprint` and `navigation`."""

_BODY_SECONDS = 15
_FORM_MEMORY = 512 * 1024


def create_app(config: Config, *, registry: PluginRegistry | None = None, hub: Hub | None = None) -> RegularsApp:
    """Make the web application of one process. It connects to nothing before its first request.

    Args:
        config: the configuration.
        registry: the plugins, loaded here when not given.
        hub: the open pages, with other limits than the usual ones.

    Raises:
        ConfigurationError, PluginLoadError: the installation is set up wrongly, one line per fault.
    """
    app = RegularsApp(config)
    app.config.update(BODY_TIMEOUT=_BODY_SECONDS, MAX_FORM_MEMORY_SIZE=_FORM_MEMORY, PROPAGATE_EXCEPTIONS=False)
    services = make_services(config, registry or _load_plugins(config), hub)
    app.extensions[EXTENSION] = services
    register_pipeline(app)
    register_failures(app)
    register_health(app)
    register_ask(app)
    register_static(app)
    register_language(app)
    api.register(app, services.plugins)
    _mount_areas(app, services)
    _mount_plugins(app, services.plugins)
    _manage_lifetime(app, services)
    return app


def create_from_environment() -> RegularsApp:
    """The application of a server's process, configured by its environment."""
    config = load_config(dict(os.environ))
    configure_logging(config.log_level, json_lines=config.log_json)
    report_errors(config)
    app = create_app(config)

    def begin() -> None:
        app.stopping = True

    hub = services_of(app).hub
    app.before_serving(Stopping(config.port, config.drain_seconds, at_begin=begin, at_end=hub.close).install)
    app.before_serving(_settle)
    return app


async def _settle() -> None:
    """Tell the garbage collector that what the start has made stays: going through it again holds up all requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


def make_services(config: Config, registry: PluginRegistry, hub: Hub | None = None) -> Services:
    """Make the parts of a process.

    Args:
        config: the configuration.
        registry: the plugins.
        hub: the open pages, made here when not given.
    """
    redis = TenantRedis(config.redis_url)
    announcer, hub = Announcer(redis), hub or Hub(Limits.of(config.live_connections))
    database = Database(config, announcer.announce)
    themes = make_themes(config)
    assets = make_assets(registry, themes)
    settings, programs = SettingsStore(registry, config.setting_default, config.encryption_key), ProgramCache()
    policy = PinPolicy(config.pin_max_failed_attempts, timedelta(minutes=config.pin_lockout_minutes))
    rules = RuleBook(programs, settings)
    ledger = Ledger(registry, rules, policy, config.pin_pepper.encode())
    templates = make_templates(config, registry, themes, assets)
    words = translations(registry, themes)
    install(Catalogues(words))
    snapshots = SnapshotCache(
        partial(fetch_snapshot, database),
        partial(fetch_snapshot_by_id, database),
        SnapshotBuilder(registry, (feature.name for feature in FEATURES)),
    )
    return Services(
        config=config,
        database=database,
        redis=redis,
        plugins=registry,
        snapshots=snapshots,
        listener=TenantListener(config.database_url_app, snapshots),
        hook_tokens=HookTokens(config.encryption_key),
        announcer=announcer,
        hub=hub,
        live_listener=LiveListener(redis, hub),
        settings=settings,
        programs=programs,
        templates=templates,
        assets=assets,
        presenter=Presenter(Breaker()),
        limiter=RateLimiter(redis),
        navigations=Navigations(),
        phrasebook=Phrasebook(words),
        catalogue=Catalogue.of(registry),
        office=PostOffice(config, templates),
        domains=DomainDesk(config, database),
        rules=rules,
        ledger=ledger,
        card_views=CardViews(ledger),
        sales=Sales(ledger),
        redemptions=Redemptions(ledger),
        several_rewards=SeveralRewards(ledger),
        refunds=Refunds(ledger),
        adjustments=Adjustments(ledger),
        awards=Awards(ledger),
        transfers=Transfers(ledger),
        bills=Bills(ledger),
        shop_bills=ShopBills(ledger),
        receipts=Receipts(ledger),
        merges=Merges(ledger),
        enrolments=Enrolments(ledger),
        wallets=Wallets(registry, settings, config, Pace(redis)),
        wallet_passes=WalletPasses(Faces(ledger, config)),
    )


def _load_plugins(config: Config) -> PluginRegistry:
    return load_plugins(allowed=config.plugins, blocked=config.plugin_blocklist, policy=config.plugin_errors)


def _mount_areas(app: RegularsApp, services: Services) -> None:
    """Mount the host's own pages."""
    for area, package in PAGES:
        app.register_blueprint(package.blueprint, url_prefix=area.prefix or None, subdomain=area.host)
        services.navigations.makers[area.name] = package.navigation


def _mount_plugins(app: RegularsApp, registry: PluginRegistry) -> None:
    """Mount the blueprints of plugins below prefixes that they do not choose."""
    for plugin, reference in registry.blueprints:
        blueprint = resolve(reference.target)
        if not isinstance(blueprint, Blueprint):
            raise ConfigurationError(f"plugin {plugin}: {reference.target} is no blueprint")
        area = PLUGIN_AREAS[reference.area]
        app.register_blueprint(
            blueprint,
            name=plugin_blueprint(plugin, area),
            url_prefix=area.plugin_prefix.format(plugin=plugin),
            subdomain=area.host,
        )


def _manage_lifetime(app: RegularsApp, services: Services) -> None:
    watchdog = Watchdog(lambda: "stopping" if app.stopping else "web", partial(measure, app))

    @app.before_serving
    async def start() -> None:
        await _refuse_shifted_clock(services)
        watchdog.start()
        services.listener.start()
        services.announcer.start()
        services.live_listener.start()

    @app.after_serving
    async def stop() -> None:
        await watchdog.stop()
        services.hub.close()
        await services.live_listener.stop()
        await services.announcer.stop()
        await services.listener.stop()
        await services.redis.close()
        await services.database.close()


async def _refuse_shifted_clock(services: Services) -> None:
    """A production process does not start with a clock that goes wrong; without a database readiness tells later."""
    try:
        async with services.database.app_connection() as connection:
            await refuse_shifted_clock(connection, services.config.env)
    except Unavailable:
        log.warning("started_without_database")
