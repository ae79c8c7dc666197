"""What a view works with: who asks, in which tenant, and the open transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from pydantic import BaseModel
from quart import Response

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import NotFound
from regulars.contracts.wallets import WalletDesk
from regulars.domain.audit.actors import Actor
from regulars.domain.operators.service import Visitor
from regulars.domain.programs.plugin_rules import PluginRules, ProgramRules
from regulars.kernel import ids
from regulars.kernel.db.database import PlatformSession, TenantSession
from regulars.kernel.templating.chrome import Flash, FlashKind
from regulars.web.areas import Area
from regulars.web.cookies import FLASH, LOCALE, LOCALE_LIFETIME, drop_cookie, session_cookie, set_cookie
from regulars.web.flash import read_flashes, write_flashes
from regulars.web.forms import Form, read_form
from regulars.web.request import RegularsRequest, device_of
from regulars.web.services import Services

log = structlog.get_logger(__name__)
Model = TypeVar("Model", bound=BaseModel)


class BaseWork:
    """A request being worked on; what is common to tenants' hosts and the console.

    Attributes:
        request: the request.
        services: the parts of this process.
        area: where the view lives.
        headers: of the answer, instead of the usual ones.
    """

    def __init__(self, request: RegularsRequest, services: Services, area: Area) -> None:
        self.request = request
        self.services = services
        self.area = area
        self._later: list[Callable[[], Awaitable[object]]] = []
        self._cookies: dict[str, tuple[str, datetime | timedelta | None] | None] = {}
        self._flashes: list[Flash] = []
        self.headers: dict[str, str] = {}

    async def form(self, model: type[Model]) -> Form[Model]:
        """The form that was sent, read into a model.

        Args:
            model: what is wanted; fields that it does not know are ignored.
        """
        return read_form(model, await self.request.form)

    def query(self, model: type[Model]) -> Model:
        """The query string, read into a model.

        Args:
            model: every field with a default.

        Returns:
            The model; what is wrong or unknown in the query counts as not sent.
        """
        form = read_form(model, self.request.args)
        return form.data if form.data is not None else model()

    def flash(self, text: str, kind: FlashKind = "success", *, action_label: str = "", action_url: str = "") -> None:
        """Show a message on the page that comes next: this answer's or, after a redirect, the following one.

        Args:
            text: translated sentence.
            kind: how it looks.
            action_label, action_url: a form's button in it, e.g. "Undo".
        """
        self._flashes.append(Flash(text=text, kind=kind, action_label=action_label, action_url=action_url))

    def later(self, task: Callable[[], Awaitable[object]]) -> None:
        """Do something after the commit, before the answer is sent; whatever it raises is logged and does no harm.

        Args:
            task: for wake-ups and the like; what must happen is written to the outbox instead.
        """
        self._later.append(task)

    def keep(self, name: str, value: str | None, until: datetime | timedelta | None = None) -> None:
        """Give the visitor a cookie of ours, or take it back.

        Args:
            name: one of `regulars.web.cookies`.
            value: ASCII text, `None` to take it back.
            until: when it ends, or how long it lasts; with the browser when left out.
        """
        self._cookies[name] = None if value is None else (value, until)

    def sign_in(self, token: str, until: datetime | timedelta) -> None:
        """Give the visitor a session's cookie for this area's audience.

        Args:
            token: of the session, as its service made it.
            until: when the session ends, or how long it lasts.
        """
        assert self.area.audience is not None
        self._cookies[session_cookie(self.area.audience)] = (token, until)

    def sign_out(self) -> None:
        """Take the session's cookie of this area's audience back."""
        assert self.area.audience is not None
        self._cookies[session_cookie(self.area.audience)] = None

    def speak(self, locale: str) -> None:
        """Remember a language on the visitor's device.

        Args:
            locale: one of the host's.
        """
        self._cookies[LOCALE] = (locale, LOCALE_LIFETIME)

    async def run_later(self) -> None:
        """Do what was put off; called once the transaction is committed."""
        for task in self._later:
            try:
                await task()
            except Exception as error:
                log.warning("later_failed", exc_info=error)

    def take_flashes(self) -> list[Flash]:
        """All messages for a page that is being answered now; those of earlier answers are used up."""
        earlier = read_flashes(self.request, self.services.config)
        if earlier:
            self._cookies[FLASH] = None
        shown, self._flashes = [*earlier, *self._flashes], []
        return shown

    def finish(self, response: Response) -> Response:
        """Put cookies and messages that were not shown into the answer."""
        config = self.services.config
        if self._flashes:
            kept = write_flashes(self._flashes, self.request.visit.peer.host, config)
            self._cookies[FLASH] = (kept, None)
        for name, cookie in self._cookies.items():
            if cookie is None:
                drop_cookie(response, name, config)
            else:
                set_cookie(response, name, cookie[0], config, until=cookie[1])
        response.headers.update(self.headers)
        return response


class Work(BaseWork):
    """A request on a tenant's host.

    Attributes:
        ctx: what services get first.
        slot_settings: plugin → settings with which the page's slots are rendered instead of the stored ones.
    """

    def __init__(
        self,
        request: RegularsRequest,
        services: Services,
        area: Area,
        ctx: Context,
        session: TenantSession | None = None,
    ) -> None:
        super().__init__(request, services, area)
        self.ctx = ctx
        self.slot_settings: Mapping[str, BaseModel] = {}
        self._session = session

    @property
    def principal(self) -> Principal:
        """Who acts."""
        return self.ctx.principal

    @property
    def session(self) -> TenantSession:
        """The open transaction, bound to the tenant; read-only for GET and HEAD.

        Raises:
            RuntimeError: the view was declared with `transaction=False`.
        """
        if self._session is None:
            raise RuntimeError("this view was declared with transaction=False")
        return self._session

    def address(self, path: str) -> str:
        """The whole address of a path on this tenant's host, for links that leave the site."""
        return self.services.config.url(self.ctx.tenant.host, path)

    async def settings(self, plugin: str) -> BaseModel:
        """The settings of a plugin that has one set for the whole tenant.

        Args:
            plugin: a loaded plugin that has settings.
        """
        tenant = self.ctx.tenant
        return await self.services.settings.get(self.session, tenant, plugin, tenant.id)

    async def wallet_desk(self, plugin: str) -> WalletDesk:
        """What the provider of a wallet may use, for the views of its plugin.

        Args:
            plugin: that brings the wallet.
        """
        open_step = partial(self.services.database.tenant, self.ctx.tenant.id)
        return await self.services.wallets.desk(self.session, self.ctx, plugin, open_step)

    async def rules(self, plugin: str) -> Sequence[ProgramRules]:
        """A plugin's settings in each of the tenant's programs.

        Args:
            plugin: a loaded plugin that has settings.
        """
        rules = PluginRules(self.services.programs, self.services.settings)
        return await rules.of(self.session, self.ctx.tenant, plugin)


class PlatformWork(BaseWork):
    """A request on one of the platform's own hosts.

    Attributes:
        principal: who asks: nobody on the public pages, in the console the operator, anonymous before the log-in.
    """

    def __init__(
        self,
        request: RegularsRequest,
        services: Services,
        area: Area,
        principal: Principal,
        session: PlatformSession | None = None,
    ) -> None:
        super().__init__(request, services, area)
        self.principal = request.visit.principal = principal
        self._session = session

    @property
    def session(self) -> PlatformSession:
        """The open transaction of the platform role, which sees all tenants.

        Raises:
            RuntimeError: the view was declared with `transaction=False`.
        """
        if self._session is None:
            raise RuntimeError("this view was declared with transaction=False")
        return self._session

    @property
    def visitor(self) -> Visitor:
        """Where the request comes from, for the log-in."""
        visit = self.request.visit
        return Visitor(ip=visit.peer.ip, device=device_of(self.request), request_id=visit.request_id)

    @property
    def actor(self) -> Actor:
        """The operator as the audit log names them."""
        who, visitor = self.principal, self.visitor
        return Actor(who.kind, who.id, who.name, visitor.ip, visitor.device, visitor.request_id)


class ConsoleWork(PlatformWork):
    """A request on the console's host."""


class SiteWork(PlatformWork):
    """A request on the platform's public pages."""

    @asynccontextmanager
    async def transaction(self, reason: str, *, read_only: bool = False) -> AsyncIterator[None]:
        """A transaction of a view that has none around it: `session` inside of the block.

        Args:
            reason: why all tenants must be in sight.
            read_only: refuse writes.
        """
        async with self.services.database.platform(reason, read_only=read_only) as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None


def read_id(prefix: str, text: str) -> UUID:
    """The key in a public id of an address.

    Args:
        prefix: one of `regulars.kernel.ids`.
        text: as it stands in the address.

    Raises:
        NotFound: it is none; looks the same as an unknown one.
    """
    found = ids.read(prefix, text)
    if found is None:
        raise NotFound
    return found
