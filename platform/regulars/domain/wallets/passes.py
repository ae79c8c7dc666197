"""The passes of a tenant: found by what wallets know of them, made when a phone asks, counted as phones say."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context, TenantSnapshot
from regulars.contracts.wallets import WalletPass
from regulars.domain.audit import service as audit
from regulars.domain.wallets import repository
from regulars.domain.wallets.faces import Faces, digest_of
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.locks import lock

_SERIAL_BYTES = 16


class WalletPasses:
    """Reads and makes passes; all methods take the tenant's session.

    Args:
        faces: what passes show.
    """

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    async def by_serial(self, session: TenantSession, ctx: Context, wallet: str, serial: str) -> WalletPass | None:
        """A pass as it is now, `None` where the tenant has no such one."""
        row = await session.one_or_none(repository.BY_SERIAL, self._where(session, wallet, of_serial=serial))
        return await self._pass(session, ctx.tenant, row) if row is not None else None

    async def since(
        self, session: TenantSession, wallet: str, serials: Sequence[str], version: int
    ) -> Sequence[tuple[str, int]]:
        """Which of some passes have changed after a version, each with its own one, oldest change first.

        Versions of a tenant's wallet become visible in their order: whoever has seen one has seen all before it.
        """
        where = self._where(session, wallet, serials=list(serials), since=version)
        return [(row.serial, row.version) for row in await session.rows(repository.SINCE, where)]

    @staticmethod
    async def installed(session: TenantSession, wallet: str, serial: str, copies: int) -> None:
        """Note on how many phones a pass is now; 0 when it was removed from the last one."""
        where = WalletPasses._where(session, wallet, of_serial=serial, on_phones=copies)
        await session.execute(repository.INSTALLED, where)

    async def issue(self, session: TenantSession, ctx: Context, wallet: str, card_id: UUID) -> WalletPass:
        """The card's pass in a wallet, made at the first time.

        Raises:
            NotFound: the tenant has no such card.
        """
        where = self._where(session, wallet, card=card_id)
        row = await session.one_or_none(repository.BY_CARD, where)
        if row is None:
            card = await self._faces.card(session, ctx.tenant, card_id)
            version = await self._next_version(session, wallet)
            new = {
                "tenant_id": session.tenant_id,
                "id": new_id(),
                "card_id": card_id,
                "wallet": wallet,
                "serial": secrets.token_hex(_SERIAL_BYTES),
                "digest": digest_of(card),
                "version": version,
                "delivered_version": version,
            }
            if await session.scalar(repository.ADD, new) is not None:
                await audit.record(session, ctx, "wallet.pass_made", "card", card_id, {"wallet": wallet})
            row = await session.one_or_none(repository.BY_CARD, where)
        assert row is not None
        return await self._pass(session, ctx.tenant, row)

    async def renew(self, session: TenantSession, tenant: TenantSnapshot, wallet: str, rows: Iterable[Row[Any]]) -> int:
        """Give a new version to those that show something else now.

        Args:
            session: the transaction, which has locked the rows before anything of the cards was read: whoever comes
                later sees later cards, so that what is older never comes last.
            tenant: as it is now.
            wallet: whose passes.
            rows: the passes.

        Returns:
            How many have changed.
        """
        changed = []
        for row in rows:
            digest = digest_of(await self._faces.card(session, tenant, row.card_id))
            if digest != row.digest:
                changed.append({"tenant": session.tenant_id, "of_pass": row.id, "new_digest": digest})
        for one in changed:
            version = await self._next_version(session, wallet)
            await session.execute(repository.CHANGE, {**one, "new_version": version})
        return len(changed)

    async def claimed(
        self, session: TenantSession, tenant: TenantSnapshot, rows: Iterable[Row[Any]]
    ) -> Sequence[WalletPass]:
        """Passes that were claimed, as they are now, oldest change first."""
        return [await self._pass(session, tenant, row) for row in sorted(rows, key=lambda row: int(row.version))]

    async def _pass(self, session: TenantSession, tenant: TenantSnapshot, row: Row[Any]) -> WalletPass:
        card = await self._faces.card(session, tenant, row.card_id)
        return WalletPass(row.id, row.serial, row.version, row.changed_at, card)

    @staticmethod
    async def _next_version(session: TenantSession, wallet: str) -> int:
        """The next version; until the end of this transaction nobody else gets one for the tenant's wallet."""
        await lock(session, f"wallet:{wallet}")
        version: int = await session.scalar(repository.NEXT_VERSION)
        return version

    @staticmethod
    def _where(session: TenantSession, wallet: str, **more: Any) -> dict[str, Any]:
        return {"tenant": session.tenant_id, "of_wallet": wallet, **more}
