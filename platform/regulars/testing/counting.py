"""Counting the statements that a block of code sends, so that lists can be held to a constant number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from regulars.kernel.db.database import TenantSession


@contextmanager
def counted(session: TenantSession) -> Iterator[list[str]]:
    """Collect the statements of a session.

    Args:
        session: an open transaction.

    Yields:
        The SQL texts, in order, growing while the block runs.
    """
    connection = session._connection.sync_connection
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(connection, "before_cursor_execute", note)
