"""The JSON API: store, storefront and admin."""

from quart import Blueprint

from regulars.kernel.plugins.registry import PluginRegistry
from regulars.web.api import (
    adjustments,
    admin,
    bills,
    changes,
    customers,
    events,
    households,
    merges,
    pins,
    program,
    receipts,
    redemptions,
    refunds,
    shop_bills,
    storefront,
    till,
    transfers,
    trial,
)
from regulars.web.api.openapi import register_openapi
from regulars.web.areas import ADMIN, STORE, STOREFRONT
from regulars.web.request import RegularsApp


def register(app: RegularsApp, registry: PluginRegistry) -> None:
    """Add the routes of the API and its document.

    Args:
        app: the application.
        registry: with the units, whose paths are registered one by one.

    Raises:
        ConfigurationError: a provider's body has a field that belongs to the host.
    """
    store = Blueprint(STORE.name, __name__)
    program.add_routes(store)
    changes.add_routes(store)
    customers.add_routes(store)
    pins.add_routes(store)
    till.add_routes(store, registry)
    redemptions.add_routes(store)
    refunds.add_routes(store)
    adjustments.add_routes(store)
    events.add_routes(store)
    transfers.add_routes(store)
    bills.add_routes(store)
    shop_bills.add_routes(store)
    receipts.add_routes(store)
    merges.add_routes(store)
    households.add_routes(store)
    trial.add_routes(store)
    front = Blueprint(STOREFRONT.name, __name__)
    storefront.add_routes(front)
    platform = Blueprint(ADMIN.name, __name__)
    admin.add_routes(platform)
    for blueprint, area in ((store, STORE), (front, STOREFRONT), (platform, ADMIN)):
        app.register_blueprint(blueprint, url_prefix=area.prefix, subdomain=area.host)
    register_openapi(app)
