"""What is counted of each request, and what is measured of a process of the web twice a second."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Histogram

from regulars.kernel.observability.metrics import IN_FLIGHT, REQUEST_SECONDS, SOCKETS
from regulars.web.request import RegularsApp
from regulars.web.services import services_of

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
"""The route of addresses that nothing answers to."""


def count_request(host: str, method: str, route: str | None, status: int, seconds: float) -> None:
    """Count an answered request. Whatever a visitor may choose is brought down to few values.

    Args:
        host: kind of host.
        method: as the visitor sent it.
        route: the rule that matched, `None` when none did.
        status: of the answer.
        seconds: from its arrival to its answer.
    """
    known = method if method in _METHODS else "OTHER"
    _series(host, known, route or UNMATCHED, f"{status // 100}xx").observe(seconds)


@lru_cache(maxsize=4096)
def _series(host: str, method: str, route: str, status: str) -> Histogram:
    """Found once: looking it up costs more than counting."""
    return REQUEST_SECONDS.labels(host, method, route, status)


def measure(app: RegularsApp) -> None:
    """Write down the state of a process of the web."""
    services = services_of(app)
    IN_FLIGHT.set(app.in_flight)
    services.database.measure()
    services.snapshots.measure()
    services.listener.measure()
    SOCKETS.set(services.hub.size)
    services.presenter.breaker.measure(services.plugins.names)
