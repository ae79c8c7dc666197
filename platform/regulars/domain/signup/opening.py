"""The end of a sign-up: the merchant is there, and its owner gets in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from regulars.contracts.context import Context, Principal, TenantSnapshot
from regulars.contracts.errors import Conflict, NotFound
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import record
from regulars.domain.messaging import password_links
from regulars.domain.messaging.composing import Recipient
from regulars.domain.messaging.office import PostOffice
from regulars.domain.programs import service as programs
from regulars.domain.signup import repository
from regulars.domain.signup.countries import home_of
from regulars.domain.signup.service import Grounds, SignUp, choose_address
from regulars.domain.staff import links
from regulars.domain.staff import service as staff
from regulars.domain.tenants import service as tenants
from regulars.domain.tenants.features import FEATURE_NAMES
from regulars.domain.tenants.profile import Profile
from regulars.domain.tenants.rebase import PLATFORM_NAME
from regulars.domain.tenants.repository import fetch_snapshot_by_id
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database, PlatformSession, TenantSession
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.i18n import LANGUAGES, N_, LazyText
from regulars.kernel.keys import digest
from regulars.kernel.plugins.registry import PluginRegistry

REASON = "signed up"
ENTER_AGAIN = timedelta(hours=1)
"""How long the browser that signed up gets in without a password."""
Admission = Callable[[SignUp], Awaitable[None]]
_ACTOR = Principal(kind="system", name="sign-up")


@dataclass(frozen=True, slots=True)
class Opened:
    """A merchant that is open.

    Attributes:
        token: of the link that lets its owner in, empty once there is a password to sign in with.
    """

    tenant: TenantSnapshot
    token: str


@dataclass(frozen=True, slots=True)
class Opening:
    """Makes merchants of sign-ups."""

    config: Config
    database: Database
    registry: PluginRegistry
    office: PostOffice

    @property
    def _proof_time(self) -> timedelta:
        """How long an owner's address may remain unproved."""
        return timedelta(days=self.config.verify_within_days)

    async def open(self, actor: Actor, token: str, admit: Admission) -> Opened:
        """Make the merchant, with all that it starts with; called again, it finds what is there.

        It opens its own transactions: the platform's makes the tenant, a second one furnishes it. One that died in
        between is made up for by the next call.

        Args:
            actor: the visitor, for the audit logs.
            token: of the sign-up.
            admit: asked before the merchant is made, once for each that is: a form that is sent twice counts once.

        Raises:
            Exception: what `admit` raises; nothing is made then.
            NotFound: there is no such sign-up, or not any more.
            Conflict: the address was taken in the meantime, or something was not chosen.
        """
        async with self.database.platform(REASON) as session:
            row = await session.one_or_none(repository.LOCK, {"hash": digest(token)})
            if row is None:
                raise NotFound
            sign_up = SignUp(**row._mapping)
            owned = await session.rows(repository.OWNED, {"email": sign_up.email})
            tenant_id = sign_up.tenant_id
            if tenant_id is None:
                await admit(sign_up)
                tenant_id = await self._make(session, actor, sign_up)
        shops = {self.config.url(one.host): one.name for one in owned if one.tenant_id != tenant_id}
        return await self._furnish(actor, sign_up, tenant_id, shops)

    async def _make(self, session: PlatformSession, actor: Actor, sign_up: SignUp) -> UUID:
        if not sign_up.slug or not sign_up.offering:
            raise Conflict
        await choose_address(session, sign_up, sign_up.slug, Grounds.of(self.config))
        home = home_of(sign_up.country, sign_up.locale, LANGUAGES, sign_up.timezone)
        profile = Profile(
            name=sign_up.name,
            locales=home.locales,
            default_locale=home.locales[0],
            timezone=home.timezone,
            currency=home.currency,
            country=sign_up.country,
        )
        base_domain = self.config.base_domain
        await tenants.add_platform(session, actor, base_domain, PLATFORM_NAME)
        new = tenants.NewTenant(sign_up.slug, sign_up.offering, base_domain, profile)
        made = await tenants.create(session, actor, new, reason=REASON)
        await session.execute(repository.MARK, {"tenant": made.id, "lifetime": self._proof_time})
        finished = {"sign_up": sign_up.id, "tenant": made.id, "lifetime": ENTER_AGAIN}
        await session.execute(repository.FINISH, finished)
        return made.id

    async def _furnish(self, actor: Actor, sign_up: SignUp, tenant_id: UUID, shops: Mapping[str, str]) -> Opened:
        raw = await fetch_snapshot_by_id(self.database, tenant_id)
        assert raw is not None
        tenant = SnapshotBuilder(self.registry, FEATURE_NAMES).build(raw).snapshot
        ctx = Context(
            tenant,
            _ACTOR,
            locale=sign_up.locale,
            source="manage",
            ip=actor.ip,
            device=actor.device,
            request_id=actor.request_id,
        )
        async with self.database.tenant(tenant_id) as session:
            person = staff.StaffDraft(name_of(sign_up.email), "owner", sign_up.email)
            if await staff.add(session, ctx, person, sign_up.id) is not None:
                themselves = replace(ctx, principal=Principal("staff", sign_up.id, person.name, "owner"))
                await staff.set_language(session, themselves, sign_up.locale)
                await self._first_program(session, ctx)
                await self._welcome(session, ctx, sign_up, shops)
            elif (await staff.get(session, ctx, sign_up.id)).has_password:
                return Opened(tenant, "")
            link_id, token = await links.issue(session, sign_up.id, "enter", links.ENTER_LIFETIME)
            await record(session, ctx, "staff.link_made", "staff", sign_up.id, {"link": link_id})
        return Opened(tenant, token)

    async def _first_program(self, session: TenantSession, ctx: Context) -> None:
        """A program in set-up, ready to be looked through and opened; none where nothing fits."""
        tenant = ctx.tenant
        kind = next(
            (
                kind
                for kind, plugins in programs.PLUGINS_OF_KIND.items()
                if tenant.has(kind) and plugins <= tenant.enabled
            ),
            None,
        )
        if kind is not None:
            draft = programs.ProgramDraft(tenant.name, tenant.timezone, tenant.currency)
            await programs.create(session, ctx, kind, draft)

    async def _welcome(self, session: TenantSession, ctx: Context, sign_up: SignUp, shops: Mapping[str, str]) -> None:
        recipient = Recipient(sign_up.email, name_of(sign_up.email), sign_up.locale)
        letter = welcome(ctx.tenant, shops)
        await password_links.send(session, ctx, self.office, sign_up.id, recipient, letter)


def welcome(tenant: TenantSnapshot, shops: Mapping[str, str] = MappingProxyType({})) -> password_links.Letter:
    """The mail to a new owner, with the link that proves the address.

    Args:
        tenant: whose address is not proved yet.
        shops: address → name of others that the owner has.
    """
    why = LazyText(N_("You get this mail because somebody opened %(brand)s with this address."), {"brand": tenant.name})
    values = {"shops": shops, "until": tenant.verify_by}
    return password_links.Letter("mails/owner_welcome", links.PROOF_LIFETIME, values, why)


def name_of(email: str) -> str:
    """What an owner is called before saying so: `marie.leroy7@…` → `Marie Leroy`."""
    words = "".join(one if one.isalpha() else " " for one in email.partition("@")[0].partition("+")[0]).split()
    return " ".join(word[:1].upper() + word[1:] for word in words)[: staff.MAX_NAME] or email[: staff.MAX_NAME]
