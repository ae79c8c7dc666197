"""What stands around a page, made from the request: brand, languages, navigation, messages."""

from __future__ import annotations

from collections.abc import Sequence

from regulars.contracts.context import ANONYMOUS
from regulars.contracts.i18n import N_
from regulars.domain.staff.permissions import ROLE_TITLES
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import language_name
from regulars.kernel.templating.chrome import Chrome, Flash, Language
from regulars.web.areas import language_url
from regulars.web.assets import brand_css_url, tenant_asset_url
from regulars.web.locales import locales_of
from regulars.web.navigation import Frame, Navigation

PLATFORM_NAME = "Regulars"


def make_chrome(frame: Frame, navigation: Navigation, flashes: Sequence[Flash]) -> Chrome:
    """Everything around a page.

    Args:
        frame: the page's surroundings.
        navigation: of its area.
        flashes: messages to show.
    """
    tenant = frame.tenant
    signed_in = frame.principal is not ANONYMOUS
    return Chrome(
        name=tenant.name if tenant else PLATFORM_NAME,
        locale=frame.locale,
        home_url=navigation.home_url,
        logo_url=tenant_asset_url(tenant, tenant.branding.logo) if tenant and tenant.branding.logo else "",
        brand_css_url=brand_css_url(tenant) if tenant else "",
        theme_color=tenant.branding.primary_color if tenant else "",
        languages=_languages(frame),
        nav=navigation.nav,
        account=navigation.account,
        legal=navigation.legal,
        user_name=frame.principal.name if signed_in else "",
        user_role=_role_title(frame.principal.role) if signed_in else "",
        search_url=navigation.search_url,
        flashes=flashes,
        sandbox=tenant.is_sandbox if tenant else False,
        powered_by="" if tenant is None or tenant.has("white_label") else PLATFORM_NAME,
    )


def _role_title(role: str) -> str:
    titles = {**{str(name): title for name, title in ROLE_TITLES.items()}, "operator": N_("Operator")}
    return _(titles[role]) if role in titles else ""


def _languages(frame: Frame) -> Sequence[Language]:
    codes, url = locales_of(frame.tenant), language_url(frame.area)
    if len(codes) < 2:
        return ()
    return tuple(
        Language(code=code, name=language_name(code), url=url, next=frame.here, active=code == frame.locale)
        for code in codes
    )
