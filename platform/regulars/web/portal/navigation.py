"""The tab bar of the customer's pages."""

from __future__ import annotations

from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.navigation import Frame, Navigation

HOME, CARD, REWARDS, HISTORY, ACCOUNT = "/", "/card", "/rewards", "/card/history", "/account"
HOUSEHOLD, RECEIPTS = "/household", "/receipts"
JOIN, SIGN_IN, TERMS, PRIVACY = "/join", "/signin", "/terms", "/privacy"


def navigation(frame: Frame) -> Navigation:
    """Tabs for members; the small links at the foot for everybody."""
    signed_in = frame.principal.kind == "member"
    tabs = (
        (_("Card"), CARD, "wallet-cards"),
        (_("Rewards"), REWARDS, "gift"),
        (_("History"), HISTORY, "history"),
        (_("Account"), ACCOUNT, "user-round"),
    )
    return Navigation(
        home_url=CARD if signed_in else HOME,
        nav=[Link(label=label, url=url, icon=icon, active=frame.path == url) for label, url, icon in tabs]
        if signed_in
        else (),
        legal=(Link(label=_("Terms"), url=TERMS), Link(label=_("Privacy"), url=PRIVACY)),
    )
