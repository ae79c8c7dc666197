"""The links at the top of the platform's own pages."""

from __future__ import annotations

from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.navigation import Frame, Navigation

PROBLEMS = "/problems"
SIGN_UP = "/sign-up"


def navigation(frame: Frame) -> Navigation:
    """Sections of the landing page, and the reference for developers."""
    links = (
        Link(label=_("How it works"), url="/#how"),
        Link(label=_("Offerings"), url="/#offerings"),
        Link(label=_("For developers"), url=PROBLEMS, active=frame.path.startswith(PROBLEMS)),
    )
    account = (Link(label=_("Sign up"), url=SIGN_UP),) if _offers_sign_up(frame) else ()
    legal = (Link(label=_("Terms for merchants"), url="/terms"), Link(label=_("Problem types"), url=PROBLEMS))
    return Navigation(nav=links, account=account, legal=legal)


def _offers_sign_up(frame: Frame) -> bool:
    """Not where the visitor signs up already."""
    return frame.config.signups_per_hour > 0 and not frame.path.startswith(SIGN_UP)
