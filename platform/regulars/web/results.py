"""What a view returns. It is answered only after the unit of work has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

from quart import Response

from regulars.contracts.context import Context, Principal, TenantSnapshot
from regulars.contracts.pages import PageContext
from regulars.kernel.db.database import TenantSession
from regulars.web.areas import Area
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A still picture of a page in another look than the tenant wears, for a frame of our own pages.

    Attributes:
        page: its context.
        tenant: as it would be.
        area, path: where the page would stand.
        principal: who would read it.
        brand_css_url: address of the style sheet of that look.
        scheme: colour scheme.
    """

    page: PageContext
    tenant: TenantSnapshot
    area: Area
    path: str
    principal: Principal
    brand_css_url: str
    scheme: Literal["light", "dark"]


Result = PageContext | Redirect | Download | Still | Response
