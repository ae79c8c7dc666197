"""Which language a visitor reads."""

from __future__ import annotations

from regulars.contracts.context import TenantSnapshot
from regulars.kernel.config import Config
from regulars.kernel.i18n import negotiate
from regulars.web.cookies import LOCALE, read_cookie
from regulars.web.request import Asked

PLATFORM_LOCALES = ("en",)
"""Languages of the platform's own pages."""
LOCALE_PARAMETER = "lang"
"""Query parameter by which a visitor changes the language; the choice is kept in a cookie."""


def choose_locale(request: Asked, tenant: TenantSnapshot | None, config: Config) -> str:
    """The visitor's own choice, else what the browser asks for, else the tenant's default.

    Args:
        request: with its cookies and headers.
        tenant: whose page it is, `None` on the platform's own.
        config: for the cookie's name.
    """
    supported = tenant.locales if tenant else PLATFORM_LOCALES
    default = tenant.default_locale if tenant else PLATFORM_LOCALES[0]
    chosen = request.args.get(LOCALE_PARAMETER) or read_cookie(request, LOCALE, config) or ""
    return negotiate(chosen, request.headers.get("Accept-Language", ""), default, supported)
