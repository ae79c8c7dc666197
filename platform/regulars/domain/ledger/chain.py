"""The hash chain over a tenant's entries: whoever changes, adds or takes out one leaves a place where it breaks.

Each link is SHA-256 over the link before it and the entry's canonical text. The chainer follows the sales at a
distance, so that it costs them nothing; invariant L10 checks every link.
"""

from __future__ import annotations

from hashlib import sha256

from regulars.domain.ledger import chain_repository as repository
from regulars.kernel.db.database import TenantSession

BATCH = 1000


async def lengthen(session: TenantSession, size: int = BATCH) -> int:
    """Add links for entries that have none yet, in the order in which they are found.

    Entries that were committed late are found within an hour.

    Args:
        session: the transaction; the links and all that it remembers are written in it.
        size: most links.

    Returns:
        How many were added; fewer than `size` when there are no more.
    """
    where = {"tenant": session.tenant_id}
    tail = await session.one_or_none(repository.TAIL, where)
    seq, link = (tail.seq, tail.hash) if tail is not None else (0, b"")
    rows = []
    for entry in await session.rows(repository.NEW, {**where, "size": size}):
        seq, link = seq + 1, sha256(link + entry.content).digest()
        rows.append({"tenant_id": session.tenant_id, "seq": seq, "entry_id": entry.id, "hash": link})
    if rows:
        await session.execute(repository.ADD, rows)
    return len(rows)
