"""Our cookies: host-only, out of reach of scripts, sent with same-site requests only."""

from __future__ import annotations

from datetime import datetime, timedelta

from quart import Response

from regulars.kernel.config import Config
from regulars.web.areas import Audience
from regulars.web.request import Asked

_SESSIONS: dict[Audience, str] = {"member": "rg_member", "staff": "rg_staff", "operator": "rg_operator"}
FLASH = "rg_flash"
LOCALE = "rg_locale"
SIGN_UP = "rg_sign_up"
LOCALE_LIFETIME = timedelta(days=365)


def session_cookie(audience: Audience) -> str:
    """Name of the cookie with the session's token; each audience has one of its own."""
    return _SESSIONS[audience]


def read_cookie(request: Asked, name: str, config: Config) -> str | None:
    """Value of one of our cookies.

    On HTTPS only the `__Host-` name counts, which a sibling sub-domain cannot plant.
    """
    return request.cookies.get(full_cookie_name(name, config))


def set_cookie(
    response: Response, name: str, value: str, config: Config, *, until: timedelta | datetime | None = None
) -> None:
    """Set one of our cookies.

    Args:
        response: the answer that carries it.
        name: plain name.
        value: ASCII text.
        config: for the scheme that visitors see.
        until: how long or until when it is kept; without, it ends with the browser.
    """
    response.set_cookie(
        full_cookie_name(name, config),
        value,
        max_age=until if isinstance(until, timedelta) else None,
        expires=until if isinstance(until, datetime) else None,
        path="/",
        secure=config.scheme == "https",
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(response: Response, name: str, config: Config) -> None:
    """Take one of our cookies back."""
    response.delete_cookie(
        full_cookie_name(name, config), path="/", secure=config.scheme == "https", httponly=True, samesite="Lax"
    )


def full_cookie_name(name: str, config: Config) -> str:
    """What a cookie is called on the wire."""
    return f"__Host-{name}" if config.scheme == "https" else name
