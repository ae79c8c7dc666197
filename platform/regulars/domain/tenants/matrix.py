"""The matrix of the console: what each offering has, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from regulars.domain.tenants.catalogue import Catalogue, FeatureKind
from regulars.domain.tenants.offerings import OfferingInfo, list_offerings
from regulars.kernel.db.database import Session


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A feature.

    Attributes:
        kind: `unknown` for what offerings name but nothing here has, such as a plugin that is not installed.
        title: English, translated when shown; the name itself when it is unknown.
        included: code of the offering → whether it has it.
    """

    name: str
    kind: FeatureKind | Literal["unknown"]
    title: str
    included: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit; `values` is code of the offering → number, `None` for unlimited."""

    name: str
    title: str
    values: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class OfferingMatrix:
    """All offerings, lowest rank first, and what they have: known names first, in the catalogue's order."""

    offerings: Sequence[OfferingInfo]
    features: Sequence[FeatureRow]
    limits: Sequence[LimitRow]


async def offering_matrix(session: Session, catalogue: Catalogue) -> OfferingMatrix:
    """What each offering has."""
    offerings = await list_offerings(session)
    named = {name for offering in offerings for name in offering.features}
    limited = {name for offering in offerings for name in offering.limits}
    features = [
        FeatureRow(name, one.kind, one.title, _included(offerings, name)) for name, one in catalogue.features.items()
    ]
    features += [
        FeatureRow(name, "unknown", name, _included(offerings, name))
        for name in sorted(named - set(catalogue.features))
    ]
    limits = {**catalogue.limits, **{name: name for name in sorted(limited - set(catalogue.limits))}}
    return OfferingMatrix(
        offerings,
        features,
        [
            LimitRow(name, title, {offering.code: offering.limits.get(name, 0) for offering in offerings})
            for name, title in limits.items()
        ],
    )


def _included(offerings: Sequence[OfferingInfo], name: str) -> dict[str, bool]:
    return {offering.code: name in offering.features for offering in offerings}
