"""Making jobs: one INSERT in the transaction of whoever wants the work done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.jobs import repository

RESERVED = "$"
MAX_PAYLOAD = 32_768


async def enqueue(
    session: TenantSession,
    name: str,
    payload: Mapping[str, Any],
    *,
    version: int = 1,
    dedup_key: str | None = None,
    run_at: datetime | None = None,
    order_key: str | None = None,
    order_seq: int = 0,
) -> UUID | None:
    """Write a job for the session's tenant; it exists if and only if the transaction commits.

    Args:
        session: the caller's transaction.
        name: full name, `core.<name>` or `<plugin>.<name>`.
        payload: identifiers and plain values; uuids and times become strings. No personal data, no secrets.
        version: of the payload's form.
        dedup_key: at most one job of this name is made for it (as long as done jobs are kept, 30 days).
        run_at: not before this time, by the server's clock; now when left out.
        order_key: of the jobs with one key only the oldest open one may run.
        order_seq: age within the key; jobs with equal ones run in the order of their making.

    Returns:
        The job's id, `None` when its dedup key has been used before.

    Raises:
        TypeError: the payload does not fit into JSON.
        ValueError: the payload is too large or uses a reserved name.
    """
    return await repository.add(
        session,
        repository.row(
            session.tenant_id,
            name,
            plain_payload(payload),
            version=version,
            dedup_key=dedup_key,
            run_at=run_at,
            order_key=order_key,
            order_seq=order_seq,
        ),
    )


def plain_payload(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload as it will be read back: JSON values only.

    Raises:
        TypeError: a value does not fit into JSON.
        ValueError: it is too large or uses a reserved name.
    """
    text = to_json(dict(payload))
    if len(text) > MAX_PAYLOAD:
        raise ValueError(f"a job's payload may have {MAX_PAYLOAD} characters, this one has {len(text)}: store it first")
    if any(name.startswith(RESERVED) for name in payload):
        raise ValueError(f"names in a job's payload may not start with {RESERVED!r}")
    plain: dict[str, Any] = json.loads(text)
    return plain
