"""What a plugin is told when a sale is taken back, or a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RuleKey = tuple[str, str, str]
"""Plugin, unit, rule."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """A sale of which something is taken back; `LedgerContext.sale_id` says which.

    Attributes:
        left, whole: so much of the sale is left after it, `left` of `whole` parts: by money, else by lines, else by
            number. Nothing is left after an undo.
        taken: units taken back by whoever gave them; those among them that were still pending are in no entry. What had
            been spent and is let go is not among them.
    """

    left: int = 0
    whole: int = 1
    taken: Mapping[RuleKey, int] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the sale is left."""
        return self.left == 0
