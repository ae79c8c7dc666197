"""Queries of the hash chain."""

from __future__ import annotations

from sqlalchemy import text

from regulars.domain.ledger.invariants import CANONICAL_ENTRY

TAIL = text("SELECT seq, hash FROM core.ledger_chain WHERE tenant_id = :tenant ORDER BY seq DESC LIMIT 1")
NEW = text(
    f"""SELECT e.id, {CANONICAL_ENTRY} AS content FROM core.ledger_entry e
        WHERE e.tenant_id = :tenant AND e.created_at >= coalesce(
            (SELECT h.created_at - interval '1 hour' FROM core.ledger_chain c
             JOIN core.ledger_entry h ON h.tenant_id = c.tenant_id AND h.id = c.entry_id
             WHERE c.tenant_id = :tenant ORDER BY c.seq DESC LIMIT 1), '-infinity')
          AND NOT EXISTS (SELECT 1 FROM core.ledger_chain c WHERE c.tenant_id = e.tenant_id AND c.entry_id = e.id)
        ORDER BY e.created_at, e.id LIMIT :size"""  # noqa: S608 -- our own constant
)
ADD = text("INSERT INTO core.ledger_chain (tenant_id, seq, entry_id, hash) VALUES (:tenant_id, :seq, :entry_id, :hash)")
