"""The OpenAPI document of the API, made by quart-schema from what each view declares.

Every status that an operation can answer with is there, with the problem types that it can have; paths of plugins that
a host has not enabled are not.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from quart import Response
from quart_schema import QuartSchema
from quart_schema.openapi import APIKeySecurityScheme, HttpSecurityScheme, Info, OpenAPIProvider
from werkzeug.routing.rules import Rule

from regulars import __version__
from regulars.contracts import errors
from regulars.contracts.errors import RegularsError
from regulars.domain.ledger.problems import MEDIA_TYPE, PROBLEM_TYPE_PREFIX
from regulars.kernel.db.prepared import to_json
from regulars.web.api.models import Problem
from regulars.web.api.toolkit import JSON, Door, Operation, operation_of
from regulars.web.areas import API_DOCUMENT
from regulars.web.bodies import UnsupportedMediaType
from regulars.web.cookies import full_cookie_name, session_cookie
from regulars.web.failures import RequestTimedOut
from regulars.web.hosts import HOST_KINDS, HostKind
from regulars.web.idempotency import HEADER, MAX_LENGTH, REPLAYED
from regulars.web.pipeline import UnknownHost, plugin_of_path
from regulars.web.request import RegularsApp, current_request
from regulars.web.services import services

DOORS: dict[HostKind, tuple[Door, ...]] = {
    "tenant": ("store", "storefront"),
    "console": ("admin",),
    "bare": ("store", "storefront", "admin"),
}
"""Kind of host → what its document describes; that of the platform's bare host describes everything."""

_REFUSAL_STATUSES = (403, 409, 422)
_REFUSAL_TYPE = rf"^{PROBLEM_TYPE_PREFIX}[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"
_EVERYWHERE = (errors.MalformedRequest, UnknownHost, errors.RegularsError, errors.Unavailable)
_OF_DOOR: dict[Door, tuple[type[RegularsError], ...]] = {
    "store": (errors.TenantUnavailable, errors.Unauthenticated, errors.Forbidden, errors.FeatureNotInOffering),
    "storefront": (errors.TenantUnavailable, errors.Forbidden),
    "admin": (errors.Unauthenticated, errors.Forbidden),
}
_OF_BODY = (
    errors.MalformedRequest,
    errors.PayloadTooLarge,
    errors.InvalidInput,
    UnsupportedMediaType,
    RequestTimedOut,
)
_SECURITY: dict[Door, list[dict[str, list[str]]]] = {
    "store": [{"apiKey": []}, {"staffSession": []}],
    "storefront": [{"cardToken": []}, {"memberSession": []}, {}],
    "admin": [{"operatorKey": []}],
}
_ABOUT = """\
Every write at the till takes an `Idempotency-Key`: the same key with the same request gives the same answer again, byte
for byte, with `Idempotency-Replayed: true`. Errors are RFC 9457 problem documents; their `type` is stable. Money is in
minor units, times are ISO 8601 with offset."""


class ApiDocument(OpenAPIProvider):
    """Describes the operations of some doors and plugins.

    Args:
        app: with all routes.
        extension: quart-schema's, with general information.
        doors: what to describe.
        plugins: those whose paths to describe.
    """

    def __init__(self, app: RegularsApp, extension: QuartSchema, doors: Collection[Door], plugins: Collection[str]):
        super().__init__(app, extension)
        self._regulars_app = app
        self._doors = doors
        self._plugins = plugins

    def generate_rules(self) -> Iterable[Rule]:
        """The routes to describe."""
        registry = services().plugins
        for rule in self._regulars_app.url_map.iter_rules():
            operation = operation_of(self._regulars_app.view_functions[rule.endpoint])
            if operation is None or operation.door not in self._doors:
                continue
            plugin = plugin_of_path(rule.rule, registry)
            if plugin is None or plugin in self._plugins:
                yield rule

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        """One route as OpenAPI's path item, and the schemas that it needs."""
        view = self._regulars_app.view_functions[rule.endpoint]
        operation = operation_of(view)
        assert operation is not None
        components: dict[str, Any] = {}
        summary, _, description = (inspect.getdoc(view) or "").partition("\n")
        described: dict[str, Any] = {
            "operationId": rule.endpoint.replace(".", "_"),
            "summary": summary,
            "tags": [operation.tag] if operation.tag else [],
            "security": _SECURITY[operation.door],
            "parameters": [*_path_parameters(rule), *_query_parameters(operation), *_header_parameters(operation)],
            "responses": _responses(operation, components),
        }
        if description.strip():
            described["description"] = description.strip()
        if operation.body is not None:
            content = {JSON: {"schema": _reference(operation.body, components, "validation")}}
            described["requestBody"] = {"required": True, "content": content}
        path = re.sub(r"<(?:[^:<>]*:)?([^<>]+)>", r"{\1}", rule.rule)
        return {path: {method.lower(): described for method in self.generate_methods(rule)}}, components


def register_openapi(app: RegularsApp) -> None:
    """Add the document's route; it answers on every host."""
    extension = QuartSchema(
        app,
        openapi_path=None,
        redoc_ui_path=None,
        scalar_ui_path=None,
        swagger_ui_path=None,
        info=Info(title="Regulars", version=__version__, description=_ABOUT),
        security_schemes={
            "apiKey": HttpSecurityScheme(scheme="bearer", bearer_format="rk_live_… or, in a sandbox, rk_test_…"),
            "cardToken": HttpSecurityScheme(scheme="bearer", bearer_format="text of a card's QR code"),
            "operatorKey": HttpSecurityScheme(scheme="bearer", bearer_format="rk_ops_…"),
            "staffSession": APIKeySecurityScheme(full_cookie_name(session_cookie("staff"), app.settings), "cookie"),
            "memberSession": APIKeySecurityScheme(full_cookie_name(session_cookie("member"), app.settings), "cookie"),
        },
    )
    vars(app).pop("make_response")  # the extension's own converts results; our views give answers

    @lru_cache(maxsize=256)
    def document(kind: HostKind, plugins: frozenset[str]) -> str:
        return to_json(ApiDocument(app, extension, DOORS[kind], plugins).schema())

    async def openapi() -> Response:
        visit = current_request().visit
        enabled = visit.tenant.enabled if visit.tenant else services().plugins.names
        return Response(document(visit.peer.kind, enabled), content_type=JSON)

    for kind in HOST_KINDS:
        app.add_url_rule(API_DOCUMENT, "openapi", openapi, subdomain=kind)


def problems_of(operation: Operation) -> dict[int, Sequence[type[RegularsError]]]:
    """Every error that an operation can answer with, by status."""
    kinds: set[type[RegularsError]] = {*_EVERYWHERE, *_OF_DOOR[operation.door], *operation.problems}
    if operation.feature is not None:
        kinds.add(errors.FeatureNotInOffering)
    if operation.body is not None:
        kinds |= set(_OF_BODY)
    if operation.query is not None:
        kinds.add(errors.InvalidInput)
    if operation.limit is not None:
        kinds.add(errors.RateLimited)
    if operation.door != "admin":
        kinds.add(errors.NotFound)
    statuses = sorted({kind.status for kind in kinds})
    return {
        status: sorted((kind for kind in kinds if kind.status == status), key=lambda kind: kind.code)
        for status in statuses
    }


def _responses(operation: Operation, components: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, model in operation.answers.items():
        answer: dict[str, Any] = {"description": _first_line(model) if model else "Done.", "headers": _headers()}
        if model is not None:
            answer["content"] = {JSON: {"schema": _reference(model, components, "serialization")}}
        if operation.idempotent:
            answer["headers"][REPLAYED] = {"description": "The stored answer.", "schema": {"const": "true"}}
        found[str(status)] = answer
    problems = problems_of(operation)
    statuses = {*problems, *(_REFUSAL_STATUSES if operation.refusals else ())}
    for status in sorted(statuses):
        open_ended = operation.refusals and status in _REFUSAL_STATUSES
        found[str(status)] = _problem(status, problems.get(status, ()), components, open_ended=open_ended)
        if open_ended:
            found[str(status)]["headers"][REPLAYED] = {"schema": {"const": "true"}}
    return found


def _problem(
    status: int, kinds: Sequence[type[RegularsError]], components: dict[str, Any], *, open_ended: bool
) -> dict[str, Any]:
    types: list[dict[str, Any]] = []
    if kinds:
        types.append({"enum": [f"{PROBLEM_TYPE_PREFIX}{kind.code}" for kind in kinds]})
    if open_ended:
        types.append({"pattern": _REFUSAL_TYPE})
    narrowed = {"properties": {"status": {"const": status}, "type": types[0] if len(types) == 1 else {"anyOf": types}}}
    headers = _headers()
    if status in {429, 503}:
        headers["Retry-After"] = {"required": True, "schema": {"type": "integer", "minimum": 1}}
    if status == 409:
        headers["Retry-After"] = {"schema": {"type": "integer", "minimum": 1}}
    if status == 401:
        headers["WWW-Authenticate"] = {"required": True, "schema": {"type": "string"}}
    return {
        "description": " ".join(dict.fromkeys(kind.title for kind in kinds)) or "Refused, with the reason.",
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": {"allOf": [_reference(Problem, components, "serialization"), narrowed]}}},
    }


def _headers() -> dict[str, Any]:
    return {"X-Request-ID": {"required": True, "description": "Id of the request.", "schema": {"type": "string"}}}


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in sorted(rule.arguments)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = _schema(operation.query, "validation")
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": field.get("description", ""),
            "schema": {key: value for key, value in field.items() if key != "description"},
        }
        for name, field in schema["properties"].items()
    ]


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    if not operation.idempotent:
        return []
    return [
        {
            "name": HEADER,
            "in": "header",
            "required": True,
            "description": "A new one for each new write, the same one when it is tried again; quoted or bare.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH + 2},
        }
    ]


def _reference(model: type[BaseModel], components: dict[str, Any], mode: Any) -> dict[str, str]:
    """A reference to a model's schema, which is put among the components with all that it needs."""
    schema = _schema(model, mode)
    components.update(schema.get("$defs", {}))
    components[model.__name__] = {key: value for key, value in schema.items() if key != "$defs"}
    return {"$ref": f"#/components/schemas/{model.__name__}"}


@lru_cache(maxsize=1024)
def _schema(model: type[BaseModel], mode: Any) -> Mapping[str, Any]:
    """A model's schema, made once; not to be changed."""
    return model.model_json_schema(ref_template="#/components/schemas/{model}", mode=mode)


def _first_line(model: type[BaseModel]) -> str:
    return (inspect.getdoc(model) or model.__name__).splitlines()[0]
