"""The kinds of card transactions: which tables each may write, and what it is called in the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from regulars.domain.ledger.extra_statements import Extra
from regulars.domain.ledger.write_statements import Part

Operation = Literal[
    "earn",
    "award",
    "award_back",
    "redeem",
    "carry_on",
    "undo",
    "enrol",
    "refund",
    "upkeep",
    "adjust",
    "merge",
    "refuse",
]
TRACES: tuple[Part, ...] = ("audit", "event", "idempotency", "staff")
ENTRIES: tuple[Part, ...] = ("entry", "account", "activity")
LOTS: tuple[Part, ...] = ("lot", "lot_use", "lot_change")
MOVES: tuple[Part, ...] = ("redemption_move", "redemption_step")
PARTS_OF: Mapping[Operation, tuple[Part, ...]] = {
    "earn": ("sale", "evaluation", *ENTRIES, "lot", "lot_use", "pending", *TRACES),
    "award": ("award", *ENTRIES, "lot", "lot_use", "pending", *TRACES),
    "award_back": (*ENTRIES, *LOTS, "pending_change", *TRACES),
    "redeem": ("redemption", "redemption_step", *ENTRIES, *LOTS, *TRACES),
    "carry_on": (*MOVES, *ENTRIES, *LOTS, *TRACES),
    "undo": ("sale_undone", *MOVES, *ENTRIES, *LOTS, "pending_change", *TRACES),
    "refund": ("refund", "sale_refunded", *MOVES, *ENTRIES, *LOTS, "pending_change", *TRACES),
    "upkeep": (*ENTRIES, *LOTS, "pending_change", "audit", "event"),
    "adjust": ("adjustment", "adjustment_decided", *ENTRIES, *LOTS, *TRACES),
    "merge": (*ENTRIES, *LOTS, *TRACES),
    "enrol": (*ENTRIES, "lot", "pending", "audit", "event"),
    "refuse": TRACES,
}
ACTION_OF: Mapping[Operation, str] = {
    "earn": "sale.record",
    "award": "card.award",
    "award_back": "card.award_back",
    "redeem": "reward.redeem",
    "carry_on": "redemption.move",
    "undo": "sale.undo",
    "enrol": "member.enrol",
    "refund": "sale.refund",
    "upkeep": "units.upkeep",
    "adjust": "points.adjust",
    "merge": "member.merge",
}
ACTION_READING: Mapping[Extra, str] = {
    "occasion": "card.award",
    "award": "card.award_back",
    "sale": "sale.record",
    "lots": "reward.redeem",
    "last": "sale.undo",
    "refund": "sale.refund",
    "redemption": "redemption.move",
}
