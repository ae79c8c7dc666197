"""The metrics of all processes of this machine in Prometheus' text format."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from regulars import __version__
from regulars.kernel.observability.metrics import DECLARED
from regulars.kernel.observability.sharing import Sharer, sharers


def exposition(folder: Path) -> bytes:
    """What a scrape gets.

    Args:
        folder: that the processes share.
    """
    registry = CollectorRegistry()
    registry.register(_Shared(folder))
    registry.register(Machine(folder))
    return generate_latest(registry)


def loop_lag(folder: Path) -> float:
    """For how long the slowest living process has not come round to its next task, in seconds."""
    return max((time.monotonic() - sharer.turn for sharer in sharers(folder)), default=0.0)


class _Shared(Collector):
    """Sums over the processes; states of those that have ended do not count."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        living = {sharer.slot for sharer in sharers(self._folder)}
        files = [
            str(path)
            for path in self._folder.glob("*.db")
            if not path.name.startswith("gauge_live") or path.stem.rpartition("_")[2] in living
        ]
        yield from MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]


class Machine(Collector):
    """What the operating system tells of the processes.

    Args:
        folder: that the processes share.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Read it now."""
        build, running = _gauge("regulars_build_info"), _gauge("regulars_processes")
        memory, lag = _gauge("regulars_process_resident_bytes"), _gauge("regulars_loop_lag_seconds")
        cpu = _cpu_counter()
        build.add_metric((__version__, platform.python_version()), 1)
        lag.add_metric((), loop_lag(self._folder))
        found = list(sharers(self._folder))
        for role in ("web", "worker", "stopping"):
            running.add_metric((role,), sum(sharer.role == role for sharer in found))
        for sharer in found:
            with suppress(psutil.Error):
                _measure(sharer, memory, cpu)
        yield from (build, running, memory, cpu, lag)


def _gauge(name: str) -> GaugeMetricFamily:
    meaning, labels = _words(name)
    return GaugeMetricFamily(name, meaning, labels=labels)


def _cpu_counter() -> CounterMetricFamily:
    meaning, labels = _words("regulars_process_cpu_seconds")
    return CounterMetricFamily("regulars_process_cpu_seconds", meaning, labels=labels)


def _words(name: str) -> tuple[str, tuple[str, ...]]:
    return DECLARED[name].meaning, DECLARED[name].labels


def _measure(sharer: Sharer, memory: GaugeMetricFamily, cpu: CounterMetricFamily) -> None:
    process = psutil.Process(sharer.pid)
    with process.oneshot():
        times = process.cpu_times()
        memory.add_metric((sharer.role, sharer.slot), process.memory_info().rss)
        cpu.add_metric((sharer.role, sharer.slot), times.user + times.system)
