"""Through the real Caddy with the Caddyfile of the house: TLS, certificates on demand, hosts, headers, compression."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from asyncpg import Connection
from conftest import EVERYTHING
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from visitors import member_at

from regulars.app import create_app
from regulars.domain.domains.desk import DomainDesk
from regulars.domain.domains.service import add
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.embedded.ports import free_port
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.dns import name_server
from regulars.testing.principals import acting
from regulars.testing.proxy import CADDYFILE, Proxy, caddy_environment, proxying
from regulars.testing.sockets import opened
from regulars.testing.web import WebServer, serving
from regulars.testing.world import World

WHO = "/p/probe/"


@dataclass(frozen=True)
class House:
    """An installation behind its proxy."""

    proxy: Proxy
    server: WebServer
    one: World
    two: World


@pytest.fixture
async def house(
    config: Config, probed_registry: PluginRegistry, make_world: Callable[..., Awaitable[World]], tmp_path: Path
) -> AsyncIterator[House]:
    one = await make_world("one", offering="all", features=(*EVERYTHING, "custom_domain"))
    two = await make_world("two", offering="all")
    ports = free_port(), free_port()
    changes = {"scheme": "https", "public_port": ports[1], "trusted_proxies": ("127.0.0.1/32",)}
    behind = Config.model_validate(config.model_dump() | changes)
    async with (
        serving(create_app(behind, registry=probed_registry)) as server,
        proxying(server.port, config.base_domain, tmp_path, ports) as proxy,
    ):
        yield House(proxy, server, one, two)


async def test_every_host_of_ours_has_a_certificate_and_no_other(house: House, sql: Connection) -> None:
    await sql.execute(
        "INSERT INTO core.tenant_host (host, tenant_id, is_primary) VALUES ('loyalty.one.example', $1, false)",
        house.one.tenant.id,
    )
    for http2 in (False, True):
        for host in ("one.localhost", "ONE.localhost", "loyalty.one.example"):
            response = await house.proxy.get(host, WHO, http2=http2)
            assert (response.status_code, response.text) == (200, "one 1 anonymous")
            assert response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert (await house.proxy.get("localhost", "/")).status_code == 200
    assert (await house.proxy.get("console.localhost", "/log-in")).status_code == 200
    for host in (
        "nobody.localhost",
        "evil.example",
        "one.localhost.evil.example",
        "x.loyalty.one.example",
        "127.0.0.1",
    ):
        with pytest.raises(httpx.ConnectError):
            await house.proxy.get("one.localhost", WHO, sni=host)


async def test_an_own_domain_is_live_when_its_certificate_is_seen(
    house: House, sql: Connection, database: Database
) -> None:
    name = "loyalty.cafe.lu"
    async with name_server() as dns:
        changes = {"dns_server": dns.address, "scheme": "https", "public_port": house.proxy.https_port}
        config = house.one.config.model_copy(update=changes)
        desk = DomainDesk(config, database, lambda: house.proxy.trust)
        async with database.platform("test") as session:
            proof = (await add(session, acting(house.one, "owner"), name, desk.ours())).proof
        dns.records = {
            ("localhost", "A"): ["127.0.0.1"],
            (name, "A"): ["127.0.0.1"],
            (f"_regulars.{name}", "TXT"): [f'"regulars={proof}"'],
        }
        strangers = DomainDesk(config, database)
        seen = [
            await desk.check(house.one.tenant, name, certificate=False),
            await strangers.check(house.one.tenant, name),
            await desk.check(house.one.tenant, name),
        ]
    assert [found.status for found in seen if found] == ["verified", "verified", "live"]
    assert (await house.proxy.get(name, WHO)).text == "one 1 anonymous"


async def test_a_connection_for_one_name_serves_no_other(house: House) -> None:
    for http2 in (False, True):
        for host in ("two.localhost", "localhost", "console.localhost", "evil.example", "127.0.0.1"):
            response = await house.proxy.get(host, WHO, sni="one.localhost", http2=http2)
            assert (response.status_code, response.text) == (421, ""), (host, http2)
    with pytest.raises(ssl.SSLError):
        await without_name(house.proxy)


async def without_name(proxy: Proxy) -> None:
    """A TLS handshake that names no host."""
    nameless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nameless.check_hostname = False
    nameless.verify_mode = ssl.CERT_NONE
    await asyncio.open_connection("127.0.0.1", proxy.https_port, ssl=nameless)


async def test_headers_of_visitors_do_not_pass(house: House) -> None:
    hostile = {
        "X_Forwarded_Host": "two.localhost",
        "X_Forwarded_For": "198.51.100.7",
        "X_Forwarded_Proto": "http",
        "Forwarded": "for=198.51.100.7;host=two.localhost;proto=http",
        "X_Original_URL": "/manage",
        "X_Tenant_ID": "two",
    }
    for http2 in (False, True):
        response = await house.proxy.get("one.localhost", WHO, http2=http2, **hostile)
        assert (response.status_code, response.text) == (200, "one 1 anonymous")
    page = await house.proxy.get("one.localhost", "/", **hostile)
    assert "two.localhost" not in page.text
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert [name for name in ("Server", "Via", "X-Powered-By") if page.headers.get(name, "Caddy") != "Caddy"] == []


async def test_a_page_is_told_through_the_proxy(house: House, sql: Connection) -> None:
    """One WebSocket over TLS, with the browser's origin; the word is heard without being asked for."""
    signed_in = await member_at(house.server, sql, house.one)
    mia = house.server.at(f"{house.one.host}:{house.proxy.https_port}")
    for name, value in signed_in.client.cookies.items():
        mia.client.cookies.set(f"__Host-{name}", value)
    async with opened(mia, f"/card/socket?card={ids.show(ids.CARD, house.one.card.id)}", proxy=house.proxy) as socket:
        async with asyncio.timeout(10):
            assert await socket.hear() == "on"


async def test_nobody_but_the_proxy_asks_for_names(house: House, config: Config, one_app: WebServer) -> None:
    ask = "/_tls/ask?domain=one.localhost"
    assert (await house.proxy.get("one.localhost", ask)).status_code == 404
    assert (await house.server.at("127.0.0.1:8000").get(ask)).status_code == 200
    inside = {"x_forwarded_for": "198.51.100.7"}
    assert (await house.server.at("127.0.0.1:8000", **inside).get(ask)).status_code == 404
    assert (await one_app.at("127.0.0.1:8000").get(ask)).status_code == 404, "no proxy is trusted"
    names = {
        "one.localhost": 200,
        "ONE.localhost": 200,
        "localhost": 200,
        "console.localhost": 200,
        "nobody.localhost": 404,
        "*.localhost": 404,
        "one.localhost.": 404,
        "one.localhost:443": 404,
        "127.0.0.1": 404,
        "::1": 404,
        "": 404,
        "a\0b": 404,
        "x" * 5000: 404,
    }
    proxys = house.server.at("127.0.0.1:8000")
    found = {name: (await proxys.client.get("/_tls/ask", params={"domain": name})).status_code for name in names}
    assert found == names


@pytest.fixture
async def one_app(config: Config, probed_registry: PluginRegistry) -> AsyncIterator[WebServer]:
    async with serving(create_app(config, registry=probed_registry)) as server:
        yield server


async def test_what_is_around_the_pages(house: House) -> None:
    plain = httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.proxy.http_port}", trust_env=False)
    async with plain:
        for host in ("one.localhost", "loyalty.one.example", "nobody.example"):
            moved = await plain.get("/join?a=b", headers={"Host": host})
            assert moved.status_code == 308
            assert moved.headers["Location"] == f"https://{host}/join?a=b", "443 outside"
    for coding in ("zstd", "gzip"):
        page = await house.proxy.get("one.localhost", "/", Accept_Encoding=coding)
        assert page.headers["Content-Encoding"] == coding
        assert {"Host", "Accept-Encoding"} <= {part.strip() for part in page.headers["Vary"].split(",")}
    stylesheet = house.server.app.extensions["regulars"].assets.url("app.css")
    sheet = await house.proxy.get("one.localhost", stylesheet, Accept_Encoding="gzip")
    assert sheet.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert sheet.headers["Content-Encoding"] == "gzip"
    async with house.proxy.client() as client:
        to = {"extensions": {"sni_hostname": "one.localhost"}}
        cookies = {"Host": "one.localhost", "Cookie": "x=" + "x" * 8192}
        assert (await client.get(WHO, headers=cookies, **to)).status_code == 200
        cookies["Cookie"] = "x=" + "x" * 60_000
        assert (await client.get(WHO, headers=cookies, **to)).status_code == 431
        body = {"Host": "one.localhost", "Content-Type": "multipart/form-data; boundary=x"}
        large = await client.post("/p/probe/name", content=b"x" * 7_000_000, headers=body, **to)
        assert large.status_code == 413


async def test_a_wildcard_certificate_from_files(
    config: Config,
    probed_registry: PluginRegistry,
    make_world: Callable[..., Awaitable[World]],
    sql: Connection,
    tmp_path: Path,
) -> None:
    for slug in ("one", "two"):
        world = await make_world(slug, offering="all", features=EVERYTHING)
        new = "INSERT INTO core.tenant_host (host, tenant_id, is_primary) VALUES ($1, $2, false)"
        await sql.execute(new, f"{slug}.shops.test", world.tenant.id)
    certificate, key = wildcard(tmp_path, "shops.test")
    changes = {"base_domain": "shops.test", "scheme": "https", "trusted_proxies": ("127.0.0.1/32",)}
    behind = Config.model_validate(config.model_dump() | changes)
    files = {"REGULARS_TLS": "files", "REGULARS_TLS_CERT": str(certificate), "REGULARS_TLS_KEY": str(key)}
    async with (
        serving(create_app(behind, registry=probed_registry)) as server,
        proxying(server.port, "shops.test", tmp_path, (free_port(), free_port()), **files) as proxy,
    ):
        with pytest.raises(httpx.ConnectError):
            await proxy.get("one.shops.test", WHO)
        proxy.trust.load_verify_locations(certificate)
        assert (await proxy.get("two.shops.test", WHO)).text == "two 1 anonymous"
        async with proxy.client(http2=True) as client:
            same = {"extensions": {"sni_hostname": "one.shops.test"}}
            own = await client.get(WHO, headers={"Host": "one.shops.test"}, **same)
            neighbours = await client.get(WHO, headers={"Host": "two.shops.test"}, **same)
            assert (own.text, neighbours.status_code, neighbours.text) == ("one 1 anonymous", 421, "")


def wildcard(folder: Path, base: str) -> tuple[Path, Path]:
    """A certificate for a domain and what is below it, that nobody has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, base)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(base), x509.DNSName(f"*.{base}")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "wildcard.pem", folder / "wildcard.key"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@pytest.mark.parametrize("kind", ["on_demand", "internal"])
def test_the_caddyfile_is_valid_and_neat(kind: str, tmp_path: Path) -> None:
    own = caddy_environment("shops.example.com", tmp_path, (80, 443))
    environment = {**os.environ, **own, "REGULARS_TLS": kind, "REGULARS_TLS_OWN": kind}
    arguments = ["--config", str(CADDYFILE), "--adapter", "caddyfile"]
    subprocess.run(["caddy", "validate", *arguments], env=environment, check=True, capture_output=True)
    neat = subprocess.run(["caddy", "fmt", str(CADDYFILE)], check=True, capture_output=True, text=True).stdout
    assert neat == CADDYFILE.read_text("utf-8")
