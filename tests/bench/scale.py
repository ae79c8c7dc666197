"""How much of everything: the run that counts, and a quick one that only proves that the benchmark works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Amounts.

    Attributes:
        tenants: slug → number of cards; the first one is the largest.
        busy: cards of the merchant with every plugin and many rules.
        small: cards with which growth begins.
        phones: cards in phones, of a merchant of their own.
        push_rate: sales per second of these.
        passes: passes that are signed.
        workers: processes of the web server.
        connections: of the closed loop.
        rate: sales per second of the open loop.
        warm_up, seconds: length of each measurement of sales.
        page_seconds: length of each measurement of pages.
        ceiling_rounds, busy_rounds: how often each of pgbench's clients runs its script.
    """

    tenants: dict[str, int]
    busy: int = 8_000
    small: int = 6_000
    phones: int = 2_000
    push_rate: int = 50
    passes: int = 10_000
    workers: int = 2
    connections: int = 32
    rate: int = 200
    warm_up: float = 5
    seconds: float = 20
    page_seconds: float = 6
    ceiling_rounds: int = 250
    busy_rounds: int = 25

    @property
    def cards(self) -> int:
        """Cards of all tenants."""
        return sum(self.tenants.values()) + self.busy + self.small + self.phones


FULL = Scale({"market": 69_000, "bakery": 8_000, "cinema": 4_000, "barber": 2_000, "kiosk": 1_000})
QUICK = Scale(
    {"market": 800, "kiosk": 100},
    busy=400,
    small=200,
    phones=60,
    push_rate=20,
    passes=100,
    workers=1,
    connections=8,
    rate=20,
    warm_up=0.2,
    seconds=1,
    page_seconds=0.3,
    ceiling_rounds=1,
    busy_rounds=1,
)
