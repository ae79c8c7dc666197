"""Paged lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")
MAX_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list.

    Attributes:
        number: from 1.
        size: rows a page, 1 to `MAX_PAGE_SIZE`.
        after: the row that it follows, instead of a number: then rows that come meanwhile move nothing.
    """

    number: int = 1
    size: int = 20
    after: UUID | None = None

    def __post_init__(self) -> None:
        if self.number < 1 or not 1 <= self.size <= MAX_PAGE_SIZE:
            raise ValueError(f"page number from 1, size from 1 to {MAX_PAGE_SIZE}")

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """One page of a list.

    Attributes:
        total: rows of the whole list.
    """

    items: Sequence[T]
    total: int
    request: PageRequest

    @property
    def first(self) -> int:
        """Number of the first row shown, 0 when there is none."""
        return self.request.offset + 1 if self.items else 0

    @property
    def last(self) -> int:
        """Number of the last row shown, 0 when there is none."""
        return self.request.offset + len(self.items) if self.items else 0

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // self.request.size))
