"""Drafts as rows: what is stored to answer "why these points?", and earnings that wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def cut_pending(row: Mapping[str, Any], amount: int) -> dict[str, Any]:
    """The change of an earning that waits, when units of it are taken back: less, or cancelled.

    Args:
        row: as it waits.
        amount: units, at most its own.
    """
    rest = row["amount"] - amount
    changed = {"amount": rest, "status": "open"} if rest else {"amount": amount, "status": "cancelled"}
    return {"id": row["id"], **changed}


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


def added_up(rows: list[dict[str, Any]], adds: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of counters, one for each that is meant: no statement can change a row twice.

    Args:
        rows: as they were added.
        adds: columns that are added up; none for rows that are no counters.
    """
    if not adds or len(rows) < 2:
        return rows
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        same = repr(sorted((name, value) for name, value in row.items() if name not in adds))
        known = found.get(same)
        found[same] = {**row, **{name: row[name] + known[name] for name in adds}} if known else row
    return list(found.values())
