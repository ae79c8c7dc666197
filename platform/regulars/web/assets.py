"""Static files: the front-end build, files of plugins and themes, a tenant's brand and logo."""

from __future__ import annotations

import asyncio
import mimetypes
import zlib
from pathlib import Path

from quart import Response

from regulars.contracts.context import TenantSnapshot
from regulars.contracts.errors import NotFound
from regulars.domain.tenants.logos import tenant_folder
from regulars.domain.tenants.looks import Look, look_of
from regulars.kernel.templating.assets import PREFIX
from regulars.kernel.templating.theme_settings import tenant_css
from regulars.web.hosts import HOST_KINDS
from regulars.web.request import RegularsApp, current_request
from regulars.web.services import services

ASSETS_PREFIX = f"{PREFIX}/"
PLUGIN_ASSETS_PREFIX = f"{PREFIX}/p/"
TENANT_ASSETS_PREFIX = f"{PREFIX}/tenant/"
BRAND_CSS = "/brand.css"
_FOR_EVER = "public, max-age=31536000, immutable"
_A_DAY = "public, max-age=86400"
_TYPES = {
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".webp": "image/webp",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
}
_LOCKED_IN = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Policy of files that a merchant brought: opened by themselves they can do nothing."""
_TEXT = frozenset({".css", ".js", ".txt", ".json", ".svg"})
"""Kinds that are sent with their character set."""


def register_static(app: RegularsApp) -> None:
    """Add the routes of static files; those of the build answer on every host."""
    for kind in HOST_KINDS:
        app.add_url_rule(f"{ASSETS_PREFIX}<path:path>", "assets", _asset, subdomain=kind)
    app.add_url_rule(f"{TENANT_ASSETS_PREFIX}<path:path>", "tenant_asset", _tenant_asset, subdomain="tenant")
    app.add_url_rule(BRAND_CSS, "brand_css", _brand_css, subdomain="tenant")


def is_public(path: str) -> bool:
    """Whether a file may be seen even while its tenant is suspended: whatever the notice of that needs."""
    return path.startswith(ASSETS_PREFIX) or path == BRAND_CSS


def brand_css_url(tenant: TenantSnapshot) -> str:
    """Address of a tenant's style sheet; it changes with the tenant."""
    return f"{BRAND_CSS}?v={tenant.revision}"


def tenant_asset_url(tenant: TenantSnapshot, name: str) -> str:
    """Address of a tenant's own file, such as its logo; it changes with the tenant."""
    return f"{TENANT_ASSETS_PREFIX}{name}?v={tenant.revision}"


async def _asset(path: str) -> Response:
    """A file of the build, a plugin or a theme; its name changes with its content."""
    file = services().assets.find(path)
    if file is None:
        raise NotFound
    return await _send(file, _FOR_EVER)


async def _tenant_asset(path: str) -> Response:
    """A file of the tenant whose host this is."""
    tenant = current_request().visit.tenant
    file = tenant_file(services().config.data_dir, tenant, path) if tenant else None
    if file is None:
        raise NotFound
    response = await _send(file, _FOR_EVER if "v" in current_request().args else _A_DAY)
    response.headers["Content-Security-Policy"] = _LOCKED_IN
    return response


def tenant_file(data_dir: Path, tenant: TenantSnapshot, path: str) -> Path | None:
    """A file in a tenant's own folder.

    Args:
        data_dir: of the installation.
        tenant: whose folder; no path leads out of it.
        path: as it came.

    Returns:
        The file, `None` when there is none.
    """
    folder = tenant_folder(data_dir, tenant.id).resolve()
    try:
        file = (folder / path).resolve()
    except (OSError, ValueError):
        return None
    return file if file.is_relative_to(folder) and file.is_file() else None


async def _brand_css() -> Response:
    """The tenant's brand as CSS custom properties."""
    tenant = current_request().visit.tenant
    assert tenant is not None
    response = style_sheet(look_of(services().templates.themes, tenant))
    response.headers["Cache-Control"] = _FOR_EVER if "v" in current_request().args else _A_DAY
    return response


def style_sheet(look: Look) -> Response:
    """A look as CSS custom properties."""
    return Response(tenant_css(look.fields, look.values), content_type="text/css; charset=utf-8")


async def _send(file: Path, caching: str) -> Response:
    try:
        content = await asyncio.to_thread(file.read_bytes)
    except FileNotFoundError:  # a newer build has replaced it while this process still knows the older one
        raise NotFound from None
    kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    suffix = "; charset=utf-8" if file.suffix in _TEXT else ""
    response = Response(content, content_type=f"{kind}{suffix}")
    response.headers["Cache-Control"] = caching
    response.set_etag(f"{zlib.crc32(content):08x}-{len(content):x}")
    return await response.make_conditional(current_request())
