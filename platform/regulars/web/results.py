"""What a view returns. It is answered only after the unit of work has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from quart import Response

from regulars.contracts.context import Context
from regulars.contracts.pages import PageContext
from regulars.kernel.db.database import TenantSession
from regulars.web.redirects import safe_path


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the visitor on to another page of this host (303: with GET).

    Attributes:
        path: absolute path with query.
    """

    path: str

    def __post_init__(self) -> None:
        if safe_path(self.path, "") != self.path:
            raise ValueError(f"{self.path!r} is no path of this host")


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is made while it is sent, in a read-only session of its own.

    Attributes:
        filename: proposed to the visitor.
        content_type: with character set.
        chunks: makes the content piece by piece.
    """

    filename: str
    content_type: str
    chunks: Callable[[TenantSession, Context], AsyncIterator[bytes]]


Result = PageContext | Redirect | Download | Response
