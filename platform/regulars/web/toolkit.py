"""The toolkit of page views: each runs inside one unit of work, which ends before the page is rendered.

A view is `async (work: Work, **url_args)` and returns a `PageContext`, `Redirect`, `Download` or `Response`; what it
returns is committed, also when it is a refusal. What it raises rolls everything back. GET and HEAD run in a read-only
transaction, so that nothing can be changed by following a link.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, Literal, ParamSpec

import structlog
from quart import Response

from regulars.contracts.context import ANONYMOUS, Principal, TenantSnapshot
from regulars.contracts.errors import Forbidden, NotFound
from regulars.domain.operators import service as operators
from regulars.kernel.db.database import Credentials, PlatformSession, TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import digest
from regulars.kernel.ratelimit import Limit
from regulars.web.answers import answer
from regulars.web.areas import HOOKS, SITE, Area, area_of
from regulars.web.cookies import read_cookie, session_cookie
from regulars.web.limits import check_limit
from regulars.web.locales import speak_to
from regulars.web.origin import SAFE_METHODS
from regulars.web.principals import context_of, cookie_credentials, principal_of
from regulars.web.races import until_settled
from regulars.web.redirects import with_next
from regulars.web.request import RegularsRequest, current_request
from regulars.web.results import Redirect, Result
from regulars.web.services import Services, services
from regulars.web.work import ConsoleWork, SiteWork, Work

log = structlog.get_logger(__name__)
P = ParamSpec("P")
View = Callable[Concatenate[Work, P], Awaitable[Result]]
SiteView = Callable[Concatenate[SiteWork, P], Awaitable[Result]]
ConsoleView = Callable[Concatenate[ConsoleWork, P], Awaitable[Result]]
QuartView = Callable[P, Awaitable[Response]]
_DOOR = "regulars_door"


@dataclass(frozen=True, slots=True)
class PageDoor:
    """Who may open a page, as it was declared.

    Attributes:
        audience: who must be signed in, `None` for everybody.
        permission: what the person must be allowed to do, `None` for nothing.
    """

    audience: Literal["member", "staff"] | None
    permission: str | None


def door_of(view: object) -> PageDoor | None:
    """The door of a Quart view, `None` when it is not made by `page`."""
    found = getattr(view, _DOOR, None)
    return found if isinstance(found, PageDoor) else None


def page(
    *,
    audience: Literal["member", "staff"] | None = None,
    permission: str | None = None,
    limit: Limit | None = None,
    transaction: bool = True,
) -> Callable[[View[P]], QuartView[P]]:
    """Make a view of a tenant's page.

    Args:
        audience: who must be signed in; everybody else is sent to the area's log-in page and comes back.
        permission: what the person must be allowed to do.
        limit: how often a visitor may send the view's forms.
        transaction: whether the view gets an open transaction; without, it opens its own (`services.database`).

    Returns:
        A decorator; the result is a Quart view.
    """

    def decorate(view: View[P]) -> QuartView[P]:
        @wraps(view)
        async def run(*args: P.args, **kwargs: P.kwargs) -> Response:
            request, parts = current_request(), services()
            tenant = request.visit.tenant
            if tenant is None:
                raise NotFound
            area = area_of("tenant", request.path)
            await _prepare(request, parts, limit)
            credentials = cookie_credentials(request, area, parts)
            read_only = request.method in SAFE_METHODS

            async def act(who: Principal, session: TenantSession | None) -> tuple[Result, Work]:
                work = Work(request, parts, area, context_of(request, tenant, who, area), session)
                if audience is not None and who.kind != audience:
                    return _to_log_in(request, area), work
                _check_permission(who, permission)
                return await view(work, *args, **kwargs), work

            async def transact() -> tuple[Result, Work]:
                async with parts.database.tenant(tenant.id, credentials, read_only=read_only) as session:
                    who = _identify(request, parts, area, session, credentials)
                    return await act(who, session)

            if transaction:
                result, work = await until_settled(transact)
            else:
                who = await _identify_first(request, parts, area, tenant, credentials)
                result, work = await act(who, None)
            return await answer(result, work)

        setattr(run, _DOOR, PageDoor(audience, permission))
        return run

    return decorate


def hook(*, limit: Limit | None = None, transaction: bool = True) -> Callable[[View[P]], QuartView[P]]:
    """Make a view that the service of somebody else calls: `/hooks/<plugin>/<token>/…` on the platform's own host.

    Who calls is for the view to find out: the token names the tenant and proves nothing. There is neither cookie nor
    language of a person; what is raised answers with its status and an empty body.

    Args:
        limit: how often one network may call for a tenant, whatever the method.
        transaction: whether the view gets an open transaction; without, it opens its own (`services.database`).

    Returns:
        A decorator; the result is a Quart view. The view does not get the token.
    """

    def decorate(view: View[P]) -> QuartView[P]:
        @wraps(view)
        async def run(*args: P.args, **kwargs: P.kwargs) -> Response:
            kwargs.pop("token", None)
            request, parts = current_request(), services()
            tenant = request.visit.tenant
            if tenant is None:
                raise NotFound
            if limit is not None:
                await check_limit(limit, request, parts)
            await request.get_data()
            who = Principal(kind="system", name=request.blueprint or "")
            context = context_of(request, tenant, who, HOOKS)

            async def transact() -> tuple[Result, Work]:
                async with parts.database.tenant(tenant.id, read_only=request.method in SAFE_METHODS) as session:
                    work = Work(request, parts, HOOKS, context, session)
                    return await view(work, *args, **kwargs), work

            if transaction:
                result, work = await until_settled(transact)
            else:
                work = Work(request, parts, HOOKS, context)
                result = await view(work, *args, **kwargs)
            return await answer(result, work)

        setattr(run, _DOOR, PageDoor(None, None))
        return run

    return decorate


def console_page(
    *, signed_in: bool = True, limit: Limit | None = None, transaction: bool = True
) -> Callable[[ConsoleView[P]], QuartView[P]]:
    """Make a view of the operator's console. Its transaction sees all tenants; the reason is the view's name.

    Args:
        signed_in: whether an operator must be signed in.
        limit: how often a visitor may send the view's forms.
        transaction: whether the view gets an open transaction; without, it opens its own (`services.database`).

    Returns:
        A decorator; the result is a Quart view.
    """

    def decorate(view: ConsoleView[P]) -> QuartView[P]:
        reason = f"console: {view.__name__}"

        @wraps(view)
        async def run(*args: P.args, **kwargs: P.kwargs) -> Response:
            request, parts = current_request(), services()
            area = area_of("console", request.path)
            await _prepare(request, parts, limit)

            async def act(who: Principal, session: PlatformSession | None) -> tuple[Result, ConsoleWork]:
                work = ConsoleWork(request, parts, area, who, session)
                if signed_in and who is ANONYMOUS:
                    return _to_log_in(request, area), work
                return await view(work, *args, **kwargs), work

            read_only = request.method in SAFE_METHODS or not transaction
            async with parts.database.platform(reason, read_only=read_only) as session:
                who = await _operator(request, parts, session)
                log.info("platform_session", reason=reason, operator=str(who.id) if who.id else None)
                if transaction:
                    result, work = await act(who, session)
            if not transaction:
                result, work = await act(who, None)
            return await answer(result, work)

        return run

    return decorate


def site_page(*, transaction: bool = True) -> Callable[[SiteView[P]], QuartView[P]]:
    """Make a view of the platform's public pages. Its transaction sees all tenants; the reason is the view's name.

    Args:
        transaction: whether the view gets an open transaction; without, it opens its own (`services.database`).

    Returns:
        A decorator; the result is a Quart view.
    """

    def decorate(view: SiteView[P]) -> QuartView[P]:
        reason = f"site: {view.__name__}"

        @wraps(view)
        async def run(*args: P.args, **kwargs: P.kwargs) -> Response:
            request, parts = current_request(), services()
            await _prepare(request, parts, None)
            if not transaction:
                work = SiteWork(request, parts, SITE, ANONYMOUS)
                return await answer(await view(work, *args, **kwargs), work)
            async with parts.database.platform(reason, read_only=request.method in SAFE_METHODS) as session:
                work = SiteWork(request, parts, SITE, ANONYMOUS, session)
                result = await view(work, *args, **kwargs)
            return await answer(result, work)

        return run

    return decorate


async def _prepare(request: RegularsRequest, parts: Services, limit: Limit | None) -> None:
    """Read the form before a transaction is opened: no slow sender holds a connection."""
    if request.method in SAFE_METHODS:
        return
    if limit is not None:
        await check_limit(limit, request, parts)
    await request.form


def _identify(
    request: RegularsRequest, parts: Services, area: Area, session: TenantSession, credentials: Credentials | None
) -> Principal:
    who = principal_of(session.principal, parts.plugins)
    if who is ANONYMOUS and credentials is not None and area.audience is not None:
        request.visit.stale_cookies.add(session_cookie(area.audience))
    speak_to(request, who, parts.config)
    return who


async def _identify_first(
    request: RegularsRequest, parts: Services, area: Area, tenant: TenantSnapshot, credentials: Credentials | None
) -> Principal:
    if credentials is None:
        return ANONYMOUS
    async with parts.database.tenant(tenant.id, credentials, read_only=True) as session:
        return _identify(request, parts, area, session, credentials)


def _check_permission(who: Principal, permission: str | None) -> None:
    if permission is not None and not who.may(permission):
        raise Forbidden(_("Your role does not allow this. Ask an owner or manager of the shop."))


async def _operator(request: RegularsRequest, parts: Services, session: PlatformSession) -> Principal:
    name = session_cookie("operator")
    token = read_cookie(request, name, parts.config)
    if not token:
        return ANONYMOUS
    who = await operators.find_by_session(session, digest(token))
    if who is None:
        request.visit.stale_cookies.add(name)
        return ANONYMOUS
    speak_to(request, who, parts.config)
    return who


def _to_log_in(request: RegularsRequest, area: Area) -> Redirect:
    """The log-in page, with the way back to what can be asked for again."""
    if request.method not in SAFE_METHODS:
        return Redirect(area.log_in)
    return Redirect(with_next(area.log_in, request.path, request.query_string.decode("latin-1")))
