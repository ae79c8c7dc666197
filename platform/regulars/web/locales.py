"""Which language a visitor reads."""

from __future__ import annotations

from collections.abc import Sequence

from regulars.contracts.context import Principal, TenantSnapshot
from regulars.kernel.config import Config
from regulars.kernel.i18n import LANGUAGES, negotiate, use_locale
from regulars.web.cookies import LOCALE, read_cookie
from regulars.web.request import Asked

LOCALE_PARAMETER = "lang"
"""Query parameter that shows a page in a language, for links on posters; the device remembers it, see `set_cookie`."""


def locales_of(tenant: TenantSnapshot | None) -> Sequence[str]:
    """Languages of a tenant's pages, or of the platform's own for `None`."""
    return tenant.locales if tenant else LANGUAGES


def speak(request: Asked, tenant: TenantSnapshot | None, config: Config, own: str = "") -> None:
    """Answer a request in its reader's language.

    In this order: what the address asks for, the person's own, what was chosen on this device, what the browser asks
    for, the tenant's default.

    Args:
        request: with its cookies and headers.
        tenant: whose page it is, `None` on the platform's own.
        config: for the cookie's name.
        own: the language of the person who is signed in, empty for none.
    """
    supported = locales_of(tenant)
    wanted = (request.args.get(LOCALE_PARAMETER, ""), own, read_cookie(request, LOCALE, config) or "")
    browser = request.headers.get("Accept-Language", "")
    locale = negotiate(wanted, browser, tenant.default_locale if tenant else supported[0], supported)
    request.visit.locale = locale
    speaking = use_locale(locale, tenant.timezone, tenant.wording.get(locale, {})) if tenant else use_locale(locale)
    request.visit.scope.enter_context(speaking)


def speak_to(request: Asked, who: Principal, config: Config) -> None:
    """Go on in the language of whoever turned out to be signed in.

    Args:
        request: already answered in the visitor's language.
        who: is signed in, or nobody.
        config: for the cookie's name.
    """
    if who.locale and who.locale != request.visit.locale:
        speak(request, request.visit.tenant, config, who.locale)
