"""Sign-up: three short forms, and the shop is open. What was said is kept, so reloading and going back lose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, InvalidInput, RateLimited, Unavailable
from regulars.contracts.pages import PageContext
from regulars.domain.signup import service
from regulars.domain.signup.addresses import propose, typed
from regulars.domain.signup.countries import country_list, likely_country
from regulars.domain.signup.service import About, Grounds, SignUp
from regulars.domain.tenants.naming import MAX_SLUG
from regulars.domain.tenants.offerings import list_offerings
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of, forgiving, with_status
from regulars.web.cookies import SIGN_UP, read_cookie
from regulars.web.limits import ADDRESS_CHECKS, SIGN_UP_FORMS, check_limit
from regulars.web.results import Redirect, Result
from regulars.web.site.blueprint import blueprint
from regulars.web.toolkit import site_page
from regulars.web.work import SiteWork

START = "/sign-up"
ADDRESS = f"{START}/address"
OFFERING = f"{START}/offering"


class AboutForm(BaseModel):
    """Who you are.

    Attributes:
        website: hidden from people; what fills it in is no person.
        timezone: of the device, when a script could ask it.
        offering: the one whose button led here.
    """

    email: str = Field(default="", max_length=500)
    name: str = Field(default="", max_length=500)
    country: str = Field(default="", max_length=10)
    terms: bool = False
    website: str = ""
    timezone: str = Field(default="", max_length=60)
    offering: str = Field(default="", max_length=40)


class AboutQuery(BaseModel):
    """The offering that was chosen on the landing page."""

    offering: str = Field(default="", max_length=40)


class AddressForm(BaseModel):
    """The wanted address."""

    slug: str = Field(default="", max_length=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpPage(PageContext):
    """The first form.

    Attributes:
        values: what is shown in it.
        errors: field → sentence; the key "" is for the form as a whole.
        countries: (code, name).
        timezone: of the device, empty when it is not known yet.
    """

    template: ClassVar[str] = "site/sign_up.html"
    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    countries: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPage(PageContext):
    """Nobody can sign up at the moment.

    Attributes:
        contact: mail address for questions, may be empty.
    """

    template: ClassVar[str] = "site/sign_up_closed.html"
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage(PageContext):
    """The shop is open already.

    Attributes:
        name: of the shop.
    """

    template: ClassVar[str] = "site/sign_up_open.html"
    name: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said about an address.

    Attributes:
        slug: as it was judged.
        error: what is wrong, empty when it can be had.
        others: addresses to take instead.
    """

    slug: str
    error: str = ""
    others: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPart(PageContext):
    """The verdict on what is being typed; a part of the form."""

    template: ClassVar[str] = "site/address_check.html"
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPage(PageContext):
    """The second form.

    Attributes:
        value: what is shown in the field.
        base_domain: what stands behind it.
        longest: most characters.
    """

    template: ClassVar[str] = "site/sign_up_address.html"
    name: str
    value: str
    base_domain: str
    verdict: Verdict
    longest: int = MAX_SLUG


@blueprint.get(START)
@site_page()
async def sign_up_form(work: SiteWork) -> Result:
    """Ask for as little as possible; whoever has just opened a shop is shown the way in."""
    if not await is_open(work):
        return ClosedPage(contact=work.services.config.contact)
    sign_up = await present(work)
    if sign_up is not None and sign_up.tenant_id is not None:
        return OpenPage(name=sign_up.name)
    return _about_page(_known(work, sign_up))


@blueprint.post(START)
@forgiving
@site_page()
async def sign_up(work: SiteWork) -> Result:
    """Keep it, and go on to the address."""
    form = await work.form(AboutForm)
    values, given = dict(form.values), form.data
    if not await is_open(work):
        return ClosedPage(contact=work.services.config.contact)
    try:
        await check_limit(SIGN_UP_FORMS, work.request, work.services)
    except (RateLimited, Unavailable) as error:
        return with_status(_about_page(values, {"": wait(error)}), error.status)
    if given is None or given.website:
        sentence = _("Please leave the last field empty: it is there for programs that fill in everything.")
        raise TryAgain(work, _about_page({**values, "website": ""}, {"": sentence} if given else dict(form.errors)))
    about = About(
        email=given.email,
        name=given.name,
        country=given.country,
        locale=work.request.visit.locale,
        timezone=given.timezone,
        terms=given.terms,
        offering=given.offering,
    )
    try:
        token = await service.begin(work.session, await present(work), about)
    except InvalidInput as error:
        raise TryAgain(work, _about_page(values, dict(faults_of(error)))) from error
    if token is not None:
        work.keep(SIGN_UP, token, service.LIFETIME)
    return Redirect(ADDRESS)


@blueprint.get(ADDRESS)
@site_page()
async def address_form(work: SiteWork) -> Result:
    """Propose an address, or judge the one in the query."""
    sign_up = await open_one(work)
    if sign_up is None:
        return to_start(work)
    if wanted := typed(work.query(AddressForm).slug):
        return _address_page(work, sign_up, wanted, await _judge(work, sign_up, wanted))
    if sign_up.slug:
        return _address_page(work, sign_up, sign_up.slug, Verdict(sign_up.slug))
    proposed = await service.free_addresses(work.session, sign_up, sign_up.name, grounds(work))
    first = proposed[0] if proposed else propose(sign_up.name, sign_up.country)
    return _address_page(work, sign_up, first, Verdict(first))


@blueprint.get(f"{ADDRESS}/check")
@site_page()
async def address_check(work: SiteWork) -> Result:
    """Judge what is being typed; only as a part of the form."""
    sign_up = await open_one(work)
    if sign_up is None or work.request.headers.get("HX-Request") != "true":
        return Redirect(ADDRESS)
    slug = typed(work.query(AddressForm).slug)
    try:
        await check_limit(ADDRESS_CHECKS, work.request, work.services)
    except (RateLimited, Unavailable):
        return AddressPart(verdict=Verdict(slug, _("This cannot be checked at the moment. Go on, we check it then.")))
    return AddressPart(verdict=await _judge(work, sign_up, slug))


@blueprint.post(ADDRESS)
@forgiving
@site_page()
async def choose_address(work: SiteWork) -> Result:
    """Claim the address, and go on to the offering."""
    sign_up = await open_one(work)
    if sign_up is None:
        return to_start(work)
    form = await work.form(AddressForm)
    slug = typed(form.values.get("slug", ""))
    try:
        await check_limit(SIGN_UP_FORMS, work.request, work.services)
        await service.choose_address(work.session, sign_up, slug, grounds(work))
    except (RateLimited, Unavailable) as error:
        return with_status(_address_page(work, sign_up, slug, Verdict(slug, wait(error))), error.status)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, await refused_address(work, sign_up, slug, str(error))) from error
    return Redirect(OFFERING)


async def present(work: SiteWork) -> SignUp | None:
    """The sign-up of this browser."""
    token = token_of(work)
    return await service.find(work.session, token) if token else None


async def open_one(work: SiteWork) -> SignUp | None:
    """The sign-up of this browser while it is not finished; nothing when nobody can sign up."""
    found = await present(work)
    return found if found is not None and found.tenant_id is None and await is_open(work) else None


async def is_open(work: SiteWork) -> bool:
    """Whether merchants can sign up by themselves: it is not closed, and there is something to choose."""
    return work.services.config.signups_per_hour > 0 and bool(await list_offerings(work.session))


async def refused_address(work: SiteWork, sign_up: SignUp, slug: str, sentence: str) -> AddressPage:
    """The second form with what is wrong and what could be taken instead."""
    others = await service.free_addresses(work.session, sign_up, slug or sign_up.name, grounds(work))
    return _address_page(work, sign_up, slug, Verdict(slug, sentence, others))


def token_of(work: SiteWork) -> str:
    """What this browser holds of its sign-up, empty for nothing."""
    return read_cookie(work.request, SIGN_UP, work.services.config) or ""


def grounds(work: SiteWork) -> Grounds:
    """Where merchants may settle."""
    return Grounds.of(work.services.config)


def to_start(work: SiteWork) -> Redirect:
    """Back to the first form, for whoever has no sign-up under way."""
    if not token_of(work):
        work.flash(_("Please begin here. If you have just been here, allow cookies in your browser."), "info")
    return Redirect(START)


def wait(error: RateLimited | Unavailable) -> str:
    """The sentence for somebody who has to wait."""
    if isinstance(error, RateLimited):
        minutes = -(-error.retry_after // 60)
        return _("There were too many tries. Please wait %(minutes)s minutes; what you typed is kept.", minutes=minutes)
    return _("Signing up does not work at this moment. Please try again in a minute; what you typed is kept.")


async def _judge(work: SiteWork, sign_up: SignUp, slug: str) -> Verdict:
    error = await service.judge_address(work.session, sign_up, slug, grounds(work)) if slug else ""
    others = await service.free_addresses(work.session, sign_up, slug, grounds(work)) if error else ()
    return Verdict(slug, error, others)


def _known(work: SiteWork, sign_up: SignUp | None) -> dict[str, str]:
    if sign_up is None:
        country = likely_country(work.request.headers.get("Accept-Language", ""))
        return {"country": country, "offering": work.query(AboutQuery).offering}
    return {"email": sign_up.email, "name": sign_up.name, "country": sign_up.country, "terms": "1"}


def _about_page(values: dict[str, str], errors: dict[str, str] | None = None) -> SignUpPage:
    countries = country_list()
    if not values.get("country"):
        countries = [("", _("Choose a country")), *countries]
    return SignUpPage(values=values, errors=errors or {}, countries=countries)


def _address_page(work: SiteWork, sign_up: SignUp, value: str, verdict: Verdict) -> AddressPage:
    return AddressPage(name=sign_up.name, value=value, base_domain=work.services.config.base_domain, verdict=verdict)
