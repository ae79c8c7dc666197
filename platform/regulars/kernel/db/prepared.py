"""Statements that are compiled once and run as plain SQL.

SQLAlchemy spends two to three milliseconds of Python a sale when statements are built or cache-keyed per request;
compiled at start, the same text costs a fraction. Values go to the driver as they are, JSON as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]


def to_json(value: Any) -> str:
    """JSON text of a value, compact; uuids and times as strings, bytes as PostgreSQL's hex.

    Raises:
        TypeError: for a value that JSON cannot hold.
    """
    return orjson.dumps(value, default=_default).decode()


def _default(value: Any) -> str | int:
    if isinstance(value, UUID):  # the driver's own kind; the usual one is told by orjson
        return str(value)
    if isinstance(value, Decimal):  # a plugin's fact may be a `sum`, which the database counts in its own way
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{type(value).__name__} does not fit into JSON")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled statement.

    Attributes:
        sql: text with `$1`, `$2`, ….
        names: parameter names in that order.
        json_names: parameters that are sent as JSON text.
        fixed: values that stood in the statement when it was compiled.
    """

    sql: str
    names: tuple[str, ...]
    json_names: frozenset[str]
    fixed: Mapping[str, Any]

    def arguments(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        """Positional arguments from named ones.

        Raises:
            KeyError: when a parameter is missing.
        """
        fixed = self.fixed
        return tuple(
            fixed[name] if name in fixed else to_json(parameters[name]) if name in self.json_names else parameters[name]
            for name in self.names
        )


def prepare(statement: ClauseElement) -> Prepared:
    """Compile a Core statement once.

    Args:
        statement: with required `bindparam`s for everything that varies; expanding parameters are not supported.

    Returns:
        The text and the order of its parameters.
    """
    compiled = statement.compile(dialect=_DIALECT)
    assert isinstance(compiled, SQLCompiler)
    names = tuple(compiled.positiontup or ())
    types = {name: bind.type for bind, name in compiled.bind_names.items()}
    fixed = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
    return Prepared(
        sql=str(compiled),
        names=names,
        json_names=frozenset(n for n, t in types.items() if isinstance(t, JSONB)),
        fixed=fixed,
    )
