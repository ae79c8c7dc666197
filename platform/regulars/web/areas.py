"""The areas of the web, each with its audience: which kind of host it answers on and below which path.

Routes are registered for one kind of host only, so an area's address on another host is unknown there, whatever the
method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from regulars.contracts import manifest
from regulars.web.hosts import HostKind

Audience = Literal["member", "staff", "operator"]
API_PREFIX = "/api/"
API_DOCUMENT = "/api/openapi.json"
STORE_API = "/api/v1/store/loyalty"
STOREFRONT_API = "/api/v1/storefront/loyalty"
ADMIN_API = "/api/v1/admin/loyalty"


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the web.

    Attributes:
        name: also the name of the host's blueprint.
        host: kind of host that it answers on.
        prefix: path, empty for the root of the host.
        audience: who signs in there.
        plugin_prefix: path below which plugins have their own views, `{plugin}` being the name; empty for none.
        log_in: path of the log-in page, empty when there is none.
    """

    name: str
    host: HostKind
    prefix: str
    audience: Audience | None
    plugin_prefix: str = ""
    log_in: str = ""


SITE = Area("site", "bare", "", None)
CONSOLE = Area("console", "console", "", "operator", log_in="/log-in")
TERMINAL = Area("terminal", "tenant", "/terminal", "staff", "/terminal/p/{plugin}", "/manage/log-in")
MANAGE = Area("manage", "tenant", "/manage", "staff", "/manage/p/{plugin}", "/manage/log-in")
PORTAL = Area("portal", "tenant", "", "member", "/p/{plugin}", "/")
STORE = Area("store_api", "tenant", STORE_API, "staff", f"{STORE_API}/{{plugin}}")
STOREFRONT = Area("storefront_api", "tenant", STOREFRONT_API, "member", f"{STOREFRONT_API}/{{plugin}}")
ADMIN = Area("admin_api", "console", ADMIN_API, "operator")
HOOKS = Area("hooks", "bare", "/hooks", None, "/hooks/{plugin}/<token>")
"""For the services of others, which call plugins: the token names the tenant, see `kernel.hook_tokens`."""

AREAS = (STORE, STOREFRONT, ADMIN, TERMINAL, MANAGE, PORTAL, HOOKS, SITE, CONSOLE)
"""More specific prefixes first."""

PLUGIN_AREAS: dict[manifest.Area, Area] = {
    "portal": PORTAL,
    "terminal": TERMINAL,
    "manage": MANAGE,
    "store_api": STORE,
    "storefront_api": STOREFRONT,
    "hooks": HOOKS,
}


FEATURE_OF_PATHS = {
    "/join": "enrolment",
    "/terminal/enrol": "enrolment",
    "/card": "cards",
    "/c": "cards",
}
"""Pages that are there only with a feature of the host; the merchant's pages and the API name theirs themselves."""


def is_themed(area: Area) -> bool:
    """Whether an area's pages wear the tenant's theme: those of customers do; staff and merchants work with ours."""
    return area is PORTAL


def feature_of(path: str) -> str | None:
    """The host's feature without which an address of a tenant's host does not exist, `None` when there is none."""
    return next(
        (name for start, name in FEATURE_OF_PATHS.items() if path == start or path.startswith(f"{start}/")), None
    )


def area_of(host: HostKind, path: str) -> Area:
    """The area that a path of a kind of host belongs to; every host has one at its root."""
    return next(
        area for area in AREAS if area.host == host and (path == area.prefix or path.startswith(f"{area.prefix}/"))
    )


def is_hook(host: HostKind, path: str) -> bool:
    """Whether an address is one that the services of others call: machines without cookies, who read no pages."""
    return host == HOOKS.host and path.startswith(f"{HOOKS.prefix}/")


def language_url(area: Area) -> str:
    """Where the language switch of an area with pages is sent."""
    return f"{area.prefix}/language"


def plugin_blueprint(plugin: str, area: Area) -> str:
    """Name of a plugin's blueprint in an area: the first part of its endpoints."""
    return f"{plugin}_{area.name}"
