"""Who is asking, for which tenant, with what rights: frozen values that travel with a request or job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal
from uuid import UUID

PrincipalKind = Literal["anonymous", "member", "staff", "api_key", "operator", "system"]
TenantStatus = Literal["active", "suspended", "closed"]
_NO_WORDING: Mapping[str, Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType({})
Source = Literal["api", "terminal", "portal", "manage", "console", "job", "demo"]


@dataclass(frozen=True, slots=True)
class Branding:
    """What a tenant looks like.

    Attributes:
        primary_color: `#rrggbb`.
        icon: name of a stamp icon (coffee, pizza, scissors, leaf, star, croissant).
        logo: path below the tenant's asset address, empty without a logo.
        tagline: one line under the name.
        theme_values: theme → setting → what the tenant chose; what is not there has the theme's default.
    """

    primary_color: str = "#4f46e5"
    icon: str = "star"
    logo: str = ""
    tagline: str = ""
    theme_values: Mapping[str, Mapping[str, str | int | float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TenantSnapshot:
    """All that a request must know of its tenant, resolved once from the host name.

    Attributes:
        host: the primary host name, without port; links are built from it.
        live_tenant_id: for a sandbox, the live tenant it belongs to.
        enabled: names of the plugins in force.
        features: host features, plugin names and `plugin.feature` flags in force.
        limits: limit name → number; a missing name is 0, `None` is unlimited.
        revision: grows with every change of the tenant; key of all caches.
        moved: whether the host that was asked for sends visitors on to `host`.
        verify_by: of a merchant that has signed up, until an owner's address has proved right; `None` when there is
            nothing to prove.
        wording: language → (context, English) → the tenant's own words, see `kernel.i18n.wording`.
    """

    id: UUID
    slug: str
    name: str
    host: str
    status: TenantStatus
    live_tenant_id: UUID | None
    offering: str
    enabled: frozenset[str]
    features: frozenset[str]
    limits: Mapping[str, int | None]
    theme: str
    branding: Branding
    locales: tuple[str, ...]
    default_locale: str
    timezone: str
    currency: str
    country: str
    revision: int
    moved: bool = False
    verify_by: datetime | None = None
    wording: Mapping[str, Mapping[tuple[str, str], tuple[str, ...]]] = field(default_factory=lambda: _NO_WORDING)

    @property
    def is_sandbox(self) -> bool:
        """Whether this is the test sibling of a live tenant."""
        return self.live_tenant_id is not None

    def has(self, feature: str) -> bool:
        """Whether a feature (or plugin) is in force.

        Args:
            feature: a host feature (`api_access`), a plugin (`stamps`) or a plugin's flag (`stamps.multi_card`).
        """
        return feature in self.features or feature in self.enabled

    @property
    def is_unproved(self) -> bool:
        """Whether it is suspended because no owner's address has proved right; an owner can still do that."""
        return self.status == "suspended" and self.verify_by is not None

    def limit(self, name: str) -> int | None:
        """The limit of that name; 0 when the offering does not name it, `None` when unlimited."""
        return self.limits.get(name, 0)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts.

    Attributes:
        id: of the member, staff member, API key or operator.
        name: for audit and greeting.
        role: owner, manager, staff, member, key or operator.
        permissions: permission names; an API key's scopes are permission names too.
        session_id: row of the session, when there is one.
        shop_id: the shop the session or key is bound to, if any.
        locale: the language that the person has chosen, empty for none.
    """

    kind: PrincipalKind = "anonymous"
    id: UUID | None = None
    name: str = ""
    role: str = ""
    permissions: frozenset[str] = frozenset()
    session_id: UUID | None = None
    shop_id: UUID | None = None
    locale: str = ""

    def may(self, permission: str) -> bool:
        """Whether the principal holds a permission."""
        return permission in self.permissions


ANONYMOUS = Principal()


@dataclass(frozen=True, slots=True)
class Context:
    """What every service call gets first: tenant, principal and the traces for the audit log.

    Attributes:
        locale: language of whoever reads the answer.
        source: which door the request came through.
        ip, device: for the audit log; device is the user agent or a terminal's name.
        request_id: ties log lines, audit rows and the answer together.
    """

    tenant: TenantSnapshot
    principal: Principal = ANONYMOUS
    locale: str = "en"
    source: Source = "api"
    ip: str = ""
    device: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ProgramInfo:
    """A loyalty program as hooks see it."""

    id: UUID
    name: str
    kind: str
    status: Literal["setup", "active", "paused", "inactive"]
    timezone: str
    currency: str


@dataclass(frozen=True, slots=True)
class CardInfo:
    """A member's card in one program as hooks see it.

    Attributes:
        has_merged: cards of other members lead to it, who turned out to be the same person.
        household_id: whose members share what is on their cards, `None` for a card of its own.
    """

    id: UUID
    number: str
    status: Literal["active", "blocked", "closed"]
    member_id: UUID
    program_id: UUID
    created_at: datetime
    has_merged: bool = False
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AccountState:
    """Balance of one unit on one card, under the card's lock.

    Attributes:
        balance: what can be spent, in units.
        lifetime: all ever earned, less what was reversed.
        seq: number of the last ledger entry of this account, 0 when none.
        last_at: time of that entry.
    """

    unit: str
    balance: int = 0
    lifetime: int = 0
    seq: int = 0
    last_at: datetime | None = None
