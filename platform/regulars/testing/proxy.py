"""The real Caddy with the Caddyfile of the house in front of an application; its certificates are of its own making."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

CADDYFILE = Path(__file__).parents[3] / "Caddyfile"
_ROOT = Path("caddy/pki/authorities/local/root.crt")
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Proxy:
    """A running Caddy.

    Attributes:
        http_port, https_port: on which it listens.
        trust: believes its certificates and no others.
    """

    http_port: int
    https_port: int
    trust: ssl.SSLContext

    def client(self, *, http2: bool = False) -> httpx.AsyncClient:
        """A client of this proxy; whoever sends a request names host and server name, see `get`."""
        return httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{self.https_port}",
            verify=self.trust,
            http1=not http2,
            http2=http2,
            timeout=20,
            trust_env=False,
        )

    async def get(
        self, host: str, path: str = "/", *, sni: str | None = None, http2: bool = False, **headers: str
    ) -> httpx.Response:
        """GET over TLS, on a connection of its own.

        Args:
            host: the host header.
            path: with query.
            sni: the name in the TLS handshake, that of the host unless given.
            http2: speak HTTP/2 instead of HTTP/1.1.
            headers: further ones, underscores for hyphens.

        Raises:
            httpx.ConnectError: there is no certificate for that name.
        """
        sent = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.client(http2=http2) as client:
            return await client.get(path, headers=sent, extensions={"sni_hostname": sni or host.partition(":")[0]})


@asynccontextmanager
async def proxying(
    upstream_port: int, base_domain: str, folder: Path, ports: tuple[int, int], **variables: str
) -> AsyncIterator[Proxy]:
    """Run Caddy until the block ends.

    Args:
        upstream_port: where the application listens.
        base_domain: as for the application.
        folder: for certificates and the log.
        ports: for HTTP and HTTPS.
        variables: further ones of the Caddyfile.
    """
    found = shutil.which("caddy")
    if found is None:
        raise RuntimeError("the tests run a real Caddy and none is on the PATH: `make caddy`")
    environment = caddy_environment(base_domain, folder, ports) | {
        "REGULARS_UPSTREAM": f"127.0.0.1:{upstream_port}",
        "REGULARS_ASK": f"http://127.0.0.1:{upstream_port}/_tls/ask",
        **variables,
    }
    with (folder / "caddy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            found, "run", "--config", CADDYFILE, "--adapter", "caddyfile", env=environment, stdout=log, stderr=log
        )
    try:
        root = folder / _ROOT
        await _until_up(process, root, ports[1])
        yield Proxy(*ports, ssl.create_default_context(cafile=root))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def caddy_environment(base_domain: str, folder: Path, ports: tuple[int, int]) -> dict[str, str]:
    """What the Caddyfile needs for certificates of its own making."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "REGULARS_BASE_DOMAIN": base_domain,
        "REGULARS_TLS": "internal",
        "REGULARS_TLS_OWN": "internal",
        "REGULARS_HTTP_PORT": str(ports[0]),
        "REGULARS_HTTPS_PORT": str(ports[1]),
    }


async def _until_up(process: asyncio.subprocess.Process, root: Path, port: int) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"Caddy has ended, see {root.parents[4] / 'caddy.log'}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            if await asyncio.to_thread(root.exists):
                return
