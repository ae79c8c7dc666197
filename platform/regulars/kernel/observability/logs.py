"""Setting up the log: JSON lines for machines or text for people, both through one chain."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any, TextIO
from uuid import UUID

import structlog
from structlog.types import Processor

from regulars.kernel.db.base import new_id
from regulars.kernel.observability.redaction import redact_fields
from regulars.kernel.observability.reports import report_line

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TALKATIVE = ("alembic", "arq", "asyncio", "httpx", "httpcore", "PIL")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(level: str, *, json_lines: bool, stream: TextIO | None = None) -> None:
    """Set up the log of this process; called once by each composition root.

    Lines of libraries that use `logging` take the same way, so they are redacted and tied to the tenant too.

    Args:
        level: debug, info, warning or error.
        json_lines: one JSON object per line; else text for people.
        stream: where to write; standard error by default.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        report_line,
        structlog.processors.format_exc_info,
        redact_fields,
    ]
    last: list[Processor] = (
        [structlog.processors.JSONRenderer()]
        if json_lines
        else [
            _escape_control,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, _LEVELS[level]))


def log_context(*, tenant_id: UUID | None = None, request_id: str = "", **more: Any) -> AbstractContextManager[None]:
    """Tie all log lines inside the `with` block to a tenant and a request or job.

    Args:
        tenant_id: whose request it is.
        request_id: ties log lines, audit rows and the answer together.
        more: further fields.
    """
    fields = {"tenant": str(tenant_id) if tenant_id else None, "request": request_id or None, **more}
    return structlog.contextvars.bound_contextvars(**{k: v for k, v in fields.items() if v is not None})


def new_request_id() -> str:
    """A new id for a request; grows with time."""
    return new_id().hex


def _escape_control(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Text lines only: a line break or an escape sequence in a value must not look like a line of its own."""
    return {
        name: _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
        if isinstance(value, str) and name != "exception"
        else value
        for name, value in fields.items()
    }
