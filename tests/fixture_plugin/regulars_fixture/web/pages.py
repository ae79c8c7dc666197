"""A page in each area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regulars.sdk import PageContext
from regulars.sdk.web import Blueprint, Result, Work, page
from regulars_fixture import queries

portal = Blueprint("sampler_portal", __name__)
terminal = Blueprint("sampler_terminal", __name__)
manage = Blueprint("sampler_manage", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesPage(PageContext):
    """How many samples there are.

    Attributes:
        has_extra: whether the offering has the plugin's flag.
        most: the offering's limit, `None` for unlimited.
    """

    template: ClassVar[str] = "sampler/manage.html"
    count: int
    has_extra: bool
    most: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPage(PageContext):
    """A page for staff."""

    template: ClassVar[str] = "sampler/terminal.html"
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalPage(PageContext):
    """A page for customers."""

    template: ClassVar[str] = "sampler/portal.html"
    count: int


@manage.get("/")
@page(audience="staff", permission="sampler.view")
async def samples(work: Work) -> Result:
    """Say how many there are."""
    tenant = work.ctx.tenant
    return SamplesPage(
        count=await queries.count(work.session),
        has_extra=tenant.has("sampler.extra"),
        most=tenant.limit("sampler.samples"),
    )


@terminal.get("/")
@page(audience="staff")
async def at_the_till(work: Work) -> Result:
    """Say it at the till."""
    return TerminalPage(count=await queries.count(work.session))


@portal.get("/")
@page()
async def for_customers(work: Work) -> Result:
    """Say it to customers."""
    return PortalPage(count=await queries.count(work.session))
