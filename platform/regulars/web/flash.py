"""Messages that are shown once, on the next page: kept in a signed cookie, bound to the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from itsdangerous import BadData, URLSafeSerializer

from regulars.kernel.config import Config
from regulars.kernel.templating.chrome import Flash
from regulars.web.cookies import FLASH, read_cookie
from regulars.web.request import RegularsRequest

_MOST = 3
_LONGEST = 300


def read_flashes(request: RegularsRequest, config: Config) -> list[Flash]:
    """The messages that the last answer has left; forged, damaged or foreign ones are none."""
    cookie = read_cookie(request, FLASH, config)
    if not cookie:
        return []
    try:
        return [Flash(**values) for values in _serializer(request.visit.peer.host, config).loads(cookie)]
    except (BadData, TypeError):
        return []


def write_flashes(flashes: Sequence[Flash], host: str, config: Config) -> str:
    """The cookie with messages for the next page.

    Args:
        flashes: the last few are kept, cut where they are too long for a cookie.
        host: on which they may be shown.
        config: for the secret key.
    """
    kept = [asdict(flash) | {"text": flash.text[:_LONGEST]} for flash in flashes[-_MOST:]]
    return str(_serializer(host, config).dumps(kept))


def _serializer(host: str, config: Config) -> URLSafeSerializer:
    return URLSafeSerializer(config.secret_key, salt=f"flash:{host}")
