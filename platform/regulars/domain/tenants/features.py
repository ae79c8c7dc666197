"""What the host itself lets an offering switch, and the codes by which the brief names it.

Plugins bring their own names (the plugin and its flags); offerings list both kinds side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from regulars.contracts.i18n import N_


@dataclass(frozen=True, slots=True)
class HostFeature:
    """A feature of the host.

    Attributes:
        name: as offerings list it.
        title: for people.
        alias: code of the brief, where it has another one.
    """

    name: str
    title: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class HostLimit:
    """A limit of the host; an offering that does not name it allows none."""

    name: str
    title: str
    alias: str = ""


FEATURES = (
    HostFeature("cards", N_("Loyalty cards"), "loyalty_cards"),
    HostFeature("enrolment", N_("Enrolment of customers"), "loyalty_enrollment"),
    HostFeature("staff_pins", N_("Staff PINs"), "loyalty_staff_pins"),
    HostFeature("stats", N_("Dashboard with figures"), "loyalty_stats"),
    HostFeature("sandbox", N_("Sandbox for tests")),
    HostFeature("households", N_("Households with a shared balance")),
    HostFeature("hybrid", N_("Stamps and points on one card"), "loyalty_hybrid"),
    HostFeature("reports", N_("Reports"), "loyalty_reports"),
    HostFeature("analytics.basic", N_("Analytics: basic")),
    HostFeature("analytics.advanced", N_("Analytics: advanced")),
    HostFeature("analytics.full", N_("Analytics: full")),
    HostFeature("api_access", N_("API access")),
    HostFeature("webhooks", N_("Webhooks")),
    HostFeature("custom_domain", N_("Own domain")),
    HostFeature("white_label", N_("Without the platform's brand")),
    HostFeature("sso", N_("Single sign-on")),
    HostFeature("dedicated_support", N_("Dedicated support")),
)
FEATURE_NAMES = frozenset(feature.name for feature in FEATURES)
LIMITS = (
    HostLimit("shops", N_("Shops"), "max_shops"),
    HostLimit("programs", N_("Programs")),
    HostLimit("connectors", N_("Connected shop systems")),
)
GRADES = (
    ("analytics.basic", "analytics.advanced", "analytics.full"),
    ("promotions.basic", "promotions.advanced"),
)
"""Graded features, lowest first: having one means having those before it."""

OFFERING_CODES = {
    "max_shops": "shops",
    "points_earning": "points",
    "basic_promotions": "promotions.basic",
    "tiers": "tiers",
    "custom_rewards": "rewards",
    "api_access": "api_access",
    "white_label": "white_label",
}
"""Codes of the brief's offering matrix → names of ours (its `analytics` is the highest grade)."""


def with_lower_grades(names: Iterable[str]) -> set[str]:
    """Add to features the grades that they include.

    Args:
        names: features.

    Returns:
        The same and, for each graded one, those below it.
    """
    found = set(names)
    for grades in GRADES:
        for position, name in enumerate(grades):
            if name in found:
                found.update(grades[:position])
    return found


def with_higher_grades(name: str) -> tuple[str, ...]:
    """The feature and the grades above it: what must go when it goes."""
    for grades in GRADES:
        if name in grades:
            return grades[grades.index(name) :]
    return (name,)
