"""What a refund takes back of what a sale has given: pure arithmetic in whole units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from regulars.contracts.reversals import RuleKey


@dataclass(frozen=True, slots=True)
class Grant:
    """Something that the sale gave: an entry, or an earning that still waits.

    Attributes:
        id: of the entry or of the pending earning.
        given: what it gave at first.
        left: what of it no refund has asked back yet.
        is_pending: it waits outside of the balance.
    """

    id: UUID
    key: RuleKey
    given: int
    left: int
    is_pending: bool = False

    @property
    def unit(self) -> str:
        """The unit."""
        return self.key[1]


def to_take(grants: Sequence[Grant], deserved: Mapping[RuleKey, int]) -> dict[UUID, int]:
    """How much to take back of each grant, so that of each unit no more stays than the rest of the sale deserves.

    What waits is taken before what can be spent, the newest first, and a rule's gift before another rule's when it
    would not have been given at all. What the rest deserves on top is not given: a refund never adds.

    Args:
        grants: in the order in which they were given.
        deserved: plugin, unit and rule → units that what is left of the sale gives.

    Returns:
        Grant → units above 0; grants of which nothing is taken are left out.
    """
    taken: Counter[UUID] = Counter()
    newest_first = grants[::-1]
    order = sorted(newest_first, key=lambda grant: not grant.is_pending)
    for unit in sorted({grant.unit for grant in grants}):
        mine = [grant for grant in order if grant.unit == unit]
        excess = sum(grant.left for grant in mine) - sum(amount for key, amount in deserved.items() if key[1] == unit)
        spare = {
            key: sum(grant.left for grant in mine if grant.key == key) - deserved.get(key, 0)
            for key in {grant.key for grant in mine}
        }
        for grant in mine:  # first what its own rule would not have given
            part = max(0, min(grant.left, spare[grant.key], excess))
            spare[grant.key] -= part
            excess -= part
            taken[grant.id] += part
        for grant in mine:  # then what other rules have given too much
            part = max(0, min(grant.left - taken[grant.id], excess))
            excess -= part
            taken[grant.id] += part
    return {grant_id: amount for grant_id, amount in taken.items() if amount}


def in_proportion(grants: Iterable[Grant], share: tuple[int, int]) -> dict[RuleKey, int]:
    """What the rest of a sale deserves where its rules cannot be asked again: its share, rounded down.

    Args:
        grants: all of the sale.
        share: numerator and denominator of what is left.
    """
    given: Counter[RuleKey] = Counter()
    for grant in grants:
        given[grant.key] += grant.given
    return {key: amount * share[0] // share[1] for key, amount in given.items()}
