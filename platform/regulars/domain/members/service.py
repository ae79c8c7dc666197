"""Members: list, detail, change. Lists cost the same number of queries however many rows they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.audit import service as audit
from regulars.domain.cards.numbers import digits_of
from regulars.domain.members import repository
from regulars.domain.members.gauges import Gauge
from regulars.domain.members.normalise import normal_name, normal_phone, search_text
from regulars.domain.members.views import LatestConsent, Member, MemberDetail, MemberFilter, member_of
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.text import like_patterns

MIN_DIGITS = 4


@dataclass(frozen=True, slots=True)
class MemberChange:
    """New values of what can be changed for a member.

    Attributes:
        phone: as people write it, empty for none.
        locale: one of the tenant's locales, `None` for what the browser asks for.
    """

    name: str
    phone: str
    locale: str | None


async def list_members(
    session: TenantSession, ctx: Context, wanted: MemberFilter, page: PageRequest, gauges: Sequence[Gauge]
) -> Paged[Member]:
    """A page of the list.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.view`.
        wanted: search, filter, order.
        page: which page; one that follows a member needs the order of enrolment, the others move while people come.
        gauges: of the tenant's programs (`gauges_of`).

    Raises:
        InvalidInput: another order, or nobody is there whom the page would follow.
    """
    require(ctx, "members.view")
    where = parameters_of(session, wanted, gauges)
    total = await session.scalar(repository.COUNT, where)
    if page.after is None:
        rows = await session.rows(repository.PAGES[wanted.sort], {**where, "size": page.size, "offset": page.offset})
    elif wanted.sort == "enrolled":
        rows = await repository.ENROLLED.part(session, where, page)
    else:
        sentence = _("Pages follow a customer only in the order of enrolment.")
        raise InvalidInput(sentence, fields={"after": sentence})
    return Paged([member_of(row, gauges) for row in rows], total, page)


async def count_members(
    session: TenantSession, ctx: Context, wanted: MemberFilter, gauges: Sequence[Gauge] = ()
) -> int:
    """How many members the list would have; arguments as for `list_members`."""
    require(ctx, "members.view")
    total: int = await session.scalar(repository.COUNT, parameters_of(session, wanted, gauges))
    return total


async def get(session: TenantSession, ctx: Context, member_id: UUID, gauges: Sequence[Gauge]) -> MemberDetail:
    """A member with cards and consents.

    Raises:
        NotFound: the tenant has no such member.
    """
    require(ctx, "members.view")
    return await _detail(session, member_id, gauges)


async def get_own(session: TenantSession, ctx: Context, gauges: Sequence[Gauge]) -> MemberDetail:
    """The member who is signed in.

    Raises:
        NotFound: nobody is, or not a member.
    """
    if ctx.principal.kind != "member" or ctx.principal.id is None:
        raise NotFound(_("Please sign in first."))
    return await _detail(session, ctx.principal.id, gauges)


async def update(session: TenantSession, ctx: Context, member_id: UUID, change: MemberChange) -> None:
    """Change name, phone and language.

    Args:
        session: the transaction.
        ctx: who acts: the member, or somebody with `members.manage`.
        member_id: whom.
        change: the new values.

    Raises:
        InvalidInput: a value cannot be used.
        NotFound: the tenant has no such member.
    """
    if not (ctx.principal.kind == "member" and ctx.principal.id == member_id):
        require(ctx, "members.manage")
    name, phone = normal_name(change.name), normal_phone(change.phone, ctx.tenant.country)
    if change.locale not in (None, *ctx.tenant.locales):
        sentence = _("Choose one of: %(locales)s.", locales=", ".join(ctx.tenant.locales))
        raise InvalidInput(sentence, fields={"locale": sentence})
    key = {"tenant": session.tenant_id, "member": member_id}
    before = await session.one_or_none(repository.LOCK, key)
    if before is None:
        raise NotFound(_("We could not find this member."))
    changed = [
        field
        for field, old, new in (
            ("name", before.name, name),
            ("phone", before.phone, phone),
            ("locale", before.locale, change.locale),
        )
        if old != new
    ]
    if not changed:
        return
    search = search_text(name, before.email, phone)
    values = {"new_name": name, "new_phone": phone, "new_locale": change.locale, "new_search": search}
    await session.execute(repository.CHANGE, {**key, **values})
    await audit.record(session, ctx, "member.changed", "member", member_id, {"fields": changed})


async def set_language(session: TenantSession, ctx: Context, locale: str) -> None:
    """Keep the language that the signed-in member has chosen, for pages and mails.

    Args:
        session: the transaction.
        ctx: the member.
        locale: one of the tenant's locales.
    """
    member_id = ctx.principal.id
    key = {"tenant": session.tenant_id, "member": member_id}
    if await session.scalar(repository.SET_LANGUAGE, {**key, "new_locale": locale}) is not None:
        await audit.record(session, ctx, "member.changed", "member", member_id, {"fields": ["locale"]})


def parameters_of(session: TenantSession, wanted: MemberFilter, gauges: Sequence[Gauge]) -> dict[str, Any]:
    """What the repository's filters take.

    Args:
        session: for its tenant.
        wanted: search and filter.
        gauges: for "has reward ready".
    """
    digits = digits_of(wanted.query)
    return {
        "tenant": session.tenant_id,
        "patterns": like_patterns(wanted.query),
        "digits": digits if len(digits) >= MIN_DIGITS else "",
        "only_active": wanted.only == "active",
        "only_ready": wanted.only == "ready",
        "gauges": [
            {"unit": gauge.unit, "program_id": str(gauge.program_id), "ready_at": gauge.ready_at}
            for gauge in gauges
            if gauge.ready_at is not None
        ],
    }


async def _detail(session: TenantSession, member_id: UUID, gauges: Sequence[Gauge]) -> MemberDetail:
    key = {"tenant": session.tenant_id, "member": member_id}
    row = await session.one_or_none(repository.GET, key)
    if row is None:
        raise NotFound(_("We could not find this member."))
    consents = await session.rows(repository.CONSENTS, key)
    return MemberDetail(member_of(row, gauges), [LatestConsent(**consent._mapping) for consent in consents])
