"""The whole benchmark, in the order in which it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from asyncpg import Connection, connect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.cli.dev_certs import make_authority, write_files
from regulars.domain.ledger.invariants import breaches
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.installation import Installation, Process, installation
from regulars.testing.push_service import PushServer, push_server
from tests.bench import ceiling
from tests.bench.apps import PATH
from tests.bench.busy import PATH as BUSY_PATH
from tests.bench.busy import PURCHASE, back_test, balances, make_busy, one_card, redeems
from tests.bench.gauges import Written, cpu_seconds, machine, memory, workers
from tests.bench.load import Result, closed_loop, open_loop
from tests.bench.phones import make_phones, pushes, settings_of, signing
from tests.bench.record import CARDS, record
from tests.bench.sales import Tills, card_pages, get, scan_pages
from tests.bench.scale import Scale
from tests.bench.seed import OFTEN, RARE, Merchant, make_world, seed

ROOT = Path(__file__).resolve().parents[2]
Say = Callable[[str], None]
ENTRIES = "SELECT count(*) FROM core.ledger_entry"


async def run(registry: PluginRegistry, scale: Scale, say: Say) -> dict[str, float | str]:
    """Start the platform, fill it, measure it.

    Args:
        registry: the plugins.
        scale: how much of everything.
        say: takes a line of progress.

    Returns:
        Every figure by name, and the facts of the machine.

    Raises:
        RuntimeError: a request was not answered as it should be, or the ledger is not clean afterwards.
    """
    authority, served = make_authority(), ("tests.bench.apps", "ours")
    with TemporaryDirectory(prefix="regulars-bench-") as name:
        async with push_server(authority, Path(name)) as push:
            write_files(Path(name), authority)
            variables = {"PYTHONPATH": str(ROOT), **settings_of(push, Path(name))}
            async with installation(registry, workers=scale.workers, served=served, variables=variables) as running:
                figures = await _measure(running, push, registry, scale, say)
        return {**figures, **signing(Path(name), scale.passes)}


async def _measure(
    running: Installation, push: PushServer, registry: PluginRegistry, scale: Scale, say: Say
) -> dict[str, float | str]:
    """Fill a running platform and measure it."""
    begin = perf_counter()
    connection = await connect(running.config.database_url_migrator.replace("+asyncpg", ""))
    try:
        [small] = await seed(connection, (await make_world(running.config, "small"), scale.small, RARE))
        first = await _small(running, small, connection, scale, say)
        worlds = [(await make_world(running.config, slug), cards, OFTEN) for slug, cards in scale.tenants.items()]
        busy_world, phones_world = await make_busy(running.config, registry), await make_phones(running.config)
        given = ((busy_world, scale.busy, OFTEN), (phones_world, scale.phones, OFTEN), *worlds)
        busy, phones, *merchants = await seed(connection, *given)
        busy = replace(busy, path=BUSY_PATH, purchase=PURCHASE)
        filled = perf_counter() - begin
        say(f"{scale.cards} cards of {len(merchants) + 3} merchants in {filled:.1f} s")
        facts = await machine(connection)
        entries = await connection.fetchval(ENTRIES)
        bench = _Bench(running, merchants, busy, scale, connection, say)
        pushed = await pushes(
            connection, phones, push, running.ports[0], scale.push_rate, scale.phones / 2 / scale.push_rate
        )
        say(f"{scale.push_rate} sales/s: phones hear within {pushed['push_p95_ms']:.0f} ms (p95)")
        figures = {**pushed, **await bench.measure(registry)}
    finally:
        await connection.close()
    await _check(running)
    say("The ledger is clean.")
    grown = {"entries": entries, "growth_ratio": first["small_rps"] / figures["sale_rps"]}
    return {**facts, "cards": scale.cards, "seed_seconds": filled, **first, **grown, **figures}


async def _small(
    running: Installation, merchant: Merchant, connection: Connection, scale: Scale, say: Say
) -> dict[str, float]:
    """Sales while the database is nearly empty."""
    entries, tills = await connection.fetchval(ENTRIES), Tills([merchant])
    _expect(await closed_loop(running.ports[0], tills.queues(scale.connections), scale.warm_up))
    result = _expect(await closed_loop(running.ports[0], tills.queues(scale.connections), scale.warm_up))
    say(f"with {entries} entries: {result.rate:.0f} sales/s")
    return {"small_entries": entries, "small_rps": result.rate}


class _Bench:
    def __init__(
        self,
        running: Installation,
        merchants: Sequence[Merchant],
        busy: Merchant,
        scale: Scale,
        connection: Connection,
        say: Say,
    ) -> None:
        self._running = running
        self._merchants = merchants
        self._busy = busy
        self._scale = scale
        self._connection = connection
        self._say = say
        self._tills = Tills(merchants)

    async def measure(self, registry: PluginRegistry) -> dict[str, float]:
        figures: dict[str, float] = {}
        biggest = self._merchants[0]
        recording = await record(self._running.config, registry, biggest, biggest.reserved[:CARDS])
        figures["sale_round_trips"] = recording.round_trips
        figures |= await self._sales()
        figures["ceiling_rps"] = await ceiling.measure(
            self._running.config, recording, biggest, self._scale.ceiling_rounds, self._running.folder
        )
        figures["sale_to_ceiling"] = figures["sale_rps"] / figures["ceiling_rps"]
        self._say(f"ceiling: {figures['ceiling_rps']:.0f} sales/s")
        figures |= await self._steady()
        figures["worker_pss_mib"], figures["worker_rss_mib"] = memory(workers(self._running.web[0]))
        figures |= await self._pages("card", self._running.web[0], card_pages(self._merchants))
        figures |= await self._pages("scan", self._running.web[0], scan_pages(self._merchants))
        figures |= await self._trivial("warm", self._running.web[0])
        figures |= await self._busy_merchant(registry)
        for process in (*self._running.web, self._running.worker):
            process.stop()
        figures |= await self._bare()
        figures["back_test_rps"] = await back_test(self._running.config, registry, self._busy, self._connection)
        self._say(f"back-test: {figures['back_test_rps']:.0f} sales/s")
        figures["warm_overhead_ms"] = figures["warm_cpu_ms"] - figures["bare_cpu_ms"]
        return figures

    async def _sales(self) -> dict[str, float]:
        """As many sales as the platform takes."""
        scale, port, processes = self._scale, self._running.ports[0], workers(self._running.web[0])
        _expect(await closed_loop(port, self._tills.queues(scale.connections), scale.warm_up))
        before, used = await Written.now(self._connection), cpu_seconds(processes)
        result = _expect(await closed_loop(port, self._tills.queues(scale.connections), scale.seconds))
        used, after = cpu_seconds(processes) - used, await Written.now(self._connection)
        sales = len(result.times)
        self._say(f"{scale.connections} connections: {result.rate:.0f} sales/s")
        return {
            **_times("sale", result),
            "sale_cpu_ms": used / sales * 1000,
            "sale_wal_bytes": (after.wal - before.wal) / sales,
            "sale_table_bytes": (after.tables - before.tables) / sales,
            "sale_index_bytes": (after.indexes - before.indexes) / sales,
        }

    async def _busy_merchant(self, registry: PluginRegistry) -> dict[str, float]:
        """Every plugin and 50 rules: sales, their ceiling, rewards, balances, one card at many tills."""
        scale, busy, port = self._scale, self._busy, self._running.ports[0]
        recording = await record(self._running.config, registry, busy, busy.reserved[:CARDS])
        tills, processes = Tills([busy]), workers(self._running.web[0])
        _expect(await closed_loop(port, tills.queues(scale.connections), scale.warm_up / 4))
        used = cpu_seconds(processes)
        sales = _expect(await closed_loop(port, tills.queues(scale.connections), scale.page_seconds))
        used = cpu_seconds(processes) - used
        top = await ceiling.measure(self._running.config, recording, busy, scale.busy_rounds, self._running.folder)
        rest = busy.reserved[CARDS + ceiling.CLIENTS * ceiling.TOGETHER * scale.busy_rounds :]
        given = _expect(await closed_loop(port, redeems(busy, rest[1:], scale.connections), scale.page_seconds), "201")
        one = _expect(await closed_loop(port, one_card(busy, rest[0]), scale.page_seconds))
        self._say(f"every plugin: {sales.rate:.0f} sales/s, {given.rate:.0f} rewards/s")
        read = await self._pages("balance", self._running.web[0], balances(busy))
        return {
            **{name: value for name, value in _times("rules", sales).items() if not name.endswith("p95_ms")},
            "rules_cpu_ms": used / len(sales.times) * 1000,
            "rules_round_trips": recording.round_trips,
            "rules_ceiling_rps": top,
            "rules_to_ceiling": sales.rate / top,
            "redeem_rps": given.rate,
            "redeem_p99_ms": given.percentile(99),
            "one_card_p99_ms": one.percentile(99),
            **{name: read[name] for name in ("balance_rps", "balance_p99_ms")},
        }

    async def _steady(self) -> dict[str, float]:
        """Sales at a fixed rate."""
        scale = self._scale
        line = self._tills.line(int(scale.rate * scale.seconds))
        result = _expect(
            await open_loop(
                self._running.ports[0], line, rate=scale.rate, seconds=scale.seconds, connections=2 * scale.connections
            )
        )
        self._say(f"{scale.rate} sales/s: p99 {result.percentile(99):.1f} ms")
        return _times("steady", result)

    async def _pages(self, name: str, process: Process, requests: Sequence[bytes]) -> dict[str, float]:
        """A page, as often as it can be had, by many visitors."""
        port = int(process.environment["REGULARS_PORT"])
        share = self._scale.connections
        queues: list[Iterator[bytes]] = [cycle(requests[number::share]) for number in range(share)]
        _expect(await closed_loop(port, queues, self._scale.warm_up / 4))
        processes = workers(process)
        used = cpu_seconds(processes)
        result = _expect(await closed_loop(port, queues, self._scale.page_seconds))
        used = cpu_seconds(processes) - used
        self._say(f"{name}: {result.rate:.0f} requests/s")
        times = _times(name, result)
        del times[f"{name}_p95_ms"]
        return {**times, f"{name}_cpu_ms": used / len(result.times) * 1000}

    async def _bare(self) -> dict[str, float]:
        """The route that does nothing in a bare application, which takes the platform's place."""
        web = self._running.web[0]
        process = replace(web, arguments=("bare",), log=self._running.folder / "bare.log", popen=None)
        process.start()
        try:
            await self._running.until_answers(f"{self._running.address()}{PATH}", self._merchants[0].world.host)
            return await self._trivial("bare", process)
        finally:
            process.stop()

    async def _trivial(self, name: str, process: Process) -> dict[str, float]:
        """A route that does nothing."""
        requests = [get(merchant.world.host, PATH) for merchant in self._merchants] * self._scale.connections
        found = await self._pages(name, process, requests)
        return {key: found[key] for key in (f"{name}_rps", f"{name}_cpu_ms")}


def _times(name: str, result: Result) -> dict[str, float]:
    return {
        f"{name}_rps": result.rate,
        f"{name}_p50_ms": result.percentile(50),
        f"{name}_p95_ms": result.percentile(95),
        f"{name}_p99_ms": result.percentile(99),
    }


def _expect(result: Result, status: str = "200") -> Result:
    """The result, of which every answer was a success."""
    if set(result.statuses) != {status}:
        raise RuntimeError(f"answers that were not expected: {dict(result.statuses)}")
    return result


async def _check(running: Installation) -> None:
    engine = create_async_engine(running.config.database_url_migrator, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await breaches(connection)
    if found:
        raise RuntimeError(f"the ledger is not clean: {found}")
