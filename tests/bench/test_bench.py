"""The benchmark still works: every figure is there. How large they are is not judged, for the machine is shared."""

from __future__ import annotations

from regulars.kernel.plugins.registry import PluginRegistry
from tests.bench.figures import FIGURES, Figure, table
from tests.bench.run import run
from tests.bench.scale import QUICK

FACTS = {"machine", "python", "postgresql"}


async def test_a_quick_run_gives_every_figure(registry: PluginRegistry) -> None:
    said: list[str] = []
    found = await run(registry, QUICK, said.append)
    assert set(found) == FACTS | {figure.name for figure in FIGURES}
    numbers = {name: value for name, value in found.items() if not isinstance(value, str)}
    assert [name for name, value in numbers.items() if value <= 0 and name != "warm_overhead_ms"] == []
    assert found["cards"] == QUICK.cards
    assert found["sale_round_trips"] == 6
    assert "fsync on, synchronous_commit on, full_page_writes on, checksums on" in str(found["postgresql"])
    assert len(table(numbers).splitlines()) == len(FIGURES)
    assert said[-1] == "The ledger is clean."


def test_what_misses_its_aim_is_marked() -> None:
    bounds = {figure.name: figure.least if figure.least is not None else figure.most for figure in FIGURES}
    values = {name: 10.0 if bound is None else bound for name, bound in bounds.items()}
    values |= {"sale_rps": 299.9, "sale_cpu_ms": 3.1, "sale_round_trips": 7.0}
    marked = [line.rpartition("  ")[0] for line in table(values).splitlines() if line.endswith("BELOW AIM")]
    assert [line.split("  ")[0] for line in marked] == [
        "sales with PIN over HTTP, 32 connections: requests/s",
        "CPU of the web workers per sale, ms",
        "round trips to the database per sale",
    ]


def test_an_aim_is_a_bound() -> None:
    assert [Figure("a", "", least=300).is_met(value) for value in (299.9, 300)] == [False, True]
    assert [Figure("a", "", most=80).is_met(value) for value in (80, 80.1)] == [True, False]
