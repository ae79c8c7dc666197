"""Protection against requests that another site makes a visitor's browser send."""

from __future__ import annotations

from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from regulars.contracts.errors import Forbidden
from regulars.kernel.config import Config

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN_SITES = frozenset({"same-origin", "none"})
_USUAL_PORTS = {"http": 80, "https": 443}


def check_origin(method: str, headers: Headers, authority: str, config: Config) -> None:
    """Refuse a change that another site asks for.

    Browsers say where a request comes from: `Sec-Fetch-Site`, or `Origin` on plain HTTP. A request that says neither is
    no browser's, so it must not carry cookies either.

    Args:
        method: of the request; one that changes nothing is let through.
        headers: of the request.
        authority: host and port as the visitor sent them.
        config: for the scheme that visitors see.

    Raises:
        Forbidden: it comes from elsewhere.
    """
    if method in SAFE_METHODS:
        return
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        allowed = site in _OWN_SITES
    elif origin is not None:
        allowed = _parts(origin) == _parts(f"{config.scheme}://{authority}") is not None
    else:
        allowed = "Cookie" not in headers
    if not allowed:
        raise Forbidden("This request was sent from another site, so it was not carried out.")


def check_socket_origin(headers: Headers, authority: str, config: Config) -> None:
    """Refuse a socket that is not opened by a page of the same host: the browser sends cookies with it from anywhere.

    Args:
        headers: of the request.
        authority: host and port as the visitor sent them.
        config: for the scheme that visitors see.

    Raises:
        Forbidden: it comes from elsewhere, or does not say where from.
    """
    origin = headers.get("Origin", "")
    if not _parts(origin) == _parts(f"{config.scheme}://{authority}") is not None:
        raise Forbidden("This connection was opened by another site.")


def _parts(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin, `None` when it is none."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _USUAL_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None
