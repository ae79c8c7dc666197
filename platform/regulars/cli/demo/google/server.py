"""The stand-in's server: tokens, classes and objects, the page that saves a card, and the callbacks it makes."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from regulars.cli.demo.google.handler import StandInHandler
from regulars.cli.demo.google.shelf import SCHEMAS, Answer, Shelf
from regulars.cli.demo.google.signing import Signer, message

ISSUER_ID = "3388000000012345678"
EMAIL = "wallet@stand-in.iam.gserviceaccount.com"
AUDIENCE = "https://oauth2.googleapis.com/token"


class StandIn:
    """Google Wallet on a port of this machine, with one issuer and one service account.

    Args:
        bind: address to listen on, at a free port.
        name: of this machine in links, as others know it.
        folder: where it keeps its key and all that it was given; nowhere when left out.

    Attributes:
        sent: (method, path, payload) of every request to the API.
        failures: status and headers of the next answers, instead of what would be right.
        signer: of the callbacks.
    """

    def __init__(self, bind: str = "127.0.0.1", name: str = "127.0.0.1", folder: Path | None = None) -> None:
        self.shelf = Shelf(folder / "shelf.json" if folder else None)
        self.signer = Signer()
        self.sent: list[tuple[str, str, Any]] = []
        self.failures: list[tuple[int, Mapping[str, str]]] = []
        self.tokens: set[str] = set()
        self.key = _key(folder / "account.json" if folder else None)
        self.lock = threading.RLock()
        self._name = name
        self._server = ThreadingHTTPServer((bind, 0), type("Handler", (StandInHandler,), {"stand_in": self}))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self._name}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def account(self, **changes: Any) -> str:
        """The service account's key, as the file that Google gives."""
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        fields = {
            "type": "service_account",
            "project_id": "stand-in",
            "private_key_id": "0123456789abcdef",
            "private_key": pem,
            "client_email": EMAIL,
            "token_uri": f"{self.url}/token",
        }
        return json.dumps({name: value for name, value in {**fields, **changes}.items() if value is not None})

    def token(self, form: Mapping[str, list[str]]) -> dict[str, Any]:
        """An access token for a signed assertion."""
        try:
            jwt.decode(
                form["assertion"][0], self.key.public_key(), algorithms=["RS256"], audience=AUDIENCE, issuer=EMAIL
            )
        except (jwt.InvalidTokenError, KeyError) as error:
            raise Answer(
                400, str(error), {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            ) from None
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def next_failure(self, method: str, path: str, payload: Any) -> tuple[int, Mapping[str, str]] | None:
        """What goes wrong with a request, if anything is to."""
        with self.lock:
            if not self.failures:
                return None
            self.sent.append((method, path, payload))
            return self.failures.pop(0)

    def ask(self, method: str, path: str, token: str, payload: Any) -> dict[str, Any]:
        """A request to the API."""
        with self.lock:
            self.sent.append((method, path, payload))
            if token not in self.tokens:
                raise Answer(401, "Request had invalid authentication credentials.")
            kind, _slash, name = path.partition("/")
            if kind not in SCHEMAS:
                raise Answer(404, "Not found")
            if method == "GET" and not name:
                return {"resources": [*self.shelf.kept[kind].values()]}
            if method == "GET":
                return self.shelf.get(kind, name)
            if method == "POST":
                return self.shelf.insert(kind, payload)
            change = self.shelf.patch if method == "PATCH" else self.shelf.replace
            return change(kind, name, payload)

    def opened(self, link: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The object of a save link with its class, kept when the link brings all of it."""
        try:
            claims = self._read(link, "google")
        except jwt.InvalidTokenError as error:
            raise Answer(400, str(error)) from None
        brought = claims["payload"]["loyaltyObjects"][0]
        with self.lock:
            if brought["id"] not in self.shelf.kept["loyaltyObject"]:
                self.shelf.insert("loyaltyObject", brought)
            found = self.shelf.get("loyaltyObject", brought["id"])
            return found, self.shelf.get("loyaltyClass", found["classId"])

    def press(self, link: str, kind: str) -> None:
        """Save a card, or remove it, and tell whoever made it."""
        found, shared = self.opened(link)
        with self.lock:
            self.shelf.hold(found["id"], held=kind == "save")
        url = shared.get("callbackOptions", {}).get("url")
        if url:
            told = self.signer.callback(ISSUER_ID, message(kind, shared["id"], found["id"]))
            httpx.post(url, json=told, timeout=10, trust_env=False)

    def _read(self, token: str, audience: str) -> dict[str, Any]:
        """What the service account has signed."""
        return jwt.decode(token, self.key.public_key(), algorithms=["RS256"], audience=audience, issuer=EMAIL)


def _key(kept: Path | None) -> RSAPrivateKey:
    """The key in an account's file that was written before, else a new one."""
    if kept is None or not kept.exists():
        return generate_private_key(public_exponent=65537, key_size=2048)
    key = load_pem_private_key(json.loads(kept.read_text("utf-8"))["private_key"].encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key
