"""Lists with pages: which page is wanted, and one page of a list."""

from regulars.contracts.paging import Paged, PageRequest

__all__ = ["PageRequest", "Paged"]
