"""The JSON API: store, storefront and admin."""

from regulars.kernel.plugins.registry import PluginRegistry
from regulars.web.request import RegularsApp


def register(app: RegularsApp, registry: PluginRegistry) -> None:
    """Add the routes of the API."""
