"""Requests and sockets with what the pipeline found out about them; the application class routes by kind of host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent
from quart import Quart, Request, Websocket, current_app, has_websocket_context
from quart.asgi import ASGIWebsocketConnection
from quart.ctx import RequestContext, WebsocketContext
from quart.globals import request_ctx, websocket_ctx
from quart.routing import QuartRule
from quart.typing import ResponseTypes
from quart.wrappers.base import BaseRequestWebsocket
from quart.wrappers.request import Body
from werkzeug.datastructures import Headers
from werkzeug.routing import MapAdapter, Rule

from regulars.contracts.context import ANONYMOUS, Principal, TenantSnapshot
from regulars.kernel.config import Config
from regulars.kernel.db.tally import Tally, begin_tally
from regulars.web.areas import API_PREFIX, HOOKS
from regulars.web.hosts import Peer, identify_peer

API_BODY_LIMIT = 64 * 1024
BODY_LIMIT = 1024 * 1024
UPLOAD_LIMIT = 5 * 1024 * 1024
_DEVICE_LENGTH = 200
_HEAR_OUT_SECONDS = 10
_ROUTING_NAME = "regulars.invalid"


@dataclass(slots=True)
class Visit:
    """What is known of a request.

    Attributes:
        request_id: ties log lines, audit rows and the answer together.
        tenant: whose host it is; `None` on the platform's hosts and on unknown ones.
        locale: language of the answer.
        started: `perf_counter` at the start.
        scope: contexts (locale, log) that end with the request.
        principal: who acts, as far as that was found out.
        database: what was asked of the database so far.
        stale_cookies: names of cookies that hold nothing valid any more and are taken back with the answer.
    """

    peer: Peer
    request_id: str = ""
    tenant: TenantSnapshot | None = None
    locale: str = "en"
    started: float = field(default_factory=perf_counter)
    scope: ExitStack = field(default_factory=ExitStack)
    principal: Principal = ANONYMOUS
    database: Tally = field(default_factory=begin_tally)
    stale_cookies: set[str] = field(default_factory=set)


class RefusableBody(Body):
    """A body that may be refused for the length that it declares, and is then heard out."""

    async def hear_out(self) -> None:
        """Wait until the refused body has arrived, within limits.

        Whoever answers and closes while the visitor still sends breaks the connection: browsers then show their own
        error and proxies a 502, and nobody reads the answer.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_HEAR_OUT_SECONDS):
                await self._complete.wait()


class RegularsRequest(Request):
    """A request; its body limit is that of the API, of forms, or of forms with files."""

    visit: Visit
    body: RefusableBody
    body_class = RefusableBody

    def __init__(
        self, method: str, scheme: str, path: str, query_string: bytes, headers: Headers, *args: Any, **kwargs: Any
    ) -> None:
        kwargs["max_content_length"] = _body_limit(path, headers.get("Content-Type", ""))
        super().__init__(method, scheme, path, query_string, headers, *args, **kwargs)


class RegularsSocket(Websocket):
    """A WebSocket; opening it is a request like others."""

    visit: Visit


Asked = RegularsRequest | RegularsSocket
"""Whatever somebody sends cookies with."""


class SocketConnection(ASGIWebsocketConnection):
    """One socket between server and application.

    Granian cannot send a close frame while somebody waits to receive, and Quart always does: its farewell would wait as
    long as the visitor likes. So the connection ends with this call, without a frame.
    """

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve the socket."""

        async def send_but_farewell(event: ASGISendEvent) -> None:
            if event["type"] != "websocket.close" or not self._accepted:
                await send(event)

        await super().__call__(receive, send_but_farewell)


class LateRule(QuartRule):
    """A route whose address builders are compiled when an address of it is first built.

    Most addresses are never built, and compiling all builders was a third of an application's start.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def compile_and_build(_rule: Rule, **values: Any) -> tuple[str, str]:
            build: Callable[..., tuple[str, str]] = compiled(append_unknown).__get__(self, None)
            setattr(self, "_build_unknown" if append_unknown else "_build", build)
            return build(**values)

        compiled = super()._compile_builder
        return compile_and_build


class RegularsApp(Quart):
    """Quart with routes that belong to one kind of host (written as werkzeug's sub-domain of the route).

    The host name itself never takes part in routing and never in links.

    Attributes:
        in_flight: requests being answered now.
        stopping: whether the process has been asked to end: it still answers, but is not ready for more.
    """

    request_class = RegularsRequest
    url_rule_class = LateRule
    websocket_class = RegularsSocket
    asgi_websocket_class = SocketConnection

    def __init__(self, config: Config) -> None:
        super().__init__("regulars.web", static_folder=None, template_folder=None)
        self.settings = config
        self.in_flight = 0
        self.stopping = False
        self.url_map.strict_slashes = False
        self.url_map.merge_slashes = False
        self.url_map.redirect_defaults = False

    def create_url_adapter(self, request: BaseRequestWebsocket | None) -> MapAdapter | None:
        """Bind the routes to the kind of host that is asked for."""
        if request is None:
            return None
        peer = identify_peer(request.headers, request.headers.get("Remote-Addr", ""), self.settings)
        request.visit = Visit(peer)  # type: ignore[attr-defined]
        scheme = self.settings.scheme
        return self.url_map.bind(
            _ROUTING_NAME,
            script_name="/",
            subdomain=peer.kind,
            url_scheme=scheme.replace("http", "ws") if isinstance(request, RegularsSocket) else scheme,
            default_method=request.method,
            path_info=request.path,
        )

    async def full_dispatch_request(self, request_context: RequestContext | None = None) -> ResponseTypes:
        """Answer a request and leave the contexts that the pipeline has entered for it."""
        self.in_flight += 1
        try:
            with current_visit().scope:
                return await super().full_dispatch_request(request_context)
        finally:
            self.in_flight -= 1

    async def full_dispatch_websocket(self, websocket_context: WebsocketContext | None = None) -> ResponseTypes | None:
        """The same for a socket, which is answered only when it is refused."""
        with current_socket().visit.scope:
            return await super().full_dispatch_websocket(websocket_context)


def _body_limit(path: str, content_type: str) -> int:
    if path.startswith((API_PREFIX, f"{HOOKS.prefix}/")):
        return API_BODY_LIMIT
    return UPLOAD_LIMIT if content_type.startswith("multipart/form-data") else BODY_LIMIT


def serving_app() -> RegularsApp:
    """The application that is answering."""
    found = current_app._get_current_object()  # type: ignore[attr-defined]
    assert isinstance(found, RegularsApp)
    return found


def current_request() -> RegularsRequest:
    """The request being answered."""
    found = request_ctx.request
    assert isinstance(found, RegularsRequest)
    return found


def current_socket() -> RegularsSocket:
    """The socket being opened or served."""
    found = websocket_ctx.websocket
    assert isinstance(found, RegularsSocket)
    return found


def current_visit() -> Visit:
    """What is known of the request being answered, or of the socket being opened."""
    return (current_socket() if has_websocket_context() else current_request()).visit


def device_of(request: Asked) -> str:
    """What the visitor's browser or program calls itself, for the audit log."""
    return request.headers.get("User-Agent", "")[:_DEVICE_LENGTH]
