"""The console's side bar."""

from __future__ import annotations

from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.navigation import Frame, Navigation


def navigation(frame: Frame) -> Navigation:
    """The navigation of the console; nothing for whoever is not signed in."""
    if frame.principal.kind != "operator":
        return Navigation(home_url="/")
    platform, operations = _("Platform"), _("Operations")
    entries = (
        (_("Overview"), "/", "layout-dashboard", ""),
        (_("Merchants"), "/tenants", "store", platform),
        (_("Offerings"), "/offerings", "package", platform),
        (_("Extensions"), "/plugins", "blocks", platform),
        (_("Jobs"), "/jobs", "list-checks", operations),
        (_("Mailbox"), "/mail", "mail", operations),
        (_("Audit log"), "/audit", "scroll-text", operations),
        (_("Configuration"), "/settings", "sliders-horizontal", operations),
        (_("Operators"), "/operators", "id-card", operations),
    )
    return Navigation(
        home_url="/",
        nav=[
            Link(label=label, url=url, icon=icon, active=_is_at(frame.path, url), group=group)
            for label, url, icon, group in entries
        ],
        account=[Link(label=_("Sign out"), url="/log-out", icon="log-out", post=True)],
        search_url="/tenants",
    )


def _is_at(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(f"{url}/"))
