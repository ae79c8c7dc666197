"""What must always hold, as SQL: each query returns the rows that break it, none when all is well.

`regulars doctor --ledger` runs them on a live database, the tests after every fault. Names are those of the reliability
specification in docs/concepts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars.domain.redemptions.life import BEGINNINGS, MOVES


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule.

    Attributes:
        name: short name, L2 and so on.
        sentence: what holds.
        query: rows that break it; the first column says where.
    """

    name: str
    sentence: str
    query: str


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold, with up to ten places."""

    invariant: Invariant
    places: tuple[str, ...]


CANONICAL_ENTRY = """convert_to(jsonb_build_array(
    e.tenant_id, e.id, e.card_id, e.unit, e.seq, e.kind, e.amount, e.balance_after, e.lifetime_after, e.occasion,
    e.plugin, e.rule, e.counts_for_limits, e.explanation, e.reason, e.sale_id, e.redemption_id, e.reverses_id,
    e.shop_id, e.staff_id, e.source, e.device, (extract(epoch FROM e.created_at) * 1000000)::bigint)::text, 'UTF8')"""
"""An entry as bytes, the same whatever the session's settings and the order of columns are; `e` is its row."""


def _tuples(rows: Iterable[tuple[str, ...]]) -> str:
    return ", ".join("(" + ", ".join(f"'{text}'" for text in row) + ")" for row in sorted(set(rows)))


_BEGINNINGS = _tuples(BEGINNINGS)
_MOVES = _tuples((*before, *after) for (before, _move), after in MOVES.items())
INVARIANTS = (
    Invariant(
        "L2",
        "An account's balance is the sum of its entries.",
        """SELECT a.card_id || ' ' || a.unit FROM core.account a
           LEFT JOIN (SELECT tenant_id, card_id, unit, sum(amount) AS total FROM core.ledger_entry GROUP BY 1, 2, 3) e
             USING (tenant_id, card_id, unit)
           WHERE a.balance <> coalesce(e.total, 0)
           UNION ALL
           SELECT e.card_id || ' ' || e.unit FROM core.ledger_entry e
           LEFT JOIN core.account a USING (tenant_id, card_id, unit) WHERE a.card_id IS NULL""",
    ),
    Invariant(
        "L3",
        "The running balance is continuous and the numbers have no gap.",
        """SELECT id::text FROM (
             SELECT id, amount, balance_after, seq, lag(balance_after, 1, 0::bigint) OVER w AS before,
                    lag(seq, 1, 0::bigint) OVER w AS previous
             FROM core.ledger_entry WINDOW w AS (PARTITION BY tenant_id, card_id, unit ORDER BY seq)) x
           WHERE balance_after <> before + amount OR seq <> previous + 1""",
    ),
    Invariant(
        "L4",
        "An account's number is that of its last entry, and its lifetime that entry's.",
        """SELECT a.card_id || ' ' || a.unit FROM core.account a
           LEFT JOIN LATERAL (SELECT seq, lifetime_after FROM core.ledger_entry e WHERE e.tenant_id = a.tenant_id
             AND e.card_id = a.card_id AND e.unit = a.unit ORDER BY seq DESC LIMIT 1) e ON true
           WHERE a.seq IS DISTINCT FROM e.seq OR a.lifetime IS DISTINCT FROM e.lifetime_after""",
    ),
    Invariant(
        "L5",
        "Reversals go against one original of their unit and card, or of one that was merged into it, take no more than"
        " it, and are not reversed.",
        """SELECT o.id::text FROM core.ledger_entry o
           JOIN (SELECT tenant_id, reverses_id, sum(abs(amount)) AS total, array_agg(DISTINCT card_id) AS cards,
                   array_agg(DISTINCT unit) AS units, array_agg(DISTINCT sign(amount)) AS signs
                 FROM core.ledger_entry WHERE reverses_id IS NOT NULL GROUP BY 1, 2) r
             ON r.tenant_id = o.tenant_id AND r.reverses_id = o.id
           WHERE EXISTS (SELECT 1 FROM unnest(r.cards) c WHERE c <> o.card_id AND NOT EXISTS (
                   SELECT 1 FROM core.card_merge m
                   WHERE m.tenant_id = o.tenant_id AND m.card_id = o.card_id AND m.target_id = c))
              OR r.units <> ARRAY[o.unit] OR r.signs <> ARRAY[-sign(o.amount)]
              OR r.total > abs(o.amount) OR o.kind = 'reverse'""",
    ),
    Invariant(
        "L6",
        "What was moved between cards sums to nothing.",
        """SELECT tenant_id || ' ' || unit FROM core.ledger_entry
           WHERE kind = 'adjust' AND occasion IN ('transfer', 'household', 'merge', 'unmerge')
           GROUP BY tenant_id, unit HAVING sum(amount) <> 0""",
    ),
    Invariant(
        "L7",
        "Amounts are in range, of their kind's sign, and not zero but in a merge; a balance goes below zero only by a"
        " reversal or a merge.",
        """SELECT id::text FROM core.ledger_entry
           WHERE abs(amount) > 10 ^ 12 OR balance_after NOT BETWEEN -(10 ^ 12) AND 2 ^ 53
              OR (amount = 0 AND occasion NOT IN ('merge', 'unmerge'))
              OR (balance_after < 0 AND amount < 0 AND kind <> 'reverse' AND occasion NOT IN ('merge', 'unmerge'))
              OR (kind = 'earn' AND amount < 0) OR (kind IN ('redeem', 'expire') AND amount > 0)""",
    ),
    Invariant(
        "L8",
        "Times never go back along an account.",
        """SELECT id::text FROM (SELECT id, created_at, lag(created_at) OVER (
             PARTITION BY tenant_id, card_id, unit ORDER BY seq) AS before FROM core.ledger_entry) x
           WHERE created_at < before""",
    ),
    Invariant(
        "L10",
        "Each link of a tenant's hash chain is made of the link before it and an entry as it was written.",
        f"""SELECT c.entry_id::text FROM (
             SELECT tenant_id, seq, entry_id, hash, lag(hash, 1, ''::bytea) OVER w AS before,
                    lag(seq, 1, 0::bigint) OVER w AS previous
             FROM core.ledger_chain WINDOW w AS (PARTITION BY tenant_id ORDER BY seq)) c
           LEFT JOIN core.ledger_entry e ON e.tenant_id = c.tenant_id AND e.id = c.entry_id
           WHERE e.id IS NULL OR c.seq <> c.previous + 1 OR c.hash <> sha256(c.before || {CANONICAL_ENTRY})""",  # noqa: S608 -- our own constant
    ),
    Invariant(
        "O1",
        "A lot holds between nothing and what it was made with; the lots of an entry are not more than it gave.",
        """SELECT l.id::text FROM core.ledger_lot l
           LEFT JOIN core.ledger_entry e ON e.tenant_id = l.tenant_id AND e.id = l.entry_id
           WHERE l.amount_left NOT BETWEEN 0 AND l.amount OR e.id IS NULL OR e.card_id <> l.card_id OR e.unit <> l.unit
           UNION ALL
           SELECT e.id::text FROM core.ledger_entry e
           JOIN (SELECT tenant_id, entry_id, sum(amount) AS made FROM core.ledger_lot GROUP BY 1, 2) l
             ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
           WHERE l.made > e.amount OR (e.kind <> 'reverse' AND e.occasion <> 'unmerge' AND l.made <> e.amount)""",
    ),
    Invariant(
        "O2",
        "What the lots of an account hold is its balance; in debt they hold nothing.",
        """SELECT a.card_id || ' ' || a.unit FROM core.account a
           LEFT JOIN (SELECT tenant_id, card_id, unit, sum(amount_left) AS held FROM core.ledger_lot GROUP BY 1, 2, 3) l
             USING (tenant_id, card_id, unit)
           WHERE greatest(a.balance, 0) <> coalesce(l.held, 0)""",
    ),
    Invariant(
        "O3a",
        "What is gone from a lot is what entries took from it.",
        """SELECT l.id::text FROM core.ledger_lot l
           LEFT JOIN (SELECT tenant_id, lot_id, sum(amount) AS used FROM core.ledger_lot_use GROUP BY 1, 2) u
             ON u.tenant_id = l.tenant_id AND u.lot_id = l.id
           WHERE l.amount - l.amount_left <> coalesce(u.used, 0)""",
    ),
    Invariant(
        "O3b",
        "An entry put into lots and took from them exactly what it changed of the balance above zero.",
        """SELECT e.id::text FROM core.ledger_entry e
           LEFT JOIN (SELECT tenant_id, entry_id, sum(amount) AS made FROM core.ledger_lot GROUP BY 1, 2) l
             ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
           LEFT JOIN (SELECT tenant_id, entry_id, sum(amount) AS used FROM core.ledger_lot_use GROUP BY 1, 2) u
             ON u.tenant_id = e.tenant_id AND u.entry_id = e.id
           WHERE coalesce(l.made, 0) - coalesce(u.used, 0)
              <> greatest(e.balance_after, 0) - greatest(e.balance_after - e.amount, 0)""",
    ),
    Invariant(
        "I3",
        "A stored success has its sale or redemption, and a till's sale has its stored answer.",
        """SELECT i.key FROM core.idempotency i
           LEFT JOIN core.sale s ON s.tenant_id = i.tenant_id AND s.id = i.sale_id
           LEFT JOIN core.redemption r ON r.tenant_id = i.tenant_id AND r.id = i.redemption_id
           WHERE (i.sale_id IS NOT NULL AND s.id IS NULL) OR (i.redemption_id IS NOT NULL AND r.id IS NULL)
              OR (i.status = 200 AND i.sale_id IS NULL AND i.redemption_id IS NULL
                  AND i.principal NOT IN ('join_form', 'award', 'award_back'))
           UNION ALL
           SELECT s.id::text FROM core.sale s WHERE NOT EXISTS (
             SELECT 1 FROM core.idempotency i
             WHERE i.tenant_id = s.tenant_id AND i.sale_id = coalesce(s.bill_id, s.id))
             AND s.created_at > core.now() - interval '30 days'""",
    ),
    Invariant(
        "P4",
        "Every entry of a till names its staff member, place and device.",
        """SELECT id::text FROM core.ledger_entry
           WHERE source = 'terminal' AND (staff_id IS NULL OR shop_id IS NULL OR device = '')""",
    ),
    Invariant(
        "X1",
        "Every entry has exactly one event, and every entry's event its entry.",
        """SELECT e.id::text FROM core.ledger_entry e
           LEFT JOIN core.outbox_event o ON o.tenant_id = e.tenant_id AND o.entry_id = e.id WHERE o.id IS NULL
           UNION ALL
           SELECT o.id::text FROM core.outbox_event o
           LEFT JOIN core.ledger_entry e ON e.tenant_id = o.tenant_id AND e.id = o.entry_id
           WHERE o.entry_id IS NOT NULL AND e.id IS NULL""",
    ),
    Invariant(
        "B5",
        "A redemption went from state to state as the table of its life allows, and is in the last of them.",
        """SELECT redemption_id::text FROM (
             SELECT tenant_id, redemption_id, number, status, fulfilment,
                    lag(status) OVER w AS status_before, lag(fulfilment) OVER w AS fulfilment_before,
                    lag(number, 1, 0::bigint) OVER w AS number_before
             FROM core.redemption_step WINDOW w AS (PARTITION BY tenant_id, redemption_id ORDER BY number)) s
           WHERE number <> number_before + 1
              OR (status_before IS NULL AND (status, fulfilment) NOT IN (:beginnings))
              OR (status_before IS NOT NULL
                  AND (status_before, fulfilment_before, status, fulfilment) NOT IN (:moves))
           UNION ALL
           SELECT r.id::text FROM core.redemption r
           LEFT JOIN core.redemption_step s ON s.tenant_id = r.tenant_id AND s.redemption_id = r.id
             AND s.number = r.steps
           WHERE (s.status, s.fulfilment) IS DISTINCT FROM (r.status, r.fulfilment)""".replace(
            ":beginnings", _BEGINNINGS
        ).replace(":moves", _MOVES),
    ),
    Invariant(
        "M1",
        "A card leads to one of its program that leads nowhere, and nothing is left on it.",
        """SELECT c.id::text FROM core.card c
           JOIN core.card t ON t.tenant_id = c.tenant_id AND t.id = c.merged_into
           LEFT JOIN core.account a ON a.tenant_id = c.tenant_id AND a.card_id = c.id
           WHERE t.merged_into IS NOT NULL OR t.program_id <> c.program_id OR NOT t.has_merged
              OR a.balance <> 0 OR a.lifetime <> 0""",
    ),
    Invariant(
        "H1",
        "A card that shares is of its household's program and in the list of its members; nobody else is in that list.",
        """SELECT coalesce(c.id, m.card_id)::text FROM core.card c
           FULL JOIN (SELECT tenant_id, card_id, household_id FROM core.household_member WHERE left_at IS NULL) m
             ON m.tenant_id = c.tenant_id AND m.card_id = c.id
           LEFT JOIN core.household h ON h.tenant_id = c.tenant_id AND h.id = c.household_id
           WHERE c.household_id IS DISTINCT FROM m.household_id OR h.program_id <> c.program_id""",
    ),
    Invariant(
        "H2",
        "A household that stands has its head in it, and one that has ended has nobody.",
        """SELECT h.id::text FROM core.household h
           LEFT JOIN core.card c ON c.tenant_id = h.tenant_id AND c.id = h.head_id AND c.household_id = h.id
           WHERE (h.ended_at IS NULL) <> (c.id IS NOT NULL)""",
    ),
    Invariant(
        "H3",
        "What cards got from their households, other cards of the same program gave.",
        """SELECT min(e.id::text) FROM core.ledger_entry e
           JOIN core.card c ON c.tenant_id = e.tenant_id AND c.id = e.card_id
           WHERE e.occasion = 'household' GROUP BY e.tenant_id, c.program_id, e.unit HAVING sum(e.amount) <> 0""",
    ),
    Invariant(
        "U1",
        "An undone sale or redemption has all its entries reversed, and one that stands unrefunded has none.",
        """SELECT e.id::text FROM core.ledger_entry e
           LEFT JOIN (SELECT tenant_id, reverses_id, sum(amount) AS total FROM core.ledger_entry
                      WHERE reverses_id IS NOT NULL GROUP BY 1, 2) r
             ON r.tenant_id = e.tenant_id AND r.reverses_id = e.id
           LEFT JOIN core.sale s ON s.tenant_id = e.tenant_id AND s.id = e.sale_id
           LEFT JOIN core.redemption d ON d.tenant_id = e.tenant_id AND d.id = e.redemption_id
           WHERE e.kind IN ('earn', 'redeem') AND coalesce(d.id, s.id) IS NOT NULL
             AND CASE WHEN d.id IS NOT NULL THEN (d.undone_at IS NOT NULL) <> (coalesce(r.total, 0) = -e.amount)
                      WHEN s.undone_at IS NOT NULL THEN coalesce(r.total, 0) <> -e.amount
                      ELSE r.total IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM core.refund f WHERE f.tenant_id = s.tenant_id AND f.sale_id = s.id) END""",
    ),
    Invariant(
        "U2",
        "A sale says that nothing is left of it exactly when a refund took the rest, and then that all money went.",
        """SELECT s.id::text FROM core.sale s
           LEFT JOIN (SELECT tenant_id, sale_id, bool_or((result->>'is_whole')::boolean) AS is_whole
                      FROM core.refund WHERE result <> '{}' GROUP BY 1, 2) f
             ON f.tenant_id = s.tenant_id AND f.sale_id = s.id
           WHERE (s.refunded_at IS NOT NULL) <> coalesce(f.is_whole, false)
              OR (s.refunded_at IS NOT NULL AND s.refunded_minor <> coalesce(s.amount_minor, 0))
              OR (s.refunded_minor > 0 AND f.sale_id IS NULL)""",
    ),
)


async def breaches(connection: AsyncConnection) -> list[Breach]:
    """Run every check.

    Args:
        connection: of a role that sees all tenants (migrator or platform).

    Returns:
        The rules that do not hold; empty when all is well.
    """
    found: list[Breach] = []
    for invariant in INVARIANTS:
        rows: list[Any] = list((await connection.execute(text(f"{invariant.query} LIMIT 10"))).scalars())
        if rows:
            found.append(Breach(invariant, tuple(str(row) for row in rows)))
    return found
