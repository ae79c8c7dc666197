"""Documented page contexts: a page is rendered from a dataclass, and what is not a field is not API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """Base of every page's context.

    Attributes:
        template: path of the template in the theme chain, set by the subclass.
        status: HTTP status of the page, a class attribute that error pages override.
    """

    template: ClassVar[str]
    status: ClassVar[int] = 200
