"""What a refund comes to, and its rows: what the rest of the sale would not have given is taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from regulars.contracts.errors import InvalidInput
from regulars.contracts.events import RedemptionUndone, SaleRefunded
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import PostedEntry, Purchase, Refusal
from regulars.contracts.reversals import Reversal, RuleKey
from regulars.domain.ledger.drafts import cut_pending
from regulars.domain.ledger.evaluation import read_items
from regulars.domain.ledger.lots import Posted, posted, read_uuid
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.domain.ledger.replay import replay
from regulars.domain.redemptions.moving import Moving
from regulars.domain.refunds.parts import Part, left_of, share_of
from regulars.domain.refunds.plan import Grant, in_proportion, to_take
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Plan:
    """What a refund does.

    Attributes:
        sale, left: the sale as it was recorded, and what is left of it, `None` for nothing.
        takes: grant → units to take back.
        given_back: redemptions' entries to reverse.
    """

    sale: Purchase
    left: Purchase | None
    grants: Sequence[Grant]
    takes: Mapping[UUID, int]
    given_back: Sequence[Posted]

    def reversal(self, taken: Mapping[RuleKey, int]) -> Reversal:
        """What plugins are told."""
        left, whole = share_of(self.sale, self.left)
        return Reversal(left, whole, taken)

    def sale_row(self, sale_id: UUID, now: datetime) -> dict[str, Any]:
        """What the sale's row says of it."""
        amount, left = self.sale.amount_minor or 0, (self.left.amount_minor or 0) if self.left else 0
        return {"id": sale_id, "refunded_minor": amount - left, "refunded_at": None if self.left else now}


@dataclass(slots=True)
class _Taken:
    """What was taken back.

    Attributes:
        by_unit, by_rule: units.
        entries, originals: the reversals, and what they reverse in the same order.
    """

    by_unit: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[RuleKey] = field(default_factory=Counter)
    entries: list[PostedEntry] = field(default_factory=list)
    originals: list[PostedEntry] = field(default_factory=list)


def plan(opened: OpenCard, part: Part, redemptions: Sequence[UUID]) -> Plan:
    """What refunding a part of the sale comes to.

    Args:
        opened: the card, read for a refund.
        part: which part.
        redemptions: rewards that come back with it.

    Raises:
        InvalidInput: the sale has no such part, or not so much of it is left, or there is no such reward.
    """
    sale = opened.read["refunded"]
    purchase, earlier = _purchase(sale), [Part.of(one) for one in sale["refunds"] or ()]
    left = left_of(purchase, [*earlier, part])
    grants = _grants(sale)
    deserved = _deserved(opened, sale, purchase, left, grants)
    return Plan(
        purchase, left, grants, to_take(grants, deserved), _given_back(sale, redemptions, is_whole=left is None)
    )


def _deserved(
    opened: OpenCard, sale: Mapping[str, Any], purchase: Purchase, left: Purchase | None, grants: Sequence[Grant]
) -> Mapping[RuleKey, int]:
    """What the rest of the sale gives: by its rules as they were, else in proportion."""
    if left is None:
        return {}
    place = {name: read_uuid(sale[name]) for name in ("shop_id", "staff_id")}
    proposals = replay(opened, sale["evaluation"], purchase, left, **place) if sale["evaluation"] else None
    if proposals is None:
        return in_proportion(grants, share_of(purchase, left))
    deserved: Counter[RuleKey] = Counter()
    for one in proposals:
        deserved[one.plugin, one.draft.unit, one.draft.rule] += one.draft.amount
    return deserved


def book(opened: OpenCard, plan: Plan, sale_id: UUID, refund_id: UUID, reason: str) -> dict[str, Any]:
    """Add the rows of a plan.

    Returns:
        What it came to: units asked back by grant, and by unit what was taken, let go and given back.
    """
    posting = opened.posting("refund", sale_id=sale_id)
    back = _give_back(opened, posting, plan.given_back)
    taken = _take_back(opened, posting, plan, reason or "refund")
    opened.add_posting(posting)
    opened.add("sale_refunded", plan.sale_row(sale_id, opened.now))
    reversal = plan.reversal(taken.by_rule)
    opened.add_outcomes("reversal_posted", tuple(taken.entries), tuple(taken.originals), None, reversal)
    opened.add_event(
        SaleRefunded(refund_id=refund_id, sale_id=sale_id, card_id=opened.card.id, is_whole=plan.left is None)
    )
    asked = Counter[str]()
    for grant in plan.grants:
        asked[grant.unit] += plan.takes.get(grant.id, 0)
    result = {
        "asked": {str(grant_id): amount for grant_id, amount in plan.takes.items()},
        "taken": dict(taken.by_unit),
        "let_go": {unit: rest for unit, amount in asked.items() if (rest := amount - taken.by_unit[unit]) > 0},
        "given_back": dict(back),
        "is_whole": plan.left is None,
    }
    details = {name: result[name] for name in ("taken", "let_go", "given_back", "is_whole")}
    opened.add_audit(Subject("sale.refund", "sale", sale_id), outcome="done", details=details)
    return result


def _take_back(opened: OpenCard, posting: Posting, plan: Plan, reason: str) -> _Taken:
    """Take what is planned: what waits is cancelled, what was spent becomes a debt or is let go."""
    sale, taken = opened.read["refunded"], _Taken()
    earnings = {one.entry.id: one for one in _entries(sale) if one.entry.kind == "earn"}
    waiting = {UUID(one["id"]): one for one in sale["pending"] or () if one["status"] == "open"}
    keys = {grant.id: grant.key for grant in plan.grants}
    for grant_id, amount in plan.takes.items():
        if grant_id in waiting:
            opened.add("pending_change", cut_pending(waiting[grant_id], amount))
            taken.by_unit[waiting[grant_id]["unit"]] += amount
            taken.by_rule[keys[grant_id]] += amount
            continue
        earning = earnings[grant_id]
        unit = earning.entry.unit
        entry = posting.take_back(earning, amount, opened.lots, floor=opened.floor(unit), reason=reason)
        if entry is not None:
            taken.entries.append(entry)
            taken.originals.append(earning.entry)
            taken.by_unit[unit] -= entry.amount
            taken.by_rule[keys[grant_id]] -= entry.amount
    return taken


def _give_back(opened: OpenCard, posting: Posting, redemptions: Sequence[Posted]) -> Counter[str]:
    back: Counter[str] = Counter()
    shared = posting.origin
    rows = [entry["redemption"] for entry in opened.read["refunded"]["entries"] or () if entry["redemption"]]
    movings = {found.id: found for found in map(Moving.of, rows)}
    for one in redemptions:
        redemption_id = one.redemption_id
        assert redemption_id is not None
        posting.origin = {**shared, "redemption_id": redemption_id}
        entry = posting.reverse(one, reason="refund")
        back[entry.unit] += entry.amount
        movings[redemption_id].change(opened, "refund")
        opened.add_event(RedemptionUndone(redemption_id=redemption_id, card_id=opened.card.id))
        opened.add_outcomes("reversal_posted", (entry,), (one.entry,), redemption_id, None)
    posting.origin = shared
    return back


def refusal_of(opened: OpenCard) -> Refusal | None:
    """Why the sale cannot be refunded at all, `None` when it can."""
    sale = opened.read["refunded"]
    if sale["undone_at"] is not None:
        return Refusal("refund.undone", N_("This sale was taken back already."))
    if left_of(_purchase(sale), [Part.of(one) for one in sale["refunds"] or ()]) is None:
        return Refusal("refund.nothing_left", N_("This sale was refunded already."))
    return None


def _given_back(sale: Mapping[str, Any], wanted: Sequence[UUID], *, is_whole: bool) -> list[Posted]:
    spent = {one.redemption_id: one for one in _entries(sale) if one.entry.kind == "redeem" and not one.is_reversed}
    if missing := set(wanted) - spent.keys():
        sentence = _("There is no such reward to give back. Refused: %(count)s.", count=len(missing))
        raise InvalidInput(sentence, fields={"redemptions": sentence})
    return [one for redemption_id, one in spent.items() if is_whole or redemption_id in wanted]


def _grants(sale: Mapping[str, Any]) -> list[Grant]:
    asked: Counter[str] = Counter()
    for refund in sale["refunds"] or ():
        asked.update(refund["result"].get("asked", {}))
    waiting, cut = [], Counter[RuleKey]()
    for row in sale["pending"] or ():
        key, before = (row["plugin"], row["unit"], row["rule"]), asked[row["id"]]
        if row["status"] == "open":
            waiting.append(Grant(UUID(row["id"]), key, row["amount"] + before, row["amount"], is_pending=True))
        else:  # released since, without what was asked back before
            cut[key] += before
    earned = [one.entry for one in _entries(sale) if one.entry.kind == "earn"]
    keys = [(entry.plugin, entry.unit, entry.rule) for entry in earned]
    return [
        *(
            Grant(entry.id, key, entry.amount + cut.pop(key, 0), entry.amount - asked[str(entry.id)])
            for entry, key in zip(earned, keys, strict=True)
        ),
        *waiting,
    ]


def _entries(sale: Mapping[str, Any]) -> list[Posted]:
    return [posted(one) for one in sale["entries"] or ()]


def _purchase(sale: Mapping[str, Any]) -> Purchase:
    return Purchase(
        quantity=sale["quantity"],
        amount_minor=sale["amount_minor"],
        currency=sale["currency"],
        items=read_items(sale["items"]),
        channel=sale["channel"],
        counts=sale["counts"],
    )
