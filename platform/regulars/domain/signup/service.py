"""A sign-up from the first form to the chosen offering: what is said is kept, so that nobody types it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Self
from uuid import UUID

from regulars.contracts.errors import InvalidInput
from regulars.domain.members.normalise import email_of
from regulars.domain.signup import repository
from regulars.domain.signup.addresses import check_address, others, propose
from regulars.domain.signup.countries import is_country
from regulars.domain.tenants.naming import tenant_host
from regulars.domain.tenants.offerings import list_offerings
from regulars.domain.tenants.profile import MAX_NAME
from regulars.domain.tenants.service import name_taken
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import digest, new_token
from regulars.kernel.text import one_line

LIFETIME = timedelta(hours=24)
CLAIM = timedelta(minutes=30)
"""How long an address is held for somebody who has chosen it and not finished."""
_TRIED = 30
_PROPOSED = 3


@dataclass(frozen=True, slots=True)
class SignUp:
    """What a visitor has said so far.

    Attributes:
        timezone: of the visitor's device, empty when unknown.
        offering: code, empty before it is chosen.
        slug: the address, empty before it is chosen.
        tenant_id: what was made of it, `None` while it is open.
    """

    id: UUID
    email: str
    name: str
    country: str
    locale: str
    timezone: str
    offering: str
    slug: str
    tenant_id: UUID | None


@dataclass(frozen=True, slots=True)
class About:
    """What the first form asks for.

    Attributes:
        country: ISO 3166 code.
        locale: language that the visitor reads.
        timezone: of the visitor's device, empty when unknown.
        terms: whether they were accepted.
        offering: code, where the visitor chose one before; empty otherwise.
    """

    email: str
    name: str
    country: str
    locale: str
    timezone: str = ""
    terms: bool = False
    offering: str = ""


@dataclass(frozen=True, slots=True)
class Grounds:
    """Where new merchants may settle.

    Attributes:
        base_domain: below which their addresses are.
        own_hosts: names below it that the platform itself answers on.
    """

    base_domain: str
    own_hosts: frozenset[str]

    @classmethod
    def of(cls, config: Config) -> Self:
        """Below this installation's base domain."""
        return cls(config.base_domain, frozenset({config.base_domain, config.console_host}))


async def find(session: PlatformSession, token: str) -> SignUp | None:
    """The sign-up that a browser holds, `None` when there is none or it is too old."""
    row = await session.one_or_none(repository.FIND, {"hash": digest(token)})
    return SignUp(**row._mapping) if row is not None else None


async def begin(session: PlatformSession, present: SignUp | None, about: About) -> str | None:
    """Keep what the first form says.

    Args:
        session: the platform's.
        present: the sign-up that the browser holds; an open one is changed, a finished one begins anew.
        about: what was typed.

    Returns:
        The token of a new sign-up for the browser, `None` when the present one was changed.

    Raises:
        InvalidInput: one sentence per field.
    """
    values = _checked(about)
    if present is not None and present.tenant_id is None:
        changes = {f"new_{key}": value for key, value in values.items() if key != "offering"}
        await session.execute(repository.CHANGE, {"sign_up": present.id, **changes})
        return None
    token = new_token()
    row = {"sign_up": new_id(), "hash": digest(token), "lifetime": LIFETIME, **values}
    await session.execute(repository.INSERT, row)
    return token


async def choose_address(session: PlatformSession, sign_up: SignUp, slug: str, grounds: Grounds) -> None:
    """Claim an address for half an hour. Of several who want it at once, one gets it.

    Raises:
        InvalidInput: it cannot be an address, or looks like another one; under the field `slug`.
        Conflict: somebody has it, or is about to.
    """
    check_address(slug)
    await session.execute(repository.LOCK_NAME, {"name": f"sign_up:{slug}"})
    if not await _is_free(session, slug, sign_up.id, grounds):
        raise name_taken(slug)
    await session.execute(repository.CLAIM, {"sign_up": sign_up.id, "new_slug": slug, "lifetime": CLAIM})


async def judge_address(session: PlatformSession, sign_up: SignUp, slug: str, grounds: Grounds) -> str:
    """What is wrong with an address, as one sentence; empty when it can be had at this moment. Claims nothing."""
    try:
        check_address(slug)
    except InvalidInput as error:
        return error.fields["slug"]
    return "" if await _is_free(session, slug, sign_up.id, grounds) else str(name_taken(slug))


async def free_addresses(session: PlatformSession, sign_up: SignUp, wanted: str, grounds: Grounds) -> Sequence[str]:
    """Addresses near to what was wanted that can be had at this moment.

    Args:
        session: the platform's.
        sign_up: for the country.
        wanted: as typed, or the business's name.
        grounds: where.
    """
    found: list[str] = []
    for slug in islice(others(propose(wanted, sign_up.country), sign_up.country), _TRIED):
        if slug not in found and not await judge_address(session, sign_up, slug, grounds):
            found.append(slug)
            if len(found) == _PROPOSED:
                break
    return found


async def choose_offering(session: PlatformSession, sign_up: SignUp, offering: str) -> None:
    """Keep the choice of an offering.

    Raises:
        InvalidInput: there is no such offering, under the field `offering`.
    """
    if offering not in {one.code for one in await list_offerings(session)}:
        sentence = _("Please choose an offering.")
        raise InvalidInput(sentence, fields={"offering": sentence})
    await session.execute(repository.CHOOSE, {"sign_up": sign_up.id, "new_offering": offering})


async def _is_free(session: PlatformSession, slug: str, sign_up_id: UUID, grounds: Grounds) -> bool:
    host = tenant_host(slug, grounds.base_domain)
    if host in grounds.own_hosts:
        return False
    return not await session.scalar(repository.TAKEN, {"slug": slug, "host": host, "sign_up": sign_up_id})


def _checked(about: About) -> dict[str, str]:
    faults = {}
    email, name = email_of(about.email), one_line(about.name)
    if email is None:
        faults["email"] = _("Please enter an e-mail address such as name@example.com.")
    if not 0 < len(name) <= MAX_NAME:
        faults["name"] = _("Please enter the name of your business, at most %(most)s characters.", most=MAX_NAME)
    if not is_country(about.country):
        faults["country"] = _("Please choose the country of your business.")
    if not about.terms:
        faults["terms"] = _("Please accept the terms.")
    if faults or email is None:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    return {
        "email": email,
        "name": name,
        "country": about.country,
        "locale": about.locale,
        "timezone": about.timezone,
        "offering": about.offering,
    }
