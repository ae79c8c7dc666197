"""What the platform changes for a folder: offerings, tenants, hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from regulars.domain.audit.actors import SYSTEM
from regulars.domain.tenants import repository, service
from regulars.domain.tenants.features import with_lower_grades
from regulars.domain.tenants.files.changes import Change, Step, differences, set_difference
from regulars.domain.tenants.files.reading import DeclaredTenant
from regulars.domain.tenants.naming import tenant_host
from regulars.domain.tenants.offerings import OfferingInfo, list_offerings, put_offering
from regulars.domain.tenants.profile import Profile
from regulars.kernel.db.database import PlatformSession

REASON = "applied from files"
PlatformStep = Step[PlatformSession]


async def offering_steps(session: PlatformSession, declared: tuple[OfferingInfo, ...]) -> list[PlatformStep]:
    """What must change so that the offerings are as declared; others stay."""
    known = {offering.code: offering for offering in await list_offerings(session)}
    steps = []
    for wanted in declared:
        before = known.get(wanted.code)
        if before == wanted:
            continue
        make = partial(put_offering, actor=SYSTEM, wanted=wanted, reason=REASON)
        subject = f"offering {wanted.code}"
        change = Change("change", subject, _offering_words(before, wanted)) if before else Change("add", subject)
        steps.append(Step(change, make))
    return steps


async def tenant_steps(
    session: PlatformSession, tenant: DeclaredTenant, base_domain: str
) -> tuple[UUID | None, list[PlatformStep]]:
    """What must change so that a tenant is as declared.

    Args:
        session: the platform's.
        tenant: the folder.
        base_domain: of this installation; a tenant of another one answers here too afterwards.

    Returns:
        The tenant's id, `None` when it is not there yet, and the steps.
    """
    tenant_id = await service.find_by_slug(session, tenant.slug)
    if tenant_id is None:
        return None, [_creation(tenant, base_domain), *_host_steps(tenant, None, set())]
    row = await session.one_or_none(repository.TENANT, {"tenant_id": tenant_id})
    assert row is not None
    hosts = {host.host for host in await session.rows(repository.HOSTS, {"tenant_id": tenant_id})}
    steps = [
        *_own_steps(tenant, tenant_id, row._mapping),
        *_base_steps(tenant, tenant_id, base_domain, row.base_domain),
    ]
    return tenant_id, [*steps, *_host_steps(tenant, tenant_id, hosts)]


def _creation(tenant: DeclaredTenant, base_domain: str) -> PlatformStep:
    first = tenant.file.shops[0]
    new = service.NewTenant(
        tenant.slug,
        tenant.file.offering,
        base_domain,
        tenant.profile,
        shop=first.name,
        shop_address=first.address,
    )
    details = f"{tenant.profile.name}, {tenant.file.offering}, {tenant_host(tenant.slug, base_domain)}"
    return Step(Change("add", tenant.slug, details), partial(service.create, actor=SYSTEM, new=new, reason=REASON))


def _own_steps(tenant: DeclaredTenant, tenant_id: UUID, row: Any) -> Iterator[PlatformStep]:
    before, profile = Profile.of(row), tenant.profile
    kept = {**before.branding.theme_values, **profile.branding.theme_values}
    profile = replace(profile, branding=replace(profile.branding, theme_values=kept))
    if words := differences(before.columns(), profile.columns()):
        yield Step(
            Change("change", tenant.slug, words),
            partial(service.change_profile, actor=SYSTEM, tenant_id=tenant_id, profile=profile, reason=REASON),
        )
    offering = tenant.file.offering
    if words := differences({"offering": row["offering"]}, {"offering": offering}):
        yield Step(
            Change("change", tenant.slug, words),
            partial(service.set_offering, actor=SYSTEM, tenant_id=tenant_id, offering=offering, reason=REASON),
        )


def _base_steps(tenant: DeclaredTenant, tenant_id: UUID, base_domain: str, before: str) -> Iterator[PlatformStep]:
    if base_domain != before:
        host = tenant_host(tenant.slug, base_domain)
        make = partial(service.move_to_base, actor=SYSTEM, tenant_id=tenant_id, base_domain=base_domain, reason=REASON)
        yield Step(Change("add", f"{tenant.slug}: host {host}"), make)


def _host_steps(tenant: DeclaredTenant, tenant_id: UUID | None, hosts: set[str]) -> Iterator[PlatformStep]:
    for host in tenant.file.hosts:
        if host not in hosts:
            yield Step(Change("add", f"{tenant.slug}: host {host}"), partial(_add_host, tenant.slug, tenant_id, host))


async def _add_host(slug: str, tenant_id: UUID | None, host: str, session: PlatformSession) -> None:
    found = tenant_id or await service.find_by_slug(session, slug)
    assert found is not None
    await service.add_host(session, SYSTEM, found, host, primary=False, reason=REASON)


def _offering_words(before: OfferingInfo, after: OfferingInfo) -> str:
    words = [
        differences({"title": before.title, "rank": before.rank}, {"title": after.title, "rank": after.rank}),
        set_difference(before.features, with_lower_grades(after.features)),
        differences(dict(before.limits), dict(after.limits)),
        set_difference(before.limits, after.limits) if set(before.limits) - set(after.limits) else "",
    ]
    return ", ".join(word for word in words if word)
