"""Programs in the process's memory, so that a warm sale asks no query for them."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from regulars.contracts.context import TenantSnapshot
from regulars.domain.programs import repository
from regulars.domain.programs.service import Program, Programs
from regulars.kernel.db.database import TenantSession

_MAX_TENANTS = 2048


class ProgramCache:
    """The programs of the tenants that were asked for last.

    An entry belongs to a tenant's revision: the database renews it with every change of a program and tells every
    process. What is read is kept only when the reading transaction sees the very revision of the snapshot; one that has
    changed a program itself sees a later one, so what it may yet take back is never kept.

    Args:
        max_tenants: how many tenants to remember.
    """

    def __init__(self, max_tenants: int = _MAX_TENANTS) -> None:
        self._entries: OrderedDict[UUID, tuple[int, Programs]] = OrderedDict()
        self._max_tenants = max_tenants

    async def programs(self, session: TenantSession, tenant: TenantSnapshot) -> Programs:
        """All programs of a tenant: from memory, else with one query.

        Args:
            session: a transaction of this tenant.
            tenant: the snapshot of the request.
        """
        kept = self._entries.get(tenant.id)
        if kept is not None and kept[0] == tenant.revision:
            self._entries.move_to_end(tenant.id)
            return kept[1]
        rows = await session.rows(repository.LIST_WITH_REVISION, {"tenant": tenant.id})
        found = Programs(
            tuple(
                Program(**{name: value for name, value in row._mapping.items() if name != "revision"})
                for row in rows
                if row.id is not None
            )
        )
        if rows and rows[0].revision == tenant.revision:
            self._keep(tenant, found)
        return found

    def _keep(self, tenant: TenantSnapshot, programs: Programs) -> None:
        self._entries[tenant.id] = (tenant.revision, programs)
        self._entries.move_to_end(tenant.id)
        while len(self._entries) > self._max_tenants:
            self._entries.popitem(last=False)
