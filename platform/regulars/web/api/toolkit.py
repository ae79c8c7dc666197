"""The toolkit of API views: credentials, strict bodies, one unit of work, documented answers and problems.

A view is `async (work: ApiWork, **arguments)` with `body=` and `query=` where it declares them. It returns the answer's
model, a `Reply` where the status is not always the same, a stored `Answer` that is sent byte for byte, or `None`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, TypeVar

import structlog
from pydantic import BaseModel
from quart import Response

from regulars.contracts.context import ANONYMOUS, Context
from regulars.contracts.errors import Forbidden, NotFound, RegularsError, Unauthenticated
from regulars.domain.ledger.commands import Answer, Claim
from regulars.domain.ledger.commands import principal_of as principal_name
from regulars.domain.ledger.problems import MEDIA_TYPE
from regulars.domain.operators import service as operators
from regulars.domain.programs.plugin_rules import PluginRules, ProgramRules
from regulars.domain.tenants.limits import require_feature
from regulars.kernel.db.database import PlatformSession, TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import digest
from regulars.kernel.ratelimit import Limit
from regulars.web.api.credentials import Caller, bearer, store_credentials, storefront_credentials
from regulars.web.areas import STORE, STOREFRONT
from regulars.web.bodies import Body, read_body
from regulars.web.forms import read_form
from regulars.web.idempotency import REPLAYED, read_key
from regulars.web.limits import check_limit
from regulars.web.locales import speak_to
from regulars.web.origin import SAFE_METHODS
from regulars.web.principals import context_of, principal_of
from regulars.web.races import until_settled
from regulars.web.request import RegularsRequest, current_request
from regulars.web.services import Services, services

log = structlog.get_logger(__name__)
Door = Literal["store", "storefront", "admin"]
ATTRIBUTE = "__regulars_api__"
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a view of the API needs and gives; also its documentation.

    Attributes:
        door: which API it belongs to; decides who may call.
        permission: what the caller must hold, `None` for everybody whom the door lets in.
        feature: a feature of the host without which the answer is a problem that names the offering that has it.
        body, query: models of what is sent.
        answers: status → model of the success answer, `None` for an empty one; the first status is the usual one.
        problems: errors that the view itself can answer with, beside those that every view of the door has.
        refusals: whether it can refuse with a problem type of the till or of a plugin.
        idempotent: whether an `Idempotency-Key` is needed.
        limit: how often a visitor may call.
        tag: heading in the documentation.
    """

    door: Door
    answers: dict[int, type[BaseModel] | None]
    permission: str | None = None
    feature: str | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    problems: Sequence[type[RegularsError]] = ()
    refusals: bool = False
    idempotent: bool = False
    limit: Limit | None = None
    tag: str = ""

    def __post_init__(self) -> None:
        for model in (self.body, self.query):
            if model is not None and model.model_config.get("extra") != "forbid":
                raise ValueError(f"{model.__name__} must have extra='forbid'")
        if self.idempotent and self.body is None:
            raise ValueError("an operation with an Idempotency-Key needs a body")

    @property
    def status(self) -> int:
        """The usual status of a success."""
        return next(iter(self.answers))


@dataclass(frozen=True, slots=True)
class Reply:
    """A success with another status than the usual one."""

    status: int
    model: BaseModel


@dataclass(frozen=True, slots=True)
class ApiWork:
    """A call on a tenant's host.

    Attributes:
        session: the open transaction; read-only for GET.
        claim: the caller's idempotency key, where the operation has one.
        card_token: text of a card's QR code, when the caller of the storefront came with one.
    """

    request: RegularsRequest
    services: Services
    session: TenantSession
    ctx: Context
    claim: Claim | None = None
    card_token: str = ""

    def required_claim(self) -> Claim:
        """The caller's idempotency key, of an operation that has one."""
        assert self.claim is not None, "declare the operation with idempotent=True"
        return self.claim

    async def rules(self, plugin: str) -> Sequence[ProgramRules]:
        """A plugin's settings in each of the tenant's programs.

        Args:
            plugin: a loaded plugin that has settings.
        """
        rules = PluginRules(self.services.programs, self.services.settings)
        return await rules.of(self.session, self.ctx.tenant, plugin)


@dataclass(frozen=True, slots=True)
class AdminWork:
    """A call of an operator's program on the console's host.

    Attributes:
        session: the open transaction of the platform role.
    """

    request: RegularsRequest
    services: Services
    session: PlatformSession


ApiResult = BaseModel | Reply | Answer | None
ApiView = Callable[..., Awaitable[ApiResult]]
View = TypeVar("View", bound=Callable[..., Awaitable[Response]])


def api(operation: Operation) -> Callable[[ApiView], Callable[..., Awaitable[Response]]]:
    """Make a view of the API.

    Args:
        operation: what it needs and gives.

    Returns:
        A decorator; the result is a Quart view that carries its documentation.
    """
    call = _call_admin if operation.door == "admin" else _call_tenant

    def decorate(view: ApiView) -> Callable[..., Awaitable[Response]]:
        @wraps(view)
        async def run(**arguments: Any) -> Response:
            request, parts = current_request(), services()
            if operation.limit is not None:
                await check_limit(operation.limit, request, parts)
            body = await read_body(request) if operation.body is not None else None
            if operation.query is not None:
                arguments["query"] = read_form(operation.query, request.args, only_known=True).require()
            result = await until_settled(lambda: call(view, operation, request, parts, body, arguments))
            return respond(result, operation.status)

        setattr(run, ATTRIBUTE, operation)
        return run

    return decorate


def operation_of(view: object) -> Operation | None:
    """The documentation that a Quart view carries, `None` when it is no view of the API."""
    found = getattr(view, ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None


def respond(result: ApiResult, status: int) -> Response:
    """The answer to a call.

    Args:
        result: of the view; a stored answer keeps its own status and bytes.
        status: the usual one of a success.
    """
    if isinstance(result, Answer):
        kind = MEDIA_TYPE if result.status >= 400 else JSON
        headers = {REPLAYED: "true"} if result.replayed else {}
        return Response(result.body, status=result.status, content_type=kind, headers=headers)
    if isinstance(result, Reply):
        return Response(result.model.model_dump_json(), status=result.status, content_type=JSON)
    if result is None:
        return Response(status=204)
    return Response(result.model_dump_json(), status=status, content_type=JSON)


async def _call_tenant(
    view: ApiView,
    operation: Operation,
    request: RegularsRequest,
    parts: Services,
    body: Body | None,
    arguments: dict[str, Any],
) -> ApiResult:
    tenant = request.visit.tenant
    if tenant is None:
        raise NotFound
    in_store = operation.door == "store"
    caller = (store_credentials if in_store else storefront_credentials)(request, tenant, parts)
    read_only = request.method in SAFE_METHODS
    async with parts.database.tenant(tenant.id, caller.credentials, read_only=read_only) as session:
        who = principal_of(session.principal, parts.plugins)
        speak_to(request, who, parts.config)
        ctx = context_of(request, tenant, who, STORE if in_store else STOREFRONT)
        if in_store:
            await _check_store_caller(session, ctx, caller, operation.permission)
        if operation.feature is not None:
            await require_feature(session, ctx, operation.feature)
        _validate(operation, body, arguments)
        claim = _claim(operation, request, ctx, body, parts.config.secret_key)
        return await view(ApiWork(request, parts, session, ctx, claim, caller.card_token), **arguments)


async def _call_admin(
    view: ApiView,
    operation: Operation,
    request: RegularsRequest,
    parts: Services,
    body: Body | None,
    arguments: dict[str, Any],
) -> ApiResult:
    reason = f"admin API: {view.__name__}"
    async with parts.database.platform(reason, read_only=request.method in SAFE_METHODS) as session:
        token = bearer(request)
        operator = await operators.find_by_key(session, digest(token)) if token else None
        if operator is None:
            raise Unauthenticated(_("Send a valid key of an operator: Authorization: Bearer rk_ops_…"))
        log.info("platform_session", reason=reason, operator=str(operator.id))
        _validate(operation, body, arguments)
        return await view(AdminWork(request, parts, session), **arguments)


async def _check_store_caller(session: TenantSession, ctx: Context, caller: Caller, permission: str | None) -> None:
    if caller.needs_feature:
        await require_feature(session, ctx, "api_access")
    if ctx.principal is ANONYMOUS:
        raise Unauthenticated(_("Send a valid API key of this shop: Authorization: Bearer rk_…"))
    if permission is not None and not ctx.principal.may(permission):
        raise Forbidden(
            _("This key or role lacks the permission “%(name)s”.", name=permission), extra={"permission": permission}
        )


def _validate(operation: Operation, body: Body | None, arguments: dict[str, Any]) -> None:
    """Validate the body: only for those who may call at all."""
    if operation.body is not None:
        assert body is not None
        arguments["body"] = body.validated(operation.body)


def _claim(
    operation: Operation, request: RegularsRequest, ctx: Context, body: Body | None, secret: str
) -> Claim | None:
    if not operation.idempotent:
        return None
    assert body is not None
    key = read_key(request.headers)
    return Claim(principal_name(ctx), key, body.fingerprint(request.method, request.path, secret))
