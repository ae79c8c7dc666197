"""Words of the console that several pages use."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from regulars.domain.programs.service import KINDS
from regulars.domain.tenants.console import Activity
from regulars.kernel import ids
from regulars.kernel.i18n import format_money, format_number
from regulars.kernel.i18n import gettext as _

Badge = tuple[str, str, str]
"""Text, tone and icon."""


def kind_title(kind: str) -> str:
    """A kind of program."""
    return _(KINDS[kind]) if kind in KINDS else kind


def activity_badge(activity: Activity) -> Badge:
    """How busy a merchant is."""
    badges: Mapping[Activity, Badge] = {
        "high": (_("High"), "success", "trending-up"),
        "medium": (_("Medium"), "info", "minus"),
        "low": (_("Low"), "", "trending-down"),
    }
    return badges[activity]


def state_badge(state: str) -> Badge:
    """How a merchant or program stands."""
    badges: Mapping[str, Badge] = {
        "active": (_("Active"), "success", "check"),
        "setup": (_("Setup"), "warning", "hammer"),
        "inactive": (_("Closed"), "", "circle-off"),
        "suspended": (_("Suspended"), "error", "octagon-pause"),
        "closed": (_("Closed for good"), "", "archive"),
    }
    return badges.get(state, (state, "", ""))


def limit_text(value: int | None) -> str:
    """A limit: a number, or unlimited."""
    return _("unlimited") if value is None else format_number(value)


def amounts(minor: Mapping[str, int]) -> str:
    """Amounts of several currencies, the largest first."""
    found = sorted(minor.items(), key=lambda item: -item[1]) or [("EUR", 0)]
    return " · ".join(format_money(amount, currency, compact=True) for currency, amount in found)


def tenant_url(tenant_id: UUID, path: str = "") -> str:
    """A merchant's page, or one below it."""
    return f"/tenants/{ids.show(ids.TENANT, tenant_id)}{path}"
