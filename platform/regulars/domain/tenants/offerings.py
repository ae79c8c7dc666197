"""Offerings: what is sold, and changing it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import record_platform
from regulars.domain.tenants import repository
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.features import with_higher_grades, with_lower_grades
from regulars.domain.tenants.reasons import require_reason
from regulars.kernel.db.database import PlatformSession, Session
from regulars.kernel.i18n import gettext as _

_CODE = re.compile(r"[a-z][a-z0-9_]{1,30}")
_MAX_LIMIT = 10**9


@dataclass(frozen=True, slots=True)
class OfferingInfo:
    """An offering.

    Attributes:
        rank: order of the offerings, lowest first.
        features: names of all that it includes.
        limits: name → number, `None` for unlimited; a missing name is 0.
    """

    code: str
    title: str
    rank: int
    features: frozenset[str]
    limits: Mapping[str, int | None]

    def allows(self, limit: str, more_than: int) -> bool:
        """Whether its limit is higher than a number."""
        own = self.limits.get(limit, 0)
        return own is None or own > more_than


async def list_offerings(session: Session) -> list[OfferingInfo]:
    """All offerings, lowest rank first."""
    return [
        OfferingInfo(row.code, row.title, row.rank, frozenset(row.features), dict(row.limits))
        for row in await session.rows(repository.OFFERINGS)
    ]


async def switch_feature(
    session: PlatformSession, catalogue: Catalogue, actor: Actor, code: str, feature: str, *, on: bool, reason: str
) -> OfferingInfo:
    """Put a feature into an offering or take it out; grades follow: `full` brings `advanced`, which goes with `basic`.

    Args:
        session: the platform's.
        catalogue: the known names.
        actor: the operator.
        code: the offering.
        feature: a known name, or one that some offering has already (of a plugin that is not installed here).
        on: whether it is to be included.
        reason: why.

    Returns:
        The offering as it is now.

    Raises:
        NotFound: there is no such offering.
        InvalidInput: an unknown feature, or no reason.
    """
    require_reason(reason)
    before = await _locked(session, code)
    if all(feature not in offering.features for offering in await list_offerings(session)):
        catalogue.check_feature(feature)
    changed = before.features | with_lower_grades([feature]) if on else before.features - {*with_higher_grades(feature)}
    after = replace(before, features=changed)
    if after != before:
        await _store(session, after)
        details = {"added": sorted(changed - before.features), "removed": sorted(before.features - changed)}
        await record_platform(session, actor, "offering.features_changed", reason, code, details)
    return after


async def set_limit(
    session: PlatformSession,
    catalogue: Catalogue,
    actor: Actor,
    code: str,
    limit: str,
    value: int | None,
    *,
    reason: str,
) -> OfferingInfo:
    """Change a limit of an offering; tenants that have more already keep it, but get nothing new.

    Args:
        session: the platform's.
        catalogue: the known names.
        actor: the operator.
        code: the offering.
        limit: a known name, or one that some offering has already.
        value: the number, `None` for unlimited.
        reason: why.

    Raises:
        NotFound: there is no such offering.
        InvalidInput: an unknown limit, a number that is negative or absurd, or no reason.
    """
    require_reason(reason)
    check_limit_value(value)
    before = await _locked(session, code)
    if all(limit not in offering.limits for offering in await list_offerings(session)):
        catalogue.check_limit(limit)
    after = replace(before, limits={**before.limits, limit: value})
    if after != before:
        await _store(session, after)
        details = {"limit": limit, "before": before.limits.get(limit, 0), "after": value}
        await record_platform(session, actor, "offering.limit_changed", reason, code, details)
    return after


async def copy_offering(
    session: PlatformSession, actor: Actor, source: str, code: str, title: str, rank: int, *, reason: str
) -> OfferingInfo:
    """Make a new offering with everything that another one has.

    Raises:
        NotFound: there is no such source.
        InvalidInput: code or title cannot be used.
        Conflict: the code is taken.
    """
    require_reason(reason)
    _check_offering(code, title)
    original = await _locked(session, source)
    if await session.one_or_none(repository.OFFERING_FOR_UPDATE, {"code": code}) is not None:
        raise Conflict(_("There is an offering with the code “%(code)s” already.", code=code))
    copy = replace(original, code=code, title=title.strip(), rank=rank)
    await session.execute(repository.INSERT_OFFERING, _values(copy))
    await record_platform(session, actor, "offering.copied", reason, code, {"from": source, "title": title})
    return copy


async def put_offering(session: PlatformSession, actor: Actor, wanted: OfferingInfo, *, reason: str) -> None:
    """Make an offering be as described (for files): added when missing, changed when different.

    Args:
        session: the platform's.
        actor: who.
        wanted: its features are completed by lower grades.
        reason: why.
    """
    wanted = replace(wanted, features=frozenset(with_lower_grades(wanted.features)))
    row = await session.one_or_none(repository.OFFERING_FOR_UPDATE, {"code": wanted.code})
    if row is None:
        await session.execute(repository.INSERT_OFFERING, _values(wanted))
    else:
        await _store(session, wanted)
    action = "offering.added" if row is None else "offering.changed"
    await record_platform(session, actor, action, reason, wanted.code, _details(wanted))


def check_limit_value(value: int | None) -> None:
    """Refuse numbers that no limit can be.

    Raises:
        InvalidInput: under the field `value`.
    """
    if value is not None and not 0 <= value <= _MAX_LIMIT:
        sentence = _("A limit is a number from 0 to %(most)s, or unlimited.", most=_MAX_LIMIT)
        raise InvalidInput(sentence, fields={"value": sentence})


def missing_from(offerings: Sequence[OfferingInfo], code: str) -> NotFound:
    """The error for an unknown offering, naming those that there are."""
    names = ", ".join(offering.code for offering in offerings)
    return NotFound(_("There is no offering “%(code)s”; there are: %(names)s.", code=code, names=names))


def _check_offering(code: str, title: str) -> None:
    fields = {}
    if not _CODE.fullmatch(code):
        fields["code"] = _("Use lower-case letters, digits and underscores, starting with a letter.")
    if not title.strip():
        fields["title"] = _("Please give it a title.")
    if fields:
        raise InvalidInput(" ".join(fields.values()), fields=fields)


async def _locked(session: PlatformSession, code: str) -> OfferingInfo:
    row = await session.one_or_none(repository.OFFERING_FOR_UPDATE, {"code": code})
    if row is None:
        raise missing_from(await list_offerings(session), code)
    return OfferingInfo(row.code, row.title, row.rank, frozenset(row.features), dict(row.limits))


async def _store(session: PlatformSession, offering: OfferingInfo) -> None:
    await session.execute(repository.UPDATE_OFFERING, {**_details(offering), "of_code": offering.code})


def _values(offering: OfferingInfo) -> dict[str, object]:
    return {
        "code": offering.code,
        "title": offering.title,
        "rank": offering.rank,
        "features": sorted(offering.features),
        "limits": dict(sorted(offering.limits.items())),
    }


def _details(offering: OfferingInfo) -> dict[str, object]:
    return {name: value for name, value in _values(offering).items() if name != "code"}
