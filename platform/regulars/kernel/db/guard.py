"""What a statement of the app role may be: it reads and writes rows, and leaves transaction and tenant alone.

The session that plugins get has no way to commit, but it runs SQL, and SQL can say COMMIT or set another tenant. This
is checked for every statement of the app role, whoever sends it; each text is looked at once. Plugins run in our
process and are trusted not to be hostile: this catches what is wrong, not what hides.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from regulars.contracts.errors import RegularsError

_ROWS = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|VALUES|SHOW)\b",
    re.IGNORECASE | re.DOTALL,
)
_DOORS = ("set_config", "query_to_xml", "cursor_to_xml", "dblink")
"""Functions that change the tenant, or run a text that was not looked at."""


class ForbiddenStatement(RegularsError):
    """A statement that ends the transaction, changes the tenant, or is none of those that work on rows."""


def watch(engine: AsyncEngine) -> None:
    """Check every statement of an engine before it is sent.

    Args:
        engine: of the app role.
    """
    event.listen(engine.sync_engine, "before_cursor_execute", _check)


def _check(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    check(statement)


def check(statement: str) -> None:
    """Check a statement that goes to the driver itself.

    Raises:
        ForbiddenStatement: it does not work on rows only.
    """
    if not is_allowed(statement):
        raise ForbiddenStatement(f"this statement may not be run: {statement.strip().split(maxsplit=1)[0]}")


@lru_cache(maxsize=4096)
def is_allowed(statement: str) -> bool:
    """Whether a statement only works on rows."""
    lower = statement.lower()
    return _ROWS.match(statement) is not None and not any(door in lower for door in _DOORS)
