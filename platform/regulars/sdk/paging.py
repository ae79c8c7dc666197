"""Lists with pages: which page is wanted, one page of a list, and lists that are read whole for a file."""

from regulars.contracts.paging import Paged, PageRequest
from regulars.kernel.db.listing import Listing

__all__ = ["Listing", "PageRequest", "Paged"]
