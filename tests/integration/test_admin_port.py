"""The admin port: metrics and health of all processes of a machine, told by a process of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.installation import Installation, installation
from regulars.testing.world import World, make_tenant

DEADLINE = 120


@pytest.fixture(scope="module")
async def running(registry: PluginRegistry) -> AsyncIterator[Installation]:
    async with installation(registry, workers=2, admin=True) as started:
        yield started


@pytest.fixture(scope="module")
async def shop(running: Installation) -> World:
    return await make_tenant(running.config, "cafe")


async def samples(running: Installation) -> list[Sample]:
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.get(f"{running.admin}/metrics")
    assert answer.status_code == 200
    return [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]


def value(found: list[Sample], name: str, **labels: str) -> float:
    """The one sample of that name and these labels, 0 when there is none."""
    values = [one.value for one in found if one.name == name and labels.items() <= one.labels.items()]
    assert len(values) <= 1, (name, labels, values)
    return sum(values)


def lookups(found: list[Sample]) -> tuple[float, float]:
    """How often a tenant was not in memory, and how often it was."""
    name = "regulars_tenant_cache_lookups_total"
    return value(found, name, result="miss"), value(found, name, result="hit")


async def until(running: Installation, wanted: float, name: str, **labels: str) -> list[Sample]:
    async with asyncio.timeout(DEADLINE):
        while value(found := await samples(running), name, **labels) != wanted:
            await asyncio.sleep(0.1)
    return found


async def ask(running: Installation, world: World, times: int) -> None:
    for _ in range(times):
        async with httpx.AsyncClient(base_url=running.address(), headers={"Host": world.host}, timeout=60) as client:
            assert (await client.get("/cards/no-such-card")).status_code == 404
            assert (await client.get("/healthz")).status_code == 200


async def test_one_address_tells_the_sum_of_all_processes(running: Installation, shop: World) -> None:
    await until(running, 0, "regulars_tenant_listeners_down")
    await ask(running, shop, 20)
    async with asyncio.timeout(DEADLINE):
        while sum(lookups(found := await samples(running))) < 20:
            await asyncio.sleep(0.1)
    alive = {"host": "tenant", "method": "GET", "route": "/healthz", "status": "2xx"}
    assert value(found, "regulars_request_seconds_count", **alive) == 20
    lost = {"host": "tenant", "method": "GET", "route": "unmatched", "status": "4xx"}
    assert value(found, "regulars_request_seconds_count", **lost) == 20
    assert value(found, "regulars_processes", role="web") == 2
    assert value(found, "regulars_processes", role="worker") == 1
    assert value(found, "regulars_db_pool_size", role="app") == 3 * running.config.pool_size
    misses, hits = lookups(found)
    assert (misses in {1, 2}, misses + hits) == (True, 20)  # each process asks the database once
    assert {one.labels["slot"] for one in found if one.name == "regulars_process_resident_bytes"} != set()


async def test_every_line_of_the_log_is_json_and_holds_no_secret(running: Installation, shop: World) -> None:
    evil = "f\x1b[31mred\u2028{'event': 'forged'}"
    sale = {"card": shop.card.number, "staff": f"staff_{shop.staff[0].id.hex}", "pin": shop.staff[0].pin}
    headers = {"Host": shop.host, "Authorization": f"Bearer {shop.api_key}", "X-Request-ID": "chosen-by-a-visitor"}
    async with httpx.AsyncClient(base_url=running.address(), headers=headers, timeout=60) as client:
        sold = await client.post("/api/v1/store/loyalty/stamp", json=sale, headers={"Idempotency-Key": "canary-key"})
        assert sold.status_code == 200
        await client.get(f"/members/{quote(evil)}/canary@example.com?token=canary-token")
        await client.get("/", headers={"User-Agent": "canary-agent", "Cookie": "a=canary-cookie"})
    log = next(running.folder.glob("web-*.log")).read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    asked = [line for line in lines if line["event"] == "request" and line["host"] == shop.host]
    (line,) = [one for one in asked if one["path"].endswith("/stamp")]
    assert line.pop("request") == sold.headers["X-Request-ID"] != "chosen-by-a-visitor"
    assert line.pop("timestamp")
    assert 0 < line.pop("db_ms") < line.pop("ms")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "regulars.web.access",
        "tenant": str(shop.tenant.id),
        "method": "POST",
        "path": "/api/v1/store/loyalty/stamp",
        "host": shop.host,
        "status": 200,
        "bytes": len(sold.content),
        "db_statements": 5,  # lock, facts and write, and twice what a new process has to learn
        "principal": "api_key",
        "principal_id": str(shop.api_key_id),
        "ip": "127.0.0.1",
    }
    assert [one["path"] for one in asked if one["status"] == 404][-1] == "/members/…"
    secrets = ["canary", shop.api_key, shop.staff[0].pin, shop.card.number, shop.card.email, "\x1b", "forged"]
    assert [secret for secret in secrets if secret in log] == []


async def test_a_worker_that_is_replaced_counts_on(running: Installation, shop: World) -> None:
    await ask(running, shop, 10)
    alive = {"host": "tenant", "method": "GET", "route": "/healthz", "status": "2xx"}
    before = value(await samples(running), "regulars_request_seconds_count", **alive)
    for victim in running.web[0].children()[1:]:
        if "resource_tracker" not in " ".join(victim.cmdline()) and "admin" not in victim.cmdline():
            victim.kill()
            break
    await until(running, 1, "regulars_processes", role="web")
    found = await until(running, 2, "regulars_processes", role="web")
    assert value(found, "regulars_request_seconds_count", **alive) == before
    assert value(found, "regulars_db_pool_size", role="app") == 3 * running.config.pool_size


async def test_a_stuck_process_turns_the_machine_red(running: Installation) -> None:
    async with httpx.AsyncClient(base_url=running.admin) as client:
        assert (await client.get("/readyz")).status_code == 200
        worker = running.worker.children()[0]
        worker.suspend()
        try:
            async with asyncio.timeout(DEADLINE):
                while (answer := await client.get("/healthz")).status_code == 200:
                    await asyncio.sleep(0.2)
        finally:
            worker.resume()
        told = answer.json()["checks"]
        assert told["processes"] == "ok"
        assert told["event loops"] == "one has been stuck for 5 s; its stack is in the log"
        async with asyncio.timeout(DEADLINE):
            while (await client.get("/healthz")).status_code != 200:
                await asyncio.sleep(0.2)


async def test_it_comes_back_and_it_goes_with_its_command(running: Installation) -> None:
    admin = next(child for child in running.web[0].children() if "admin" in child.cmdline())
    admin.kill()
    async with httpx.AsyncClient(base_url=running.admin) as client, asyncio.timeout(DEADLINE):
        while True:
            try:
                assert (await client.get("/healthz")).status_code == 200
                break
            except httpx.TransportError:
                await asyncio.sleep(0.2)
    again = next(child for child in running.web[0].children() if "admin" in child.cmdline())
    running.web[0].stop()
    assert not again.is_running()
    async with httpx.AsyncClient(base_url=running.admin) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/healthz")
