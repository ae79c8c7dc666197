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
    assert connection is not None
    driver: Any = connection.connection.driver_connection
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    def note_prepared(query: Any) -> None:
        sent.append(query.query)

    event.listen(connection, "before_cursor_execute", note)
    driver.add_query_logger(note_prepared)
    try:
        yield sent
    finally:
        driver.remove_query_logger(note_prepared)
        event.remove(connection, "before_cursor_execute", note)
