"""Lists on pages: what their address says, and the addresses of their other pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from regulars.contracts.paging import Paged, PageRequest

_NEIGHBOURS = 1


class ListQuery(BaseModel):
    """What every list reads from its address.

    Attributes:
        q: what is searched for.
        page: number of the page, from 1.
    """

    q: str = Field(default="", max_length=200)
    page: int = Field(default=1, ge=1, le=100_000)

    def request(self, size: int = 20) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """What stands below a list: "1–20 of 1,247" and the way to the other pages.

    Attributes:
        pages: (label, address), the address empty for the page shown and for gaps.
    """

    first: int
    last: int
    total: int
    previous_url: str = ""
    next_url: str = ""
    pages: Sequence[tuple[str, str]] = ()


def make_pager(paged: Paged[Any], path: str, kept: Mapping[str, str]) -> Pager:
    """The pager of a list.

    Args:
        paged: the page shown.
        path: of the list.
        kept: search and filters, which the other pages keep.
    """
    number, last = paged.request.number, paged.pages

    def url(page: int) -> str:
        return url_of(path, {**kept, "page": str(page) if page > 1 else ""})

    return Pager(
        first=paged.first,
        last=paged.last,
        total=paged.total,
        previous_url=url(min(number - 1, last)) if number > 1 else "",
        next_url=url(number + 1) if number < last else "",
        pages=[
            (str(page), "" if page == number else url(page)) if page else ("…", "") for page in _shown(number, last)
        ],
    )


def beyond_url(paged: Paged[Any], path: str, kept: Mapping[str, str]) -> str:
    """Where somebody is sent who asks for a page after the last one; empty for all others. Arguments as above."""
    last = paged.pages
    return url_of(path, {**kept, "page": str(last) if last > 1 else ""}) if paged.request.number > last else ""


def _step(page: int, shown: int, url: Callable[[int], str]) -> tuple[str, str]:
    if page == 0:
        return "…", ""
    return str(page), "" if page == shown else url(page)


def url_of(path: str, query: Mapping[str, str]) -> str:
    """A path with a query; empty values are left out."""
    text = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{text}" if text else path


def _shown(number: int, last: int) -> list[int]:
    """Numbers of the pages to offer, 0 for a gap: 1 … 4 5 6 … 63."""
    wanted = {1, last, *range(number - _NEIGHBOURS, number + _NEIGHBOURS + 1)}
    shown: list[int] = []
    for page in sorted(page for page in wanted if 1 <= page <= last):
        if shown and page - shown[-1] == 2:
            shown.append(page - 1)
        elif shown and page - shown[-1] > 2:
            shown.append(0)
        shown.append(page)
    return shown if last > 1 else []
