"""Filling tables fast: their keys and indexes go while rows come in, and are made anew over all of them at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from asyncpg import Connection

KEYS = """
SELECT conrelid::regclass::text AS owner, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint
WHERE (contype = 'f' AND (conrelid = ANY($1::regclass[]) OR confrelid = ANY($1::regclass[])))
   OR (contype IN ('p', 'u') AND conrelid = ANY($1::regclass[]))
ORDER BY contype = 'f' DESC, owner, name
"""
INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
WHERE i.indrelid = ANY($1::regclass[]) AND c.oid IS NULL ORDER BY name
"""


@asynccontextmanager
async def bulk(connection: Connection, tables: Sequence[str]) -> AsyncIterator[None]:
    """One transaction in which these tables have neither keys nor indexes; they have them again at its end, checked.

    Args:
        connection: of the tables' owner.
        tables: their names with schema; nobody else can use them meanwhile.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL work_mem = '256MB'")
        keys = await connection.fetch(KEYS, tables)
        for key in keys:
            await connection.execute(f"ALTER TABLE {key['owner']} DROP CONSTRAINT {key['name']}")
        indexes = await connection.fetch(INDEXES, tables)
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        yield
        for index in indexes:
            await connection.execute(index["definition"])
        for key in reversed(keys):
            await connection.execute(f"ALTER TABLE {key['owner']} ADD CONSTRAINT {key['name']} {key['definition']}")
