"""What is kept of a fault, for operators to read."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from regulars.contracts.errors import Unavailable
from regulars.kernel.observability import redact_text

_LONGEST = 2_000


def fault_note(error: Exception) -> str:
    """Kind and message of a fault, without secrets.

    A fault of the database is told without its statement and parameters, which hold tenants' data.
    """
    cause: BaseException = error.__cause__ or error if isinstance(error, Unavailable) else error
    shown = cause.orig if isinstance(cause, DBAPIError) and cause.orig else cause
    return redact_text(f"{type(shown).__name__}: {shown}", _LONGEST)
