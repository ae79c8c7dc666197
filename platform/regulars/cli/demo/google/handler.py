"""Requests to the stand-in, as HTTP brings them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from regulars.cli.demo.google.page import card_page
from regulars.cli.demo.google.shelf import Answer

if TYPE_CHECKING:
    from regulars.cli.demo.google.server import StandIn

API, SAVE, KEYS, TOKEN = "/walletobjects/v1/", "/gp/v/save/", "/gp/m/issuer/keys", "/token"


class StandInHandler(BaseHTTPRequestHandler):
    """Answers one connection."""

    stand_in: ClassVar[StandIn]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a request, whatever its method."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self._route(urlsplit(self.path).path, body)
        except Answer as error:
            self._json(error.status, error.body)

    def do_POST(self) -> None:
        """As `do_GET`."""
        self.do_GET()

    def do_PATCH(self) -> None:
        """As `do_GET`."""
        self.do_GET()

    def do_PUT(self) -> None:
        """As `do_GET`."""
        self.do_GET()

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def _route(self, path: str, body: bytes) -> None:
        if path.startswith(API):
            self._api(path.removeprefix(API), body)
        elif path == TOKEN:
            self._json(200, self.stand_in.token(parse_qs(body.decode())))
        elif path == KEYS:
            self._json(200, self.stand_in.signer.root_keys(), {"Cache-Control": "public, max-age=3600"})
        elif path.startswith(SAVE):
            self._save_page(path, body)
        else:
            raise Answer(404, "Not found")

    def _api(self, path: str, body: bytes) -> None:
        payload = json.loads(body) if body else None
        failure = self.stand_in.next_failure(self.command, path, payload)
        if failure is not None:
            status, headers = failure
            self._json(status, Answer(status, "as it was asked for").body, headers)
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self._json(200, self.stand_in.ask(self.command, path, token, payload))

    def _save_page(self, path: str, body: bytes) -> None:
        link = path.removeprefix(SAVE)
        if self.command == "POST":
            self.stand_in.press(link, parse_qs(body.decode()).get("event", ["save"])[0])
            self._send(303, b"", {"Location": path})
            return
        page = card_page(*self.stand_in.opened(link))
        self._send(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _json(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
