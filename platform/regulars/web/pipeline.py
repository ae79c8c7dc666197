"""What every request passes before its view and every answer on its way out.

In this order: request id · visitor and kind of host · tenant · area and plugin · tenant's status · other sites.
Addresses of a disabled plugin are unknown before routing has its say, so that not even a wrong method discloses them.
What the services of others call on the platform's own host belongs to the tenant that its address names.
"""

from __future__ import annotations

from urllib.parse import quote

from quart import Response

from regulars.contracts.context import TenantSnapshot
from regulars.contracts.errors import MalformedRequest, NotFound, TenantUnavailable
from regulars.kernel.config import Config
from regulars.kernel.i18n import N_, gettext
from regulars.kernel.observability import log_context, new_request_id
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.web import ask
from regulars.web.access_log import record_request
from regulars.web.areas import (
    API_DOCUMENT,
    API_PREFIX,
    MANAGE,
    PLUGIN_AREAS,
    PORTAL,
    STORE_API,
    area_of,
    feature_of,
    is_hook,
)
from regulars.web.assets import ASSETS_PREFIX, PLUGIN_ASSETS_PREFIX, is_public
from regulars.web.compression import compress
from regulars.web.cookies import LOCALE, LOCALE_LIFETIME, drop_cookie, set_cookie
from regulars.web.headers import add_headers, add_language
from regulars.web.health import PATHS as HEALTH_PATHS
from regulars.web.locales import LOCALE_PARAMETER, speak
from regulars.web.origin import check_origin, check_socket_origin
from regulars.web.plugin_faults import note_quiet_faults
from regulars.web.request import Asked, RegularsApp, RegularsRequest, current_request, current_socket, serving_app
from regulars.web.services import Services, services

_SPOKEN = frozenset({"text/html", "text/csv", "application/json", "application/problem+json"})
"""Kinds of answers that are written in the reader's language."""
WAYS_TO_PROVE = (f"{MANAGE.prefix}/forgotten", f"{MANAGE.prefix}/password/")
"""Pages that stay open to the owner of a shop which pauses until the owner's address has proved right."""
OUTSIDE = HEALTH_PATHS | {ask.PATH}
"""For machines that look after the platform: no tenant, whatever the host."""


class UnknownHost(NotFound):
    """No shop and no part of the platform answers to this host name."""

    code = "unknown_host"
    title = N_("There is nothing at this address.")


def register_pipeline(app: RegularsApp) -> None:
    """Put the pipeline around all routes of the application."""
    app.before_request(_enter)
    app.after_request(_leave)
    app.before_websocket(_enter_socket)


async def _enter() -> Response | None:
    request = current_request()
    await _arrive(request)
    if request.path in OUTSIDE:
        return None
    if is_hook(request.visit.peer.kind, request.path):
        return None  # no cookie has a say there
    check_origin(request.method, request.headers, request.visit.peer.authority, services().config)
    tenant = request.visit.tenant
    return _send_on(request, tenant, services().config) if tenant is not None and tenant.moved else None


def _send_on(request: RegularsRequest, tenant: TenantSnapshot, config: Config) -> Response | None:
    """Send customers to the tenant's main host; staff, programs and what is being sent stay where they are."""
    is_page = area_of("tenant", request.path) is PORTAL and not request.path.startswith(API_PREFIX)
    if request.method not in {"GET", "HEAD"} or is_public(request.path) or not is_page:
        return None
    query = request.query_string.decode("latin-1")
    path = quote(request.path, safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")
    return Response(status=302, headers={"Location": config.url(tenant.host, path)})


async def _enter_socket() -> None:
    socket = current_socket()
    await _arrive(socket)
    check_socket_origin(socket.headers, socket.visit.peer.authority, services().config)


async def _arrive(request: Asked) -> None:
    visit, config = request.visit, services().config
    visit.request_id = visit.peer.request_id or new_request_id()
    visit.scope.enter_context(log_context(request_id=visit.request_id))
    if request.path in OUTSIDE:
        return
    if not visit.peer.host:
        raise MalformedRequest(gettext("The Host header is missing, doubled or no host name."))
    if visit.peer.kind == "tenant":
        visit.tenant = await services().snapshots.resolve(visit.peer.host)
        if visit.tenant is None:
            if request.path.startswith(f"{ASSETS_PREFIX}host/"):
                return
            speak(request, None, config)
            raise UnknownHost
        visit.scope.enter_context(log_context(tenant_id=visit.tenant.id))
    elif is_hook(visit.peer.kind, request.path):
        visit.tenant = await tenant_of_hook(request.path, services())
        visit.scope.enter_context(log_context(tenant_id=visit.tenant.id))
    speak(request, visit.tenant, config)
    if visit.tenant is not None and visit.peer.kind == "tenant":
        admit(request.path, visit.tenant, services().plugins)


def admit(path: str, tenant: TenantSnapshot, registry: PluginRegistry) -> None:
    """Refuse an address that a tenant has not, or has not now.

    Raises:
        NotFound: it belongs to a plugin or a feature that is off.
        TenantUnavailable: the tenant is suspended or closed.
    """
    plugin, feature = plugin_of_path(path, registry), feature_of(path)
    if (plugin is not None and plugin not in tenant.enabled) or (feature is not None and not tenant.has(feature)):
        raise NotFound
    if tenant.status != "active" and not (is_public(path) or path == API_DOCUMENT):
        if tenant.is_unproved and f"{path}/".startswith(f"{MANAGE.prefix}/"):
            if path.startswith(WAYS_TO_PROVE):
                return
            page = f"{tenant.host}{WAYS_TO_PROVE[0]}"
            raise TenantUnavailable(
                gettext(
                    "This shop pauses until its owner confirms the e-mail address. Get a new link at %(page)s.",
                    page=page,
                )
            )
        raise TenantUnavailable(gettext("Please ask the shop when it will be back."))


async def tenant_of_hook(path: str, parts: Services) -> TenantSnapshot:
    """The tenant that an address for the services of others names.

    Args:
        path: `/hooks/<plugin>/<token>/…`.
        parts: of this process.

    Raises:
        NotFound: there is none, or it is not open, or the plugin is off; which of them is not told.
    """
    _empty, _area, plugin, token, *_rest = [*path.split("/"), "", ""]
    tenant_id = parts.hook_tokens.read(plugin, token)
    tenant = await parts.snapshots.by_id(tenant_id) if tenant_id is not None else None
    if tenant is None or tenant.status != "active" or plugin not in tenant.enabled:
        raise NotFound
    return tenant


def plugin_of_path(path: str, registry: PluginRegistry) -> str | None:
    """The plugin that an address on a tenant's host belongs to.

    Args:
        path: decoded, exactly as routing sees it.
        registry: which plugins and unit paths there are.

    Returns:
        The plugin's name (for its static files: whether or not there is such a plugin), `None` when the address is the
        host's own or nobody's.
    """
    for area in (one for one in PLUGIN_AREAS.values() if one.host == "tenant"):
        name = _segment_below(area.plugin_prefix.removesuffix("{plugin}"), path)
        if name in registry.names:
            return name
    name = _segment_below(PLUGIN_ASSETS_PREFIX, path)
    if name:
        return name
    unit_path = _segment_below(f"{STORE_API}/", path)
    return registry.unit_by_path[unit_path][0] if unit_path in registry.unit_by_path else None


def _segment_below(prefix: str, path: str) -> str:
    return path[len(prefix) :].split("/", 1)[0] if path.startswith(prefix) else ""


async def _leave(response: Response) -> Response:
    """Complete the answer, and record that it was given."""
    request = current_request()
    visit, config = request.visit, services().config
    for name in visit.stale_cookies:
        drop_cookie(response, name, config)
    if request.args.get(LOCALE_PARAMETER) == visit.locale and not is_hook(visit.peer.kind, request.path):
        set_cookie(response, LOCALE, visit.locale, config, until=LOCALE_LIFETIME)
    await compress(request, response, config)
    add_headers(response.headers, visit.request_id, config)
    if response.mimetype in _SPOKEN:
        add_language(response.headers, visit.locale)
    await note_quiet_faults(services())
    if serving_app().stopping and request.http_version != "2":
        response.headers["Connection"] = "close"
    record_request(request, response)
    return response
