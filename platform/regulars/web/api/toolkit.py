"""The toolkit of API views: credentials, strict bodies, one unit of work, documented answers and problems.

A view is `async (work: ApiWork, **arguments)` with `body=` and `query=` where it declares them, and returns the answer's
model, or a stored `Answer` that is sent byte for byte.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

from pydantic import BaseModel
from quart import Response

from regulars.contracts.context import ANONYMOUS, Context
from regulars.contracts.errors import Forbidden, NotFound, RegularsError, Unauthenticated
from regulars.domain.ledger.commands import Answer, Claim, principal_of as principal_name
from regulars.domain.ledger.problems import MEDIA_TYPE
from regulars.domain.tenants.limits import require_feature
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.ratelimit import Limit
from regulars.web.api.credentials import store_credentials, storefront_credentials
from regulars.web.areas import STORE, STOREFRONT
from regulars.web.bodies import Body, read_body
from regulars.web.forms import read_form
from regulars.web.idempotency import REPLAYED, read_key
from regulars.web.limits import check_limit
from regulars.web.origin import SAFE_METHODS
from regulars.web.principals import context_of, principal_of
from regulars.web.request import RegularsRequest, current_request
from regulars.web.services import Services, services

Door = Literal["store", "storefront", "admin"]
ATTRIBUTE = "__regulars_api__"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """What is documented of a view.

    Attributes:
        door: which API it belongs to; decides who may call.
        permission: what the caller must hold, `None` for everybody whom the door lets in.
        body, query: models of what is sent.
        answer: model of the success answer, `None` for 204.
        status: of the success answer.
        problems: errors that the view itself can answer with, beside those that every view of the door has.
        refusals: whether it can refuse with a plugin's or the till's own problem types.
        idempotent: whether an `Idempotency-Key` is needed.
        limit: how often a visitor may call.
        plugin: whose it is, empty for the host's.
        tag: heading in the documentation.
    """

    door: Door
    permission: str | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int
    problems: Sequence[type[RegularsError]]
    refusals: bool
    idempotent: bool
    limit: Limit | None
    plugin: str
    tag: str


@dataclass(frozen=True, slots=True)
class ApiWork:
    """A call of the API being worked on.

    Attributes:
        session: the open transaction; read-only for GET.
        claim: the caller's idempotency key, where the operation has one.
        card_token: of the storefront's caller, where that is who it is.
    """

    request: RegularsRequest
    services: Services
    session: TenantSession
    ctx: Context
    claim: Claim | None = None
    card_token: str = ""


ApiResult = BaseModel | Answer | None
ApiView = Callable[..., Awaitable[ApiResult]]


def api(
    *,
    door: Literal["store", "storefront"] = "store",
    permission: str | None = None,
    answer: type[BaseModel] | None,
    status: int = 200,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    problems: Sequence[type[RegularsError]] = (),
    refusals: bool = False,
    idempotent: bool = False,
    limit: Limit | None = None,
    plugin: str = "",
    tag: str = "",
) -> Callable[[ApiView], Callable[..., Awaitable[Response]]]:
    """Make a view of the API; the arguments are those of `Operation`.

    Returns:
        A decorator; the result is a Quart view that carries its documentation.

    Raises:
        ValueError: a model that would let unknown fields pass.
    """
    for model in (body,):
        if model is not None and model.model_config.get("extra") != "forbid":
            raise ValueError(f"{model.__name__} must have extra='forbid'")
    operation = Operation(
        door, permission, body, query, answer, status, problems, refusals, idempotent, limit, plugin, tag
    )

    def decorate(view: ApiView) -> Callable[..., Awaitable[Response]]:
        @wraps(view)
        async def run(**arguments: Any) -> Response:
            request, parts = current_request(), services()
            if limit is not None:
                await check_limit(limit, request, parts)
            sent = await read_body(request) if body is not None else None
            if sent is not None and body is not None:
                arguments["body"] = sent.validated(body)
            if query is not None:
                arguments["query"] = read_form(query, request.args).require()
            result = await _work(view, operation, request, parts, sent, arguments)
            return respond(result, operation.status)

        setattr(run, ATTRIBUTE, operation)
        return run

    return decorate


def respond(result: ApiResult, status: int) -> Response:
    """The answer to a call.

    Args:
        result: of the view; a stored answer keeps its own status and bytes.
        status: of a success.
    """
    if isinstance(result, Answer):
        kind = MEDIA_TYPE if result.status >= 400 else JSON
        headers = {REPLAYED: "true"} if result.replayed else {}
        return Response(result.body, status=result.status, content_type=kind, headers=headers)
    if result is None:
        return Response(status=204)
    return Response(result.model_dump_json(), status=status, content_type=JSON)


async def _work(
    view: ApiView,
    operation: Operation,
    request: RegularsRequest,
    parts: Services,
    sent: Body | None,
    arguments: dict[str, Any],
) -> ApiResult:
    tenant = request.visit.tenant
    if tenant is None:
        raise NotFound
    key = read_key(request.headers) if operation.idempotent else None
    caller = (store_credentials if operation.door == "store" else storefront_credentials)(request, tenant, parts)
    read_only = request.method in SAFE_METHODS
    async with parts.database.tenant(tenant.id, caller.credentials, read_only=read_only) as session:
        who = principal_of(session.principal, parts.plugins)
        ctx = context_of(request, tenant, who, STORE if operation.door == "store" else STOREFRONT)
        if operation.door == "store":
            if caller.needs_feature:
                await require_feature(session, ctx, "api_access")
            _check_caller(ctx, operation.permission)
        claim = None
        if key is not None:
            assert sent is not None, "an idempotent operation has a body"
            claim = Claim(principal_name(ctx), key, sent.fingerprint(request.method, request.path))
        return await view(ApiWork(request, parts, session, ctx, claim, caller.card_token), **arguments)


def _check_caller(ctx: Context, permission: str | None) -> None:
    if ctx.principal is ANONYMOUS:
        raise Unauthenticated(_("Send a valid API key of this shop: Authorization: Bearer rk_…"))
    if permission is not None and not ctx.principal.may(permission):
        raise Forbidden(_("This key or role lacks the permission %(name)s.", name=permission))
