"""Everything that is counted and measured, declared once; `docs/reference/metrics.md` is made from this.

Labels name routes, plugins, jobs and reasons: few values, all chosen by code. Never a tenant, never a person.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from regulars.kernel.observability import sharing

sharing.install(os.environ)

REGISTRY = CollectorRegistry()
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_JOB_SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 180.0)
_WAIT_SECONDS = (0.001, 0.01, 0.1, 1.0, 10.0)


class Declared(NamedTuple):
    """A metric for people.

    Attributes:
        kind: `counter` (its name ends in `_total` when it is told), `gauge` or `histogram`.
    """

    kind: str
    meaning: str
    labels: tuple[str, ...]


DECLARED: dict[str, Declared] = {
    "regulars_build_info": Declared("gauge", "1, with the version that runs.", ("version", "python")),
    "regulars_processes": Declared("gauge", "Processes that live: web, worker, or stopping.", ("role",)),
    "regulars_process_resident_bytes": Declared("gauge", "Memory of each process.", ("role", "slot")),
    "regulars_process_cpu_seconds": Declared("counter", "Processor time of each process.", ("role", "slot")),
    "regulars_loop_lag_seconds": Declared(
        "gauge", "For how long the slowest process has not come round to its next task.", ()
    ),
}
"""Every metric by name. These first ones are told by the machine; the others are counted by its processes."""


def _declare(name: str, kind: str, meaning: str, labels: tuple[str, ...]) -> str:
    full = f"regulars_{name}"
    DECLARED[full] = Declared(kind, meaning, labels)
    return full


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(_declare(name, "counter", meaning, labels), meaning, labels, registry=REGISTRY)


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    full = _declare(name, "histogram", meaning, labels)
    return Histogram(full, meaning, labels, buckets=buckets, registry=REGISTRY)


def _sum(name: str, meaning: str, *labels: str) -> Gauge:
    """A state of each process that lives; the machine's is the sum of them."""
    full = _declare(name, "gauge", meaning, labels)
    return Gauge(full, meaning, labels, multiprocess_mode="livesum", registry=REGISTRY)


def _most(name: str, meaning: str, *labels: str) -> Gauge:
    """A state of which the highest of all processes that live is the machine's."""
    full = _declare(name, "gauge", meaning, labels)
    return Gauge(full, meaning, labels, multiprocess_mode="livemax", registry=REGISTRY)


REQUEST_SECONDS = _histogram(
    "request_seconds",
    "Requests, and how long they took, by kind of host, method, route and class of status.",
    _REQUEST_SECONDS,
    "host",
    "method",
    "route",
    "status",
)
IN_FLIGHT = _sum("requests_in_flight", "Requests being answered now.")
SOCKETS = _sum("websocket_clients", "Clients connected for live updates now.")
LEDGER = _counter(
    "ledger_operations",
    "What the ledger was asked for, named as in the audit log: done, replayed (the same request again), or why not.",
    "action",
    "outcome",
)

DB_SIZE = _sum("db_pool_size", "Connections to the database that may be open, by role.", "role")
DB_IN_USE = _sum("db_pool_in_use", "Connections to the database in use now, by role.", "role")
DB_WAITING = _sum("db_pool_waiting", "Who waits for a connection to the database now, by role.", "role")
DB_WAIT_SECONDS = _histogram(
    "db_pool_wait_seconds", "How long it took to get a connection to the database, by role.", _WAIT_SECONDS, "role"
)
DB_OUTAGES = _counter(
    "db_outages",
    "Transactions that could not be, by role and reason: pool (none was free in time), unreachable, interrupted.",
    "role",
    "reason",
)
TENANT_CACHE = _counter("tenant_cache_lookups", "Look-ups of a tenant in the process's memory: hit or miss.", "result")
TENANT_CACHE_ENTRIES = _sum("tenant_cache_entries", "Tenants and unknown names kept in memory.")
LISTENERS_DOWN = _sum("tenant_listeners_down", "Processes that hear of no changes now and so keep no tenants.")

JOB_SECONDS = _histogram(
    "job_seconds", "Jobs that ran, and how long they took, by name and outcome.", _JOB_SECONDS, "job", "outcome"
)
CRONS = _counter("cron_runs", "Slots of the clock that ran here, by name: done or failed.", "cron", "outcome")
WORKER_PARTS = _counter("worker_faults", "Rounds of a part of the worker that did not go, by part.", "part")
JOBS_OPEN = _most("jobs_open", "Jobs that are queued or running.")
JOBS_LATE = _most("jobs_oldest_due_seconds", "For how long the oldest due job has been waiting.")
JOBS_DEAD = _most("jobs_dead", "Jobs that were given up and wait for an operator.")
OUTBOX_OPEN = _most("outbox_waiting", "Events that are not handed on yet.")
OUTBOX_LATE = _most("outbox_oldest_seconds", "For how long the oldest event has been waiting.")
MAILS = _counter(
    "mails", "Mails: sent, unknown (the answer was lost), deferred, failed or kept in the mailbox.", "outcome"
)

PLUGIN_FAULTS = _counter(
    "plugin_faults", "Faults of plugins, by plugin and where: page, ledger, wallet.", "plugin", "where"
)
PLUGINS_OFF = _sum("plugin_breakers_open", "Tenants' pages that a plugin is left out of after faults.", "plugin")

WALLET_PUSHES = _counter("wallet_pushes", "Passes of which phones were told, by wallet.", "wallet")
WALLET_FAILURES = _counter("wallet_failures", "Passes of which phones could not be told, by wallet.", "wallet")

LOOP_BLOCKS = _counter("loop_blocks", "How often a process did not come round for so long that it was logged.")
