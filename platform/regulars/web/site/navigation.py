"""The links at the top of the platform's own pages."""

from __future__ import annotations

from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.navigation import Frame, Navigation

PROBLEMS = "/problems"


def navigation(frame: Frame) -> Navigation:
    """Sections of the landing page, and the reference for developers."""
    links = (
        Link(label=_("How it works"), url="/#how"),
        Link(label=_("Offerings"), url="/#offerings"),
        Link(label=_("For developers"), url=PROBLEMS, active=frame.path.startswith(PROBLEMS)),
    )
    return Navigation(nav=links, legal=(Link(label=_("Problem types"), url=PROBLEMS),))
