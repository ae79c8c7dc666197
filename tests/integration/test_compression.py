"""Pages are sent compressed where no proxy stands in front who would do it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from regulars.app import create_app
from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import WebServer, serving


@pytest.mark.parametrize(
    ("path", "accepted", "encoding"),
    [
        ("/", "gzip, br", "gzip"),
        ("/api/openapi.json", "gzip", "gzip"),
        ("/", "gzip;q=0, br", None),
        ("/", "identity", None),
        ("/healthz", "gzip", None),
    ],
)
async def test_what_is_worth_it_is_compressed(web: WebServer, path: str, accepted: str, encoding: str | None) -> None:
    visitor = web.at("localhost")
    plain = await visitor.get(path, headers={"Accept-Encoding": "identity"})
    answer = await visitor.get(path, headers={"Accept-Encoding": accepted})
    assert (answer.headers.get("Content-Encoding"), len(answer.content)) == (encoding, len(plain.content))
    assert "Accept-Encoding" in answer.headers["Vary"]


async def test_a_file_that_is_known_is_not_sent_again(web: WebServer) -> None:
    visitor = web.at("localhost")
    sheet = next(part for part in (await visitor.get("/")).text.split('"') if part.endswith(".css"))
    first = await visitor.get(sheet, headers={"Accept-Encoding": "gzip"})
    assert (first.headers["Content-Encoding"], first.headers["ETag"][:3]) == ("gzip", 'W/"')
    again = await visitor.get(sheet, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_proxy_compresses_by_itself(config: Config, registry: PluginRegistry) -> None:
    behind = config.model_copy(update={"trusted_proxies": (ip_network("127.0.0.0/8"),)})
    async with serving(create_app(behind, registry=registry)) as server:
        answer = await server.at("localhost").get("/", headers={"Accept-Encoding": "gzip"})
    assert (answer.status_code, "Content-Encoding" in answer.headers) == (200, False)
