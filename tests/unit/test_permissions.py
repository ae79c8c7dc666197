"""Roles, permissions and the check before every service."""

from __future__ import annotations

import pytest

from regulars.contracts.context import ANONYMOUS, Context, Principal
from regulars.contracts.errors import Forbidden, Unauthenticated
from regulars.contracts.manifest import Permission
from regulars.domain.staff.permissions import ALIASES, PERMISSIONS, outranks, permissions_of, require
from regulars.testing.contexts import tenant_snapshot

PLUGINS = {
    "stamps.manage": Permission("manage", "Manage"),
    "stamps.give": Permission("give", "Give", roles=("manager", "staff")),
    "stamps.erase": Permission("erase", "Erase", roles=()),
}
TILL = {
    "programs.view", "rewards.view", "terminal.use", "sales.record", "sales.redeem", "sales.undo", "members.enrol",
}  # fmt: skip


def context(role: str, *, kind: str = "staff", permissions: frozenset[str] | None = None) -> Context:
    held = permissions_of(role, PLUGINS) if permissions is None else permissions
    return Context(tenant_snapshot(), Principal(kind, None, "Anna", role, held))  # type: ignore[arg-type]


def test_owners_hold_everything():
    assert permissions_of("owner", PLUGINS) == set(PERMISSIONS) | set(PLUGINS)


def test_managers_hold_all_but_keys_domains_extensions_and_what_plugins_keep_from_them():
    everything = set(PERMISSIONS) | set(PLUGINS)
    assert everything - permissions_of("manager", PLUGINS) == {
        "apikeys.manage",
        "domains.manage",
        "plugins.manage",
        "stamps.erase",
    }


def test_staff_hold_what_a_till_needs():
    assert permissions_of("staff", PLUGINS) == TILL | {"stamps.give"}


@pytest.mark.parametrize("role", ["", "member", "key", "operator"])
def test_other_roles_hold_nothing(role):
    assert permissions_of(role, PLUGINS) == frozenset()


def test_the_names_of_the_brief_are_known():
    assert ALIASES == {
        "loyalty.view_programs": "programs.view",
        "loyalty.manage_programs": "programs.manage",
        "loyalty.view_rewards": "rewards.view",
        "loyalty.manage_rewards": "rewards.manage",
    }


def test_one_of_several_permissions_is_enough():
    require(context("staff"), "members.view", "terminal.use")


def test_a_missing_permission_is_named():
    with pytest.raises(Forbidden) as caught:
        require(context("staff"), "members.view")
    assert caught.value.extra == {"permission": "members.view"}


def test_nobody_must_sign_in_first():
    with pytest.raises(Unauthenticated):
        require(Context(tenant_snapshot(), ANONYMOUS), "members.view")


def test_the_platforms_own_jobs_pass():
    require(Context(tenant_snapshot(), Principal("system")), "members.view")


@pytest.mark.parametrize(
    ("role", "below"),
    [
        ("owner", {"owner", "manager", "staff"}),
        ("manager", {"manager", "staff"}),
        ("staff", {"staff"}),
        ("key", {"manager", "staff"}),
        ("operator", {"owner", "manager", "staff"}),
        ("member", set()),
    ],
)
def test_nobody_hands_out_a_role_above_the_own_one(role, below):
    ctx = context(role)
    assert {other for other in ("owner", "manager", "staff") if outranks(ctx, other)} == below
    assert not outranks(ctx, "emperor")
