"""Lists of a tenant's rows, the newest first: a page of one for people and callers, all of it for files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, Row, Select, bindparam, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from regulars.contracts.errors import InvalidInput
from regulars.contracts.paging import Paged, PageRequest
from regulars.kernel.db.database import Session
from regulars.kernel.i18n import gettext as _

T = TypeVar("T")
BATCH = 500
_SIZE, _SKIP = bindparam("list_size", type_=BigInteger), bindparam("list_skip", type_=BigInteger)


def no_such_row() -> InvalidInput:
    """What is said to somebody who asks for what follows a row that there is not."""
    sentence = _("There is no such row. Begin with the first page.")
    return InvalidInput(sentence, fields={"after": sentence})


class Listing:
    """A list with an order that never changes: neither the later pages nor a file repeat or miss a row meanwhile.

    Args:
        found: the query without order; what it is given as parameters is given to the methods too.
        order: columns of the query by which it goes down, the row's own key last. They must never change, and the query
            must select them.
    """

    def __init__(self, found: Select[*tuple[Any, ...]], *order: InstrumentedAttribute[Any]) -> None:
        self._order = order
        place = tuple_(*(bindparam(f"list_{one.key}", type_=one.type) for one in order))
        ordered = found.order_by(*(one.desc() for one in order)).limit(_SIZE)
        self._total = found.with_only_columns(func.count(), maintain_column_froms=True)
        self._page = ordered.offset(_SKIP)
        self._beyond = ordered.where(tuple_(*order) < place)

    async def page(
        self, session: Session, where: Mapping[str, Any], request: PageRequest, make: Callable[[Row[Any]], T]
    ) -> Paged[T]:
        """A page of the list.

        Args:
            session: the transaction.
            where: parameters of the query, `tenant` among them.
            request: which page, by number or after a row.
            make: what a row becomes.

        Raises:
            InvalidInput: there is no row after which the page would begin.
        """
        rows = await self.part(session, where, request)
        return Paged([make(row) for row in rows], await session.scalar(self._total, where), request)

    async def part(self, session: Session, where: Mapping[str, Any], request: PageRequest) -> Sequence[Row[Any]]:
        """The rows of a page, for whoever counts the list in another way; arguments and errors as for `page`."""
        size = {**where, "list_size": request.size}
        if request.after is None:
            return await session.rows(self._page, {**size, "list_skip": request.offset})
        place = await self._place_of(session, where["tenant"], request.after)
        return await session.rows(self._beyond, size | place)

    async def rows(
        self, opened: Callable[[], AbstractAsyncContextManager[Session]], where: Mapping[str, Any]
    ) -> AsyncIterator[Row[Any]]:
        """All of the list, as long as anybody reads.

        Args:
            opened: opens a session for each batch, so that a slow reader holds no connection.
            where: parameters of the query.

        Yields:
            Rows of the query.
        """
        statement, place = self._page, {"list_skip": 0}
        while True:
            async with opened() as session:
                rows = await session.rows(statement, {**where, "list_size": BATCH, **place})
            for row in rows:
                yield row
            if len(rows) < BATCH:
                return
            statement, place = self._beyond, self._place(rows[-1])

    async def _place_of(self, session: Session, tenant_id: UUID, after: UUID) -> dict[str, Any]:
        key = self._order[-1]
        table = key.class_
        row = await session.one_or_none(select(*self._order).where(table.tenant_id == tenant_id, key == after))
        if row is None:
            raise no_such_row()
        return self._place(row)

    def _place(self, row: Row[Any]) -> dict[str, Any]:
        return {f"list_{one.key}": row._mapping[one.key] for one in self._order}
