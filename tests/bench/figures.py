"""The figures: their names, their units, what is aimed at; how they are shown and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A named number.

    Attributes:
        name: its key in `bench.json`.
        text: what it is, with its unit.
        least, most: the aim.
    """

    name: str
    text: str
    least: float | None = None
    most: float | None = None

    def aim(self) -> str:
        """The aim in signs, empty without one."""
        if self.least is not None:
            return f"≥ {self.least:g}"
        return f"≤ {self.most:g}" if self.most is not None else ""

    def is_met(self, value: float) -> bool:
        """Whether a value is as good as it should be."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


FIGURES = (
    Figure("cards", "cards in the database"),
    Figure("seed_seconds", "seconds to fill it"),
    Figure("sale_rps", "sales with PIN over HTTP, 32 connections: requests/s", least=300),
    Figure("sale_p50_ms", "… p50, ms"),
    Figure("sale_p95_ms", "… p95, ms"),
    Figure("sale_p99_ms", "… p99, ms"),
    Figure("steady_rps", "sales with PIN at a fixed rate: requests/s"),
    Figure("steady_p50_ms", "… p50 from the time at which each was due, ms"),
    Figure("steady_p95_ms", "… p95, ms"),
    Figure("steady_p99_ms", "… p99, ms", most=80),
    Figure("sale_cpu_ms", "CPU of the web workers per sale, ms", most=3),
    Figure("sale_round_trips", "round trips to the database per sale", most=6),
    Figure("sale_wal_bytes", "write-ahead log per sale, bytes"),
    Figure("sale_table_bytes", "tables grow per sale, bytes"),
    Figure("sale_index_bytes", "indexes grow per sale, bytes"),
    Figure("worker_pss_mib", "memory of a web worker after the load, its share (PSS), MiB", most=150),
    Figure("worker_rss_mib", "… with all that it shares (RSS), MiB"),
    Figure("card_rps", "customer's card page: requests/s"),
    Figure("card_p50_ms", "… p50, ms"),
    Figure("card_p99_ms", "… p99, ms"),
    Figure("card_cpu_ms", "… CPU of the web workers, ms"),
    Figure("scan_rps", "customer's page on the terminal: requests/s"),
    Figure("scan_p50_ms", "… p50, ms"),
    Figure("scan_p99_ms", "… p99, ms"),
    Figure("scan_cpu_ms", "… CPU of the web workers, ms"),
    Figure("rules_rps", "sales with six plugins and 50 rules over HTTP, 32 connections: requests/s"),
    Figure("rules_p50_ms", "… p50, ms"),
    Figure("rules_p99_ms", "… p99, ms"),
    Figure("rules_cpu_ms", "… CPU of the web workers, ms", most=3),
    Figure("rules_round_trips", "… round trips to the database", most=6),
    Figure("rules_ceiling_rps", "… their ceiling under pgbench: sales/s"),
    Figure("rules_to_ceiling", "… sales over HTTP / ceiling"),
    Figure("redeem_rps", "rewards with PIN over HTTP: requests/s", least=200),
    Figure("redeem_p99_ms", "… p99, ms"),
    Figure("balance_rps", "what is on the card, over the API: requests/s", least=800),
    Figure("balance_p99_ms", "… p99, ms"),
    Figure("one_card_p99_ms", "50 tills that sell to one card at once: p99, ms", most=150),
    Figure("push_p50_ms", "from a sale to the push of its phone, at a fixed rate of sales: p50, ms"),
    Figure("push_p95_ms", "… p95, ms", most=2000),
    Figure("passes_rps", "passes signed, pictures drawn before: passes/s of one core", least=150),
    Figure("pass_cached_ratio", "… how much more one with new pictures costs"),
    Figure("passes_memory_ratio", "… memory after 10,000 of them / before", most=1.05),
    Figure("back_test_rps", "back-test of 50 rules: past sales/s", least=50_000),
    Figure("small_entries", "entries in a database that is nearly empty"),
    Figure("small_rps", "… sales/s"),
    Figure("entries", "entries in the full one"),
    Figure("growth_ratio", "… how much slower a sale is there", most=1.25),
    Figure("bare_rps", "bare Quart route: requests/s"),
    Figure("bare_cpu_ms", "… CPU, ms"),
    Figure("warm_rps", "the same route behind our pipeline, tenant warm: requests/s"),
    Figure("warm_cpu_ms", "… CPU, ms"),
    Figure("warm_overhead_ms", "… what the pipeline costs, CPU ms"),
    Figure("ceiling_rps", "ceiling: our SQL in six round trips under pgbench, 8 clients: sales/s"),
    Figure("sale_to_ceiling", "sales over HTTP / ceiling", least=0.18),
)


def table(values: Mapping[str, float]) -> str:
    """All figures as lines, each with its aim and whether it is met.

    Args:
        values: name → value, of every figure.
    """
    lines = []
    for figure in FIGURES:
        value = values[figure.name]
        mark = "" if figure.is_met(value) else "  BELOW AIM"
        lines.append(f"{figure.text:<72}{value:>12,.{_digits(value)}f}  {figure.aim():<8}{mark}".rstrip())
    return "\n".join(lines)


def _digits(value: float) -> int:
    return 0 if value >= 1000 or value == int(value) else 1 if value >= 100 else 2
