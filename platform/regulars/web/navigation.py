"""The navigation of each area, made for each page by the area's package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from regulars.contracts.context import Principal, TenantSnapshot
from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.templating.chrome import Link
from regulars.web.areas import Area


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What an area's navigation is made from.

    Attributes:
        path: of the page, to mark where the reader is.
        here: path and query that lead to the page again, empty when it answers a form.
    """

    area: Area
    path: str
    tenant: TenantSnapshot | None
    principal: Principal
    registry: PluginRegistry
    config: Config
    locale: str
    here: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigation:
    """The navigation of an area, see `Chrome` for its parts."""

    home_url: str = "/"
    nav: Sequence[Link] = ()
    account: Sequence[Link | Literal["-"]] = ()
    legal: Sequence[Link] = ()
    search_url: str = ""


NavigationMaker = Callable[[Frame], Navigation]


@dataclass(slots=True)
class Navigations:
    """The navigation of each area, by the area's name; areas without one have none."""

    makers: dict[str, NavigationMaker] = field(default_factory=dict)

    def of(self, frame: Frame) -> Navigation:
        """The navigation of a page."""
        make = self.makers.get(frame.area.name)
        return make(frame) if make else Navigation()
