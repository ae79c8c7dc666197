"""What stands around a page, made from the request: brand, languages, navigation, messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from regulars.contracts.context import ANONYMOUS, Principal, TenantSnapshot
from regulars.kernel.config import Config
from regulars.kernel.i18n import language_name
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.templating.chrome import Chrome, Flash, Language, Link
from regulars.web.areas import Area
from regulars.web.locales import LOCALE_PARAMETER, PLATFORM_LOCALES
from regulars.web.static import brand_css_url, tenant_asset_url

PLATFORM_NAME = "Regulars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What an area's navigation is made from.

    Attributes:
        path: of the page, to mark where the reader is.
    """

    area: Area
    path: str
    tenant: TenantSnapshot | None
    principal: Principal
    registry: PluginRegistry
    config: Config
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigation:
    """The navigation of an area, see `Chrome` for its parts."""

    home_url: str = "/"
    nav: Sequence[Link] = ()
    account: Sequence[Link | Literal["-"]] = ()
    legal: Sequence[Link] = ()
    search_url: str = ""


NavigationMaker = Callable[[Frame], Navigation]


@dataclass(slots=True)
class Navigations:
    """The navigation of each area, by the area's name; areas without one have none."""

    makers: dict[str, NavigationMaker] = field(default_factory=dict)

    def of(self, frame: Frame) -> Navigation:
        """The navigation of a page."""
        make = self.makers.get(frame.area.name)
        return make(frame) if make else Navigation()


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
        user_role=frame.principal.role if signed_in else "",
        search_url=navigation.search_url,
        flashes=flashes,
        sandbox=tenant.is_sandbox if tenant else False,
        powered_by="" if tenant is None or tenant.has("white_label") else PLATFORM_NAME,
    )


def _languages(frame: Frame) -> Sequence[Language]:
    codes = frame.tenant.locales if frame.tenant else PLATFORM_LOCALES
    if len(codes) < 2:
        return ()
    return tuple(
        Language(code=code, name=language_name(code), url=f"{frame.path}?{LOCALE_PARAMETER}={code}", active=code == frame.locale)
        for code in codes
    )
