"""The menu of the till."""

from __future__ import annotations

from typing import Literal

from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.navigation import Frame, Navigation

START, ENROL, PLACE, SIGN_OUT = "/terminal", "/terminal/enrol", "/terminal/place", "/terminal/sign-out"
MANAGE_HOME = "/manage"


def navigation(frame: Frame) -> Navigation:
    """What this person may do at this device."""
    who = frame.principal
    if who.kind != "staff":
        return Navigation(home_url=START)
    links: list[Link | Literal["-"]] = []
    if who.may("members.enrol"):
        links.append(Link(label=_("Enrol a customer"), url=ENROL, icon="user-plus"))
    links.append(Link(label=_("Change shop"), url=PLACE, icon="store"))
    if who.may("dashboard.view"):
        links.append(Link(label=_("Dashboard and settings"), url=MANAGE_HOME, icon="layout-dashboard"))
    links += ["-", Link(label=_("Sign this device out"), url=SIGN_OUT, icon="log-out", post=True)]
    return Navigation(home_url=START, account=links)
