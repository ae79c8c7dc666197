"""Permissions of the host, the roles that hold them, and the check that every service begins with.

Plugins declare their own, `<plugin>.<name>`, with the roles that hold them from the start. Owners hold all. The scopes
of an API key are permission names too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from regulars.contracts.context import Context
from regulars.contracts.errors import Forbidden, Unauthenticated
from regulars.contracts.i18n import N_
from regulars.contracts.manifest import Permission
from regulars.kernel.i18n import gettext as _

Role = Literal["owner", "manager", "staff"]
ROLES: tuple[Role, ...] = ("owner", "manager", "staff")
"""All roles, the most powerful first."""
ROLE_TITLES: Mapping[Role, str] = MappingProxyType(
    {"owner": N_("Owner"), "manager": N_("Manager"), "staff": N_("Staff")}
)


@dataclass(frozen=True, slots=True)
class HostPermission:
    """A right that the host itself checks.

    Attributes:
        title: for people, marked with `N_`.
        roles: roles that hold it besides owners.
        alias: the name of the brief, where it has one.
    """

    name: str
    title: str
    roles: tuple[Literal["manager", "staff"], ...] = ()
    alias: str = ""


_MANAGER: tuple[Literal["manager"]] = ("manager",)
_EVERYBODY: tuple[Literal["manager"], Literal["staff"]] = ("manager", "staff")
_ALL = (
    HostPermission("programs.view", N_("See programs"), _EVERYBODY, "loyalty.view_programs"),
    HostPermission("programs.manage", N_("Create and change programs"), _MANAGER, "loyalty.manage_programs"),
    HostPermission("rewards.view", N_("See rewards"), _EVERYBODY, "loyalty.view_rewards"),
    HostPermission("rewards.manage", N_("Create and change rewards"), _MANAGER, "loyalty.manage_rewards"),
    HostPermission("terminal.use", N_("Use the terminal and look up cards"), _EVERYBODY),
    HostPermission("sales.record", N_("Record sales"), _EVERYBODY),
    HostPermission("sales.redeem", N_("Hand out rewards"), _EVERYBODY),
    HostPermission("sales.undo", N_("Take back the last own action"), _EVERYBODY),
    HostPermission("sales.refund", N_("Refund sales"), _MANAGER),
    HostPermission("members.enrol", N_("Enrol customers"), _EVERYBODY),
    HostPermission("members.view", N_("See the list of members"), _MANAGER),
    HostPermission("members.manage", N_("Change members and block cards"), _MANAGER),
    HostPermission("members.adjust", N_("Correct balances"), _MANAGER),
    HostPermission("members.export", N_("Export members"), _MANAGER),
    HostPermission("dashboard.view", N_("See the dashboard and its figures"), _MANAGER),
    HostPermission("staff.view", N_("See staff"), _MANAGER),
    HostPermission("staff.manage", N_("Manage staff and PINs"), _MANAGER),
    HostPermission("shops.manage", N_("Manage shops"), _MANAGER),
    HostPermission("branding.manage", N_("Change name, colours and logo"), _MANAGER),
    HostPermission("audit.view", N_("See the audit log"), _MANAGER),
    HostPermission("plugins.manage", N_("Switch extensions on and off")),
    HostPermission("apikeys.manage", N_("Manage API keys")),
    HostPermission("domains.manage", N_("Manage own domains")),
)
PERMISSIONS: Mapping[str, HostPermission] = MappingProxyType({one.name: one for one in _ALL})
"""Every permission of the host by its name."""
ALIASES: Mapping[str, str] = MappingProxyType({one.alias: one.name for one in _ALL if one.alias})
"""Name of the brief → our name."""


def permissions_of(role: str, registry_permissions: Mapping[str, Permission]) -> frozenset[str]:
    """What a role may do.

    Args:
        role: owner, manager or staff; any other role holds nothing.
        registry_permissions: full name → permission of all loaded plugins (`PluginRegistry.permissions`).

    Returns:
        Full names of permissions, the host's and the plugins'.
    """
    if role == "owner":
        return frozenset(PERMISSIONS) | frozenset(registry_permissions)
    declared: list[tuple[str, Iterable[str]]] = [(name, one.roles) for name, one in PERMISSIONS.items()]
    declared += [(name, one.roles) for name, one in registry_permissions.items()]
    return frozenset(name for name, roles in declared if role in roles)


def require(ctx: Context, *permissions: str) -> None:
    """Let pass whoever holds at least one of the permissions; the platform's own jobs always pass.

    Args:
        ctx: who acts.
        permissions: full names, one or more.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: somebody is, but holds none of them; the problem names what is needed.
    """
    who = ctx.principal
    if who.kind == "system" or any(who.may(permission) for permission in permissions):
        return
    if who.kind == "anonymous":
        raise Unauthenticated(_("Please sign in."))
    raise Forbidden(
        _("Your role does not allow this. Ask an owner or manager of the shop."), extra={"permission": permissions[0]}
    )


def outranks(ctx: Context, role: str) -> bool:
    """Whether the principal may give or take away a role: one's own and those below, never one above.

    Args:
        ctx: who acts; an API key counts as a manager, platform and operators as owners.
        role: the role in question.
    """
    own = {"key": "manager", "operator": "owner"}.get(ctx.principal.role, ctx.principal.role)
    if ctx.principal.kind == "system":
        own = "owner"
    order = [str(one) for one in ROLES]
    return own in order and role in order and order.index(own) <= order.index(role)
