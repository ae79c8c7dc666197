"""Domains of the merchant's own: wanted, their records shown, checked, made the main address, given up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.domains import service
from regulars.domain.domains.naming import PROOF_PREFIX, is_apex, proof_name, show_name
from regulars.domain.domains.service import FEATURE, PERMISSION, Domain
from regulars.domain.domains.settling import GRACE
from regulars.domain.domains.warning import warn_owners
from regulars.domain.tenants.limits import offering_with
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.console.wording import Badge
from regulars.web.domain_words import domain_state, problem_words
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words
from regulars.web.work import Work

LIST = "/manage/domains"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A line for the merchant's DNS provider; `values` are several lines of the same kind."""

    kind: str
    name: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class DomainRow:
    """A domain.

    Attributes:
        shown: as people read it.
        problem: what is missing, in words, empty for nothing.
        records: what must stand in the DNS, empty while all is well.
        checked: when it was looked at, in words, empty for not yet.
        is_main: whether links are built with it.
    """

    domain: Domain
    url: str
    shown: str
    state: Badge
    problem: str
    records: Sequence[DnsRecord]
    checked: str
    is_main: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainsPage(PageContext):
    """All domains.

    Attributes:
        included: whether the offering has own domains.
        included_in: title of the offering that has them, empty when none does.
        subdomain: the address below the platform's.
        is_subdomain_main: whether links are built with it.
        moves: whether customers of the other addresses are sent on.
        has_room: whether one more can be added.
        values: field → what is shown.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/domains.html"
    rows: Sequence[DomainRow]
    included: bool
    included_in: str
    subdomain: str
    is_subdomain_main: bool
    moves: bool
    has_room: bool
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainConfirmPage(PageContext):
    """Asks before the main address changes or a domain is removed.

    Attributes:
        shown: the name as people read it.
        action: where the form goes.
    """

    template: ClassVar[str] = "manage/domain_confirm.html"
    shown: str
    action: str
    removes: bool


class DomainForm(BaseModel):
    """What is typed."""

    host: str = Field(default="", max_length=500)


class MovesForm(BaseModel):
    """What is chosen."""

    moves: bool = False


@blueprint.get("/domains")
@manage_page(PERMISSION, transaction=False)
async def domain_list(work: Work) -> Result:
    """The domains; without the feature, where it is to be had."""
    return await _page(work)


@blueprint.post("/domains")
@manage_page(PERMISSION, transaction=False)
async def add_domain(work: Work) -> Result:
    """Want a name."""
    form = await work.form(DomainForm)
    try:
        wanted = form.require()
        async with _platform(work) as session:
            added = await service.add(session, work.ctx, wanted.host, work.services.domains.ours())
    except (InvalidInput, Conflict) as error:
        page = await _page(work, form.values, error.extra.get("fields") or faults_of(error))
        raise TryAgain(work, page) from error
    work.flash(_("%(name)s was added. Now set its records.", name=show_name(added.host)))
    return Redirect(LIST)


@blueprint.post("/domains/moves")
@manage_page(PERMISSION, transaction=False)
async def set_moves(work: Work) -> Result:
    """Send customers of the other addresses on, or let them be."""
    wanted = (await work.form(MovesForm)).require()
    async with _platform(work) as session:
        await service.set_moves(session, work.ctx, wanted.moves)
    work.flash(_("Saved."))
    return Redirect(LIST)


@blueprint.post("/domains/<host>/check")
@manage_page(PERMISSION, transaction=False)
async def check_domain(work: Work, host: str) -> Result:
    """Look at its records now, and warn as the worker does; the certificate is looked at by a job."""
    found = await work.services.domains.check(work.ctx.tenant, host, certificate=False)
    if found is None:
        raise _unknown()
    work.services.snapshots.drop(work.ctx.tenant.id)
    if found.failing_since is not None:
        async with work.services.database.tenant(work.ctx.tenant.id) as session:
            await warn_owners(session, work.ctx.tenant, work.services.office, found)
    name = show_name(host)
    if found.problem:
        work.flash(problem_words(found.problem), "warning")
    elif found.status == "live":
        work.flash(_("%(name)s is live.", name=name))
    else:
        work.flash(_("%(name)s is yours. Its certificate is on its way.", name=name))
    return Redirect(LIST)


@blueprint.get("/domains/<host>/prefer")
@manage_page(PERMISSION)
async def prefer_form(work: Work, host: str) -> Result:
    """Say what it means, and ask."""
    if host not in await _answering(work):
        raise _unknown()
    return DomainConfirmPage(shown=show_name(host), action=f"{LIST}/{host}/prefer", removes=False)


@blueprint.post("/domains/<host>/prefer")
@manage_page(PERMISSION, transaction=False)
async def prefer(work: Work, host: str) -> Result:
    """Build links with it from now on."""
    async with _platform(work) as session:
        await service.prefer(session, work.ctx, host)
    work.flash(_("%(name)s is your main address.", name=show_name(host)))
    return Redirect(LIST)


@blueprint.get("/domains/<host>/remove")
@manage_page(PERMISSION)
async def remove_form(work: Work, host: str) -> Result:
    """Say what it means, and ask."""
    if await service.find_domain(work.session, work.ctx.tenant.id, host) is None:
        raise _unknown()
    return DomainConfirmPage(shown=show_name(host), action=f"{LIST}/{host}/remove", removes=True)


@blueprint.post("/domains/<host>/remove")
@manage_page(PERMISSION, transaction=False)
async def remove(work: Work, host: str) -> Result:
    """Give it up."""
    async with _platform(work) as session:
        await service.remove(session, work.ctx, host)
    work.flash(_("%(name)s was removed.", name=show_name(host)))
    return Redirect(LIST)


@asynccontextmanager
async def _platform(work: Work) -> AsyncIterator[PlatformSession]:
    """Hosts belong to the platform. This process looks the tenant up anew; the others hear of it from the database."""
    async with work.services.database.platform(service.REASON) as session:
        yield session
    work.services.snapshots.drop(work.ctx.tenant.id)


async def _page(
    work: Work, values: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> DomainsPage:
    tenant = work.ctx.tenant
    included, offering = tenant.has(FEATURE), None
    async with work.services.database.tenant(tenant.id, read_only=True) as session:
        known = await service.list_domains(session, tenant.id)
        place = await service.place_of(session, tenant.id)
        if not included:
            offering = await offering_with(session, FEATURE)
    needs_addresses = any(is_apex(domain.host) and not _is_well(domain) for domain in known)
    addresses = await work.services.domains.target_addresses() if needs_addresses else frozenset()
    return DomainsPage(
        rows=[_row(work, domain, sorted(addresses)) for domain in known],
        included=included,
        included_in=_(offering.title) if offering is not None and offering.code != tenant.offering else "",
        subdomain=place.subdomain,
        is_subdomain_main=tenant.host == place.subdomain,
        moves=place.moves,
        has_room=len(known) < service.MOST,
        values=values or {},
        errors=errors or {},
    )


def _is_well(domain: Domain) -> bool:
    return domain.answers and not domain.problem


def _row(work: Work, domain: Domain, addresses: Sequence[str]) -> DomainRow:
    problem = problem_words(domain.problem)
    if domain.answers and domain.failing_since is not None:
        problem += " " + _("It stops working: %(moment)s.", moment=moment_words(domain.failing_since + GRACE))
    return DomainRow(
        domain=domain,
        url=f"{LIST}/{domain.host}",
        shown=show_name(domain.host),
        state=domain_state(domain),
        problem=problem,
        records=[] if _is_well(domain) else _records(work, domain, addresses),
        checked=moment_words(domain.checked_at) if domain.checked_at else "",
        is_main=domain.host == work.ctx.tenant.host,
    )


def _records(work: Work, domain: Domain, addresses: Sequence[str]) -> Sequence[DnsRecord]:
    """A registered domain itself cannot have a CNAME record: it gets the addresses."""
    proof = DnsRecord("TXT", proof_name(domain.host), [f"{PROOF_PREFIX}{domain.proof}"])
    if not is_apex(domain.host) or not addresses:
        return [DnsRecord("CNAME", domain.host, [work.services.domains.target]), proof]
    kinds = {"A": [one for one in addresses if ":" not in one], "AAAA": [one for one in addresses if ":" in one]}
    return [*(DnsRecord(kind, domain.host, found) for kind, found in kinds.items() if found), proof]


async def _answering(work: Work) -> set[str]:
    known = await service.list_domains(work.session, work.ctx.tenant.id)
    place = await service.place_of(work.session, work.ctx.tenant.id)
    return {place.subdomain, *(domain.host for domain in known if domain.answers)}


def _unknown() -> NotFound:
    return NotFound(_("There is no such domain."))
