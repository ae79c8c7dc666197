"""Every name of the brief has its place in docs/reference/names.md, and what stands there exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from regulars.domain.staff.permissions import PERMISSIONS
from regulars.domain.tenants.features import FEATURE_NAMES, LIMITS
from regulars.kernel.config import variables
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings.kinds import variable_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "names.md"
STORE, ADMIN, STOREFRONT = (f"/api/v1/{door}/loyalty" for door in ("store", "admin", "storefront"))
BRIEF = {
    "Features": [
        "loyalty_stamps",
        "loyalty_points",
        "loyalty_hybrid",
        "loyalty_cards",
        "loyalty_enrollment",
        "loyalty_staff_pins",
        "loyalty_anti_fraud",
        "loyalty_google_wallet",
        "loyalty_apple_wallet",
        "loyalty_stats",
        "loyalty_reports",
    ],
    "Permissions": [
        "loyalty.view_programs",
        "loyalty.manage_programs",
        "loyalty.view_rewards",
        "loyalty.manage_rewards",
    ],
    "Jobs": ["loyalty.sync_wallet_passes", "loyalty.expire_points"],
    "Variables": [
        "LOYALTY_DEFAULT_COOLDOWN_MINUTES",
        "LOYALTY_MAX_DAILY_STAMPS",
        "LOYALTY_PIN_MAX_FAILED_ATTEMPTS",
        "LOYALTY_PIN_LOCKOUT_MINUTES",
        "LOYALTY_DEFAULT_POINTS_PER_EURO",
        "LOYALTY_GOOGLE_ISSUER_ID",
        "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON",
        "LOYALTY_APPLE_PASS_TYPE_ID",
        "LOYALTY_APPLE_TEAM_ID",
        "LOYALTY_APPLE_CERT_PATH",
        "LOYALTY_APPLE_KEY_PATH",
        "LOYALTY_APPLE_KEY_PASSWORD",
        "LOYALTY_APPLE_WWDR_PATH",
    ],
    "Codes of the offerings": [
        "max_shops",
        "points_earning",
        "basic_promotions",
        "tiers",
        "custom_rewards",
        "api_access",
        "white_label",
        "analytics",
    ],
    "Paths of the API": [
        f"GET {STORE}/program",
        f"POST {STORE}/program",
        f"PATCH {STORE}/program",
        f"GET {STORE}/stats",
        f"GET {STORE}/cards",
        f"POST {STORE}/cards/enroll",
        f"POST {STORE}/stamp",
        f"POST {STORE}/stamp/redeem",
        f"POST {STORE}/points",
        f"POST {STORE}/points/redeem",
        f"* {STORE}/pins/*",
        f"GET {ADMIN}/programs",
        f"GET {ADMIN}/programs/{{id}}",
        f"GET {ADMIN}/stats",
        f"GET {STOREFRONT}/card",
        f"GET {STOREFRONT}/transactions",
        f"POST {STOREFRONT}/enroll",
    ],
    "Pages": [
        "/store/loyalty",
        "/store/loyalty/settings",
        "/store/loyalty/terminal",
        "/store/loyalty/pins",
        "/store/loyalty/cards",
        "/admin/loyalty",
    ],
    "Entities": [
        "LoyaltyProgram",
        "LoyaltyCard",
        "LoyaltyTransaction",
        "StaffPin",
        "MerchantLoyaltySettings",
        "AppleDeviceRegistration",
    ],
    "Events of webhooks": [
        "transaction_created",
        "points_earned",
        "points_redeemed",
        "points_adjusted",
        "member_created",
        "member_updated",
        "member_deleted",
        "tier_changed",
        "reward_redeemed",
        "reward_created",
        "reward_updated",
        "reward_deleted",
        "campaign_started",
        "campaign_ended",
        "campaign_updated",
    ],
}
"""The names of the brief, written down from it; what it calls `LOYALTY_APPLE_*` is named one by one."""


def told() -> dict[str, dict[str, str]]:
    """Heading → the brief's name → what the page says."""
    parts = PAGE.read_text("utf-8").split("\n## ")[1:]
    return {
        part.partition("\n")[0]: dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", part, re.MULTILINE)) for part in parts
    }


@pytest.mark.parametrize("heading", BRIEF)
def test_every_name_of_the_brief_is_told(heading: str) -> None:
    assert sorted(told()[heading]) == sorted(BRIEF[heading])


def ours(heading: str) -> set[str]:
    """What the page says exists already."""
    return {
        name
        for text in told()[heading].values()
        if not text.startswith("later")
        for name in re.findall("`(.+?)`", text)
    }


def test_what_is_not_later_exists(registry: PluginRegistry) -> None:
    features = FEATURE_NAMES | set(registry.features)
    assert ours("Features") <= features
    assert ours("Permissions") <= set(PERMISSIONS) | set(registry.permissions)
    fields = [
        info
        for plugin in registry.plugins
        if plugin.settings_model is not None
        for info in plugin.settings_model.model_fields.values()
    ]
    known = {one.name for one in variables().values()} | {name for info in fields for name in variable_names(info)}
    assert ours("Variables") <= known


def test_what_is_later_does_not_exist_yet(registry: PluginRegistry) -> None:
    later = {name for heading in told().values() for text in heading.values() for name in plugins_of(text)}
    assert later & registry.names == set(), "these plugins are there now: take their names out of docs/names.toml"


def plugins_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.partition("later: ")[2])


def test_codes_of_offerings_are_ours(registry: PluginRegistry) -> None:
    known = FEATURE_NAMES | set(registry.features) | {one.name for one in LIMITS}
    later = {"promotions.basic", "tiers"}
    assert ours("Codes of the offerings") <= known | later


def test_paths_of_the_brief_answer() -> None:
    here = re.findall(r"^\| `(\w+ /api/[^`]+)` \|", PAGE.with_name("api.md").read_text("utf-8"), re.MULTILINE)
    same = [name for name, text in told()["Paths of the API"].items() if text == "the same"]
    assert [name for name in same if not any(pattern(name).fullmatch(path) for path in here)] == []


def pattern(name: str) -> re.Pattern[str]:
    """`* …/pins/*` stands for every method and everything below, `{id}` for any name of a parameter."""
    method, _, path = name.partition(" ")
    below = r"(/.*)?" if path.endswith("/*") else ""
    places = re.escape(path.removesuffix("/*")).replace(r"\{id\}", r"\{\w+\}")
    return re.compile(("[A-Z]+" if method == "*" else method) + " " + places + below)
