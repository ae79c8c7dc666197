"""What plugins add to a page: rendered after the unit of work has ended, in a read-only session of their own.

The session is opened for the first slot that has anything in it and thrown away after a fault: a session whose
statement failed or was cancelled cannot be used again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Self
from uuid import UUID

import structlog
from markupsafe import Markup
from pydantic import BaseModel

from regulars.contracts.context import Context
from regulars.contracts.errors import Unavailable
from regulars.contracts.slots import CardSlot, ProgramSlot, Slot
from regulars.domain.programs.service import plugins_outside
from regulars.kernel.db.database import TenantSession
from regulars.kernel.plugins.parts import LoadedSlot
from regulars.kernel.plugins.presentation import Contribution
from regulars.kernel.plugins.units import NO_SETTINGS
from regulars.web.services import Services

log = structlog.get_logger(__name__)


class SlotFault(Exception):
    """Ends the shared session of a page's slots by rolling it back."""


class PageSlots:
    """The slots of one page.

    Args:
        services: the parts of this process.
        ctx: of the request.
        settings: plugin → settings to use instead of the stored ones (a preview).
    """

    def __init__(self, services: Services, ctx: Context, settings: Mapping[str, BaseModel] | None = None) -> None:
        self._services = services
        self._ctx = ctx
        self._given = settings or {}
        self._opening: AbstractAsyncContextManager[TenantSession] | None = None
        self._session: TenantSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._discard()

    async def render(self, slot: Slot, data: CardSlot | ProgramSlot) -> Markup:
        """All contributions of the enabled plugins to a place, in their order."""
        enabled = self._ctx.tenant.enabled - plugins_outside(data.program.kind)
        contributions = [
            Contribution(renderer.plugin, partial(self._contribute, renderer, data))
            for renderer in self._services.plugins.slots.get(slot, ())
            if renderer.plugin in enabled
        ]
        if not contributions or not await self._opened():
            return Markup()
        results = await self._services.presenter.present(contributions, self._ctx.tenant.id, Markup, self._discard)
        return Markup().join(markup for _, markup in results)

    async def _opened(self) -> bool:
        """Whether there is a session; waiting for a connection is not counted as a plugin's delay or fault."""
        try:
            await self.session()
        except Unavailable:
            log.warning("slots_left_out", tenant_id=str(self._ctx.tenant.id))
            return False
        return True

    async def session(self) -> TenantSession:
        """The read-only session, opened now if it was not."""
        if self._session is None:
            opening = self._services.database.tenant(self._ctx.tenant.id, read_only=True)
            self._session = await opening.__aenter__()
            self._opening = opening
        return self._session

    async def _contribute(self, renderer: LoadedSlot, data: CardSlot | ProgramSlot) -> object:
        plugin = self._services.plugins.plugin(renderer.plugin)
        settings = self._given.get(renderer.plugin, NO_SETTINGS)
        if plugin.settings_model is not None and renderer.plugin not in self._given:
            settings = await self._settings(renderer.plugin, data.program.id)
        return await renderer.render(_SlotContext(self, self._services, self._ctx, settings), data)

    async def _settings(self, plugin: str, program_id: UUID) -> BaseModel:
        return await self._services.settings.get(await self.session(), self._ctx.tenant, plugin, program_id)

    async def _discard(self) -> None:
        opening, self._opening, self._session = self._opening, None, None
        if opening is None:
            return
        fault = SlotFault()
        try:
            await opening.__aexit__(SlotFault, fault, fault.__traceback__)
        except SlotFault:
            return


class _SlotContext:
    """What one renderer may use, see `regulars.contracts.slots.SlotContext`."""

    def __init__(self, slots: PageSlots, services: Services, ctx: Context, settings: BaseModel) -> None:
        self._slots = slots
        self._services = services
        self.context = ctx
        self.settings = settings

    async def rows(self, statement: Any, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        return await (await self._slots.session()).rows(statement, parameters)

    def render(self, template: str, /, **values: Any) -> Markup:
        return self._services.templates.fragment(self.context.tenant.theme, template, **values)
