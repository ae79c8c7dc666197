"""Errors for a service that speaks Sentry's protocol; off unless `REGULARS_SENTRY_DSN` names one.

Every log line of level error becomes an event, and so does an exception that ends a command. What goes out is scrubbed:
no values of variables, no request bodies, headers or cookies, no people: masks instead of secrets, e-mail addresses and
long numbers. The package `sentry-sdk` comes with `pip install regulars[sentry]`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

from regulars import __version__
from regulars.contracts.errors import ConfigurationError
from regulars.kernel.config import Config
from regulars.kernel.observability.redaction import MASK, redact_fields, redact_text

_TAGS = ("tenant", "request", "plugin", "route", "job", "cron", "part", "code")
_REPORTED = frozenset({"error", "critical"})
_NOT_TOLD = frozenset({"level", "logger", "timestamp", "exc_info", "exception", "_record", "_from_structlog"})
_PERSONAL = (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), re.compile(r"\+?\d[\d -]{5,}\d"))
_FLUSH_SECONDS = 2.0
_state = {"on": False}


def report_errors(config: Config) -> None:
    """Report errors of this process from now on, when a service is named.

    Args:
        config: with the service's address.

    Raises:
        ConfigurationError: a service is named, and the package is missing.
    """
    if config.sentry_dsn is None:
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
        from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    except ImportError as error:
        raise ConfigurationError("REGULARS_SENTRY_DSN needs a package: pip install 'regulars[sentry]'.") from error
    sentry_sdk.init(
        config.sentry_dsn,
        release=f"regulars@{__version__}",
        environment=config.env,
        server_name="",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=lambda *_: None), ExcepthookIntegration()],
        include_local_variables=False,
        max_breadcrumbs=0,
        shutdown_timeout=_FLUSH_SECONDS,
        before_send=_scrub,
    )
    _state["on"] = True


def end_reports() -> None:
    """Send what waits, and report nothing more."""
    if _state["on"]:
        import sentry_sdk

        sentry_sdk.get_client().close(timeout=_FLUSH_SECONDS)
        _state["on"] = False


def report_line(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor that sends lines of level error; it changes nothing."""
    if _state["on"] and fields.get("level") in _REPORTED:
        _send(fields)
    return fields


def _send(fields: Mapping[str, Any]) -> None:
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    event: Any = {"level": "error"}
    fault = _exception(fields.get("exc_info"))
    if fault is not None:
        event, _ = event_from_exception(fault, client_options=sentry_sdk.get_client().options)
    told = {name: value for name, value in fields.items() if name not in _NOT_TOLD}
    plugin = getattr(fault, "plugin", None)
    tags = {name: str(told[name]) for name in _TAGS if told.get(name)} | ({"plugin": plugin} if plugin else {})
    event |= {"logger": fields.get("logger"), "message": str(told.pop("event", "")), "tags": tags}
    event["extra"] = {name: value for name, value in told.items() if name not in tags}
    sentry_sdk.capture_event(event)


def _exception(told: object) -> BaseException | None:
    """The exception of a log line, whichever way it was handed over."""
    if told is True:
        return sys.exc_info()[1]
    if isinstance(told, tuple) and len(told) == 3:
        told = told[1]
    return told if isinstance(told, BaseException) else None


def _scrub(event: Any, _hint: Any) -> Any:
    """The last look at everything that goes out."""
    event["extra"] = redact_fields(None, "", event.get("extra") or {})
    tags = event.pop("tags", {})
    clean = _masked({name: value for name, value in event.items() if name not in _OURS})
    return {**event, **clean, "tags": {name: redact_text(str(value), 200) for name, value in tags.items()}}


_OURS = frozenset({"event_id", "timestamp", "release", "environment", "sdk", "platform", "level", "type", "contexts"})


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        text = redact_text(value)
        for look in _PERSONAL:
            text = look.sub(MASK, text)
        return text
    if isinstance(value, Mapping):
        return {name: _masked(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(one) for one in value]
    return value
