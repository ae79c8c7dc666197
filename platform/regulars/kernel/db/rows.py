"""Write statements that take their rows as one JSON parameter: built once at import, any number of rows.

A row names its columns; `tenant_id` is always among them and is filled in by the host, as is `card_id` where the table
has it.
"""

from __future__ import annotations

from sqlalchemy import Table, and_, bindparam, column, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.dml import Delete, Update
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import TableValuedAlias

OWNER_COLUMNS = ("tenant_id", "card_id")
_ALIAS = "given"


def insert_rows(target: Table | type[DeclarativeBase], *columns: str, bind: str) -> Insert:
    """An INSERT whose rows are one JSON parameter.

    Args:
        target: the table or its model.
        columns: columns that the rows name besides `tenant_id` and `card_id`; the others get the database's default.
        bind: name of the parameter; starts with the plugin's name, since the host joins many statements into one.

    Returns:
        `INSERT INTO … SELECT … FROM jsonb_to_recordset(:bind)`, each column typed as in the table.

    Raises:
        KeyError: for a column that the table does not have.
    """
    table = _table(target)
    names = (*_owners(table), *columns)
    rows = _rows(table, names, bind)
    return insert(table).from_select(list(names), select(*(rows.c[name] for name in names)), include_defaults=False)


def update_rows(
    target: Table | type[DeclarativeBase],
    *columns: str,
    match: tuple[str, ...],
    bind: str,
    where: ColumnElement[bool] | None = None,
    of_card: bool = True,
) -> Update:
    """An UPDATE whose rows are one JSON parameter.

    Args:
        target: the table or its model.
        columns: columns to set from the rows.
        match: columns that, with `tenant_id` and `card_id`, say which row of the table is meant.
        bind: name of the parameter, as for `insert_rows`.
        where: a further condition on the table, e.g. the state that the row must be in.
        of_card: False where `match` says enough and the row may be another card's, which was merged into this one.

    Returns:
        `UPDATE … SET … FROM jsonb_to_recordset(:bind) WHERE …`.

    Raises:
        KeyError: for a column that the table does not have.
    """
    table = _table(target)
    owners = tuple(name for name in _owners(table) if of_card or name != "card_id")
    keys = (*owners, *match)
    rows = _rows(table, (*keys, *columns), bind)
    statement = update(table).values({table.c[name]: rows.c[name] for name in columns})
    statement = statement.where(*(table.c[name] == rows.c[name] for name in keys))
    return statement if where is None else statement.where(where)


def count_rows(
    target: Table | type[DeclarativeBase], *counters: str, match: tuple[str, ...], most: str, bind: str
) -> Insert:
    """Add to counters of which others may be taking the last at the same moment: budgets, stocks, limits.

    A row that would bring a counter above its limit is not written, which the host sees by the number of rows written;
    a `Write` of it is to be marked as contended.

    Args:
        target: the table or its model; its primary key is `tenant_id`, `card_id` where it has one, and `match`.
        counters: columns to add to; a row may hold negative numbers, to give back (the table can have no CHECK against
            negative ones: it would be tested on the row as given).
        match: columns that say which row of the table is meant; a missing one begins at 0.
        most: column with the limit, which the row brings along; null for none.
        bind: name of the parameter, as for `insert_rows`.

    Returns:
        `INSERT … ON CONFLICT … DO UPDATE SET counter = counter + … WHERE counter + … <= most`.

    Raises:
        KeyError: for a column that the table does not have.
    """
    table = _table(target)
    keys = (*_owners(table), *match)
    statement = insert_rows(table, *match, *counters, most, bind=bind)
    given = statement.excluded
    below = (or_(given[most].is_(None), table.c[name] + given[name] <= given[most]) for name in counters)
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={**{name: table.c[name] + given[name] for name in counters}, most: given[most]},
        where=and_(*below),
    )


def delete_rows(target: Table | type[DeclarativeBase], *, match: tuple[str, ...], bind: str) -> Delete:
    """A DELETE whose rows are one JSON parameter.

    Args:
        target: the table or its model.
        match: columns that, with `tenant_id` and `card_id`, say which row of the table is meant.
        bind: name of the parameter, as for `insert_rows`.

    Returns:
        `DELETE FROM … USING jsonb_to_recordset(:bind) WHERE …`.

    Raises:
        KeyError: for a column that the table does not have.
    """
    table = _table(target)
    keys = (*_owners(table), *match)
    rows = _rows(table, keys, bind)
    return delete(table).where(*(table.c[name] == rows.c[name] for name in keys))


def _table(target: Table | type[DeclarativeBase]) -> Table:
    table = target if isinstance(target, Table) else target.__table__
    assert isinstance(table, Table)
    return table


def _owners(table: Table) -> tuple[str, ...]:
    return tuple(name for name in OWNER_COLUMNS if name in table.c)


def _rows(table: Table, names: tuple[str, ...], bind: str) -> TableValuedAlias:
    parameter = bindparam(bind, type_=JSONB, required=True)
    typed = (column(name, table.c[name].type) for name in names)
    return func.jsonb_to_recordset(parameter).table_valued(*typed).render_derived(name=_ALIAS, with_types=True)
