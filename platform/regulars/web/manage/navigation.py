"""The side bar: what role and offering allow, with the entries that plugins bring."""

from __future__ import annotations

from collections.abc import Iterator

from quart import url_for

from regulars.domain.ledger.fellows import HOUSEHOLDS
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.areas import MANAGE
from regulars.web.navigation import Frame, Navigation
from regulars.web.work import Work

HOME = MANAGE.prefix
TERMINAL = "/terminal"


def navigation(frame: Frame) -> Navigation:
    """The navigation of the merchant's pages; nothing for whoever is not signed in."""
    if frame.principal.kind != "staff":
        return Navigation(home_url="/")
    return Navigation(
        home_url=HOME,
        nav=[*_daily(frame), *_program(frame), *_team(frame), *_settings(frame)],
        account=[
            Link(label=_("What customers see"), url="/", icon="external-link"),
            "-",
            Link(label=_("Sign out"), url=f"{HOME}/log-out", icon="log-out", post=True),
        ],
        search_url=f"{HOME}/members" if _may(frame, "members.view") else "",
    )


def first_page(work: Work) -> str | None:
    """The first page besides the home page that the reader may see, `None` when there is none."""
    visit = work.request.visit
    frame = Frame(
        area=MANAGE,
        path=HOME,
        tenant=work.ctx.tenant,
        principal=work.ctx.principal,
        registry=work.services.plugins,
        config=work.services.config,
        locale=visit.locale,
    )
    return next((link.url for link in navigation(frame).nav if link.url != HOME), None)


def _daily(frame: Frame) -> Iterator[Link]:
    if _may(frame, "dashboard.view") and _has(frame, "stats"):
        yield _link(frame, _("Dashboard"), "", "layout-dashboard")
    if _may(frame, "members.view"):
        yield _link(frame, _("Members"), "/members", "users")
        if _has(frame, HOUSEHOLDS):
            yield _link(frame, _("Households"), "/households", "house-heart")
        if _has_wallets(frame):
            yield _link(frame, _("Wallets"), "/wallets", "wallet-cards")
        yield _link(frame, _("Sales"), "/sales", "receipt")
    if _may(frame, "members.adjust"):
        yield _link(frame, _("Corrections"), "/corrections", "scale")
    if _may(frame, "rewards.manage"):
        yield _link(frame, _("Redemptions"), "/redemptions", "package")
    if _may(frame, "terminal.use"):
        yield Link(label=_("Terminal"), url=TERMINAL, icon="tablet-smartphone")


def _program(frame: Frame) -> Iterator[Link]:
    group = _("Program")
    if _may(frame, "programs.manage"):
        yield _link(frame, _("Program settings"), "/program", "stamp", group)
        if _has(frame, "enrolment"):
            yield _link(frame, _("Code for the counter"), "/counter-sheet", "qr-code", group)
    if _may(frame, "branding.manage"):
        yield _link(frame, _("Look"), "/look", "palette", group)
    assert frame.tenant is not None
    for plugin, entry in frame.registry.nav:
        if plugin in frame.tenant.enabled and _may(frame, entry.permission):
            url = url_for(f"{plugin}_{MANAGE.name}.{entry.endpoint}")
            yield Link(label=_(entry.title), url=url, icon=entry.icon, active=_is_at(frame, url), group=group)


def _team(frame: Frame) -> Iterator[Link]:
    group = _("Business")
    if _may(frame, "staff.view"):
        title = _("Staff and PINs") if _has(frame, "staff_pins") else _("Staff")
        yield _link(frame, title, "/staff", "id-card", group)
    if _may(frame, "shops.manage"):
        yield _link(frame, _("Shops"), "/shops", "store", group)


def _settings(frame: Frame) -> Iterator[Link]:
    group = _("Settings")
    if _may(frame, "branding.manage"):
        yield _link(frame, _("Languages"), "/languages", "languages", group)
    if _may(frame, "plugins.manage"):
        yield _link(frame, _("Extensions"), "/plugins", "blocks", group)
    if _may(frame, "apikeys.manage"):
        yield _link(frame, _("API keys"), "/api-keys", "key-round" if _has(frame, "api_access") else "lock", group)
    if _may(frame, "domains.manage"):
        yield _link(frame, _("Domains"), "/domains", "globe" if _has(frame, "custom_domain") else "lock", group)
    if _may(frame, "audit.view"):
        yield _link(frame, _("Audit log"), "/audit", "scroll-text", group)


def _link(frame: Frame, label: str, path: str, icon: str, group: str = "") -> Link:
    url = f"{HOME}{path}"
    return Link(label=label, url=url, icon=icon, active=_is_at(frame, url), group=group)


def _is_at(frame: Frame, url: str) -> bool:
    """Whether the page is this entry's or one below it; the home page is below nothing."""
    return frame.path == url or (url != HOME and frame.path.startswith(f"{url.rstrip('/')}/"))


def _may(frame: Frame, permission: str) -> bool:
    return frame.principal.may(permission)


def _has(frame: Frame, feature: str) -> bool:
    return frame.tenant is not None and frame.tenant.has(feature)


def _has_wallets(frame: Frame) -> bool:
    """Whether an extension that is in force puts cards into phones."""
    return frame.tenant is not None and any(
        plugin in frame.tenant.enabled for plugin, _provider in frame.registry.wallet_providers.values()
    )
