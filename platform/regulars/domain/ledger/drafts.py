"""Drafts as rows: what is stored to answer "why these points?", and earnings that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.contracts.ledger import EntryDraft
from regulars.kernel.db.base import new_id


def explanation_of(draft: EntryDraft) -> dict[str, Any]:
    """What is stored to answer "why these points?": the plugin's details, and the steps in order."""
    if not draft.steps:
        return dict(draft.explanation)
    steps = [
        {"kind": step.kind, "message": step.message, "params": dict(step.params), "change": step.change}
        for step in draft.steps
    ]
    return {**draft.explanation, "steps": steps}


def pending_row(draft: EntryDraft, plugin: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    """The row of an earning that waits outside of the balance.

    Args:
        draft: with `pending_until`.
        plugin: who proposes it.
        origin: of the posting that it belongs to.
    """
    shared = {name: origin[name] for name in ("sale_id", "shop_id", "staff_id", "created_at")}
    return {
        **shared,
        "id": new_id(),
        "unit": draft.unit,
        "amount": draft.amount,
        "plugin": plugin,
        "rule": draft.rule,
        "counts_for_limits": draft.counts_for_limits,
        "explanation": explanation_of(draft),
        "expires_at": draft.expires_at,
        "due_at": draft.pending_until,
        "status": "open",
    }
