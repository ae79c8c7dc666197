"""The offerings side by side: only what works today is in the list, so that nobody buys a promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.domain.tenants.offerings import OfferingInfo
from regulars.kernel.i18n import N_, format_number
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A line of the comparison.

    Attributes:
        cells: one for each offering: a number or word, or whether it is included.
    """

    label: str
    cells: Sequence[str | bool]


_LIMITS = (("shops", N_("Shops")), ("programs", N_("Programs")))
_HOST_FEATURES = (
    ("cards", N_("Cards with QR code and number")),
    ("enrolment", N_("Enrolment on the phone and at the till")),
    ("staff_pins", N_("Staff PINs with lock")),
    ("stats", N_("Dashboard with figures")),
    ("households", N_("Households with a shared balance")),
    ("api_access", N_("API access")),
    ("white_label", N_("Without our name")),
)


def matrix_of(offerings: Sequence[OfferingInfo], registry: PluginRegistry) -> Sequence[MatrixRow]:
    """The comparison of all offerings.

    Args:
        offerings: in the order of the columns.
        registry: plugins that are not loaded are not offered.
    """
    own = [(name, limit.title) for name, limit in registry.limits.items()]
    limits = [MatrixRow(_(title), [_limit(one, name) for one in offerings]) for name, title in (*_LIMITS, *own)]
    plugins = [(plugin.name, plugin.manifest.title) for plugin in registry.plugins]
    features = [
        MatrixRow(_(title), [name in one.features for one in offerings])
        for name, title in (*_HOST_FEATURES[:2], *plugins, *_HOST_FEATURES[2:])
    ]
    return [*limits, *(row for row in features if any(row.cells))]


def _limit(offering: OfferingInfo, name: str) -> str | bool:
    plugin, _dot, own = name.partition(".")
    if own and plugin not in offering.features:
        return False
    number = offering.limits.get(name, 0)
    return _("unlimited") if number is None else format_number(number)
