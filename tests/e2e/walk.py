"""Walking through all pages that somebody can reach by links and forms, looking at each once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from regulars.web.hosts import HostKind

OPAQUE = re.compile(r"[a-z]+_[0-9a-f]{32}|[\w.~-]{20,}")
"""Ids and tokens: which one it is makes no other page."""
LINKS = """() => [
    ...[...document.querySelectorAll('a[href]')].map((link) => link.href),
    ...[...document.querySelectorAll('form[method=get]')].map(
        (form) => `${form.action}?${new URLSearchParams(new FormData(form))}`),
].filter((address) => address.startsWith(location.origin + '/')).map((address) => address.split('#')[0])"""
ALIKE = 2
"""So many pages of one endpoint are looked at."""
FILES = re.compile(r"/export$|\.json$|/html$|\.css$")

Look = Callable[[Page, str], Awaitable[Sequence[str]]]


@dataclass
class Walk:
    """A walk through the pages of one kind of host.

    Attributes:
        routes: of the application.
        host: the kind.
        area: the part whose pages are looked at, those of plugins in it too; others have walks of their own.
        look: what is done on each page; answers what is wrong with it.
        seen: names of the pages that came: endpoints with the arguments that make another page.
        faults: what was wrong.
    """

    routes: Map
    host: HostKind
    area: str
    look: Look
    seen: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    @property
    def endpoints(self) -> set[str]:
        """Endpoints of the pages that were seen."""
        return {name.split(" ")[0] for name in self.seen}

    async def go(self, pages: Sequence[Page], starts: Iterable[str]) -> None:
        """Visit addresses and all that they lead to, with whatever a person may see.

        Args:
            pages: of the same person, on as many devices; they share the way.
            starts: where it begins.
        """
        tried: set[str] = set()
        ahead = self._new(starts, tried)
        while ahead:
            shares = [ahead[number :: len(pages)] for number in range(len(pages))]
            found = await asyncio.gather(*(self._take(page, share) for page, share in zip(pages, shares, strict=True)))
            ahead = self._new(chain(*found), tried)

    def _new(self, addresses: Iterable[str], tried: set[str]) -> list[str]:
        """Those that lead to a page of the area that is not known yet, once each."""
        found = []
        for address in addresses:
            name = self.name_of(address)
            known = self.seen | tried
            if name not in known and not self._is_elsewhere(name) and _alike(name, known) < ALIKE:
                tried.add(name)
                found.append(address)
        return found

    async def _take(self, page: Page, addresses: Iterable[str]) -> list[str]:
        """Visit addresses one after the other; gives the links that were found."""
        links: list[str] = []
        for address in addresses:
            name = self.name_of(address)
            if FILES.search(urlsplit(address).path):
                await self._fetch(page, address, name)
            else:
                await self._visit(page, address, name)
                links += await page.evaluate(LINKS)
        return links

    async def stop(self, page: Page, name: str) -> None:
        """Look at what is shown now, which no address leads to."""
        self.faults += [f"{name}: {fault}" for fault in await self.look(page, name)]

    def judge(self, besides: AbstractSet[str] = frozenset()) -> None:
        """Say what was wrong, and which pages of the area nobody is led to.

        Args:
            besides: endpoints that are no pages.

        Raises:
            AssertionError: anything was.
        """
        pages = {
            rule.endpoint
            for rule in self.routes.iter_rules()
            if rule.subdomain == self.host
            and rule.endpoint.startswith(f"{self.area}.")
            and "GET" in (rule.methods or ())
            and not rule.websocket
        }
        missed = [f"no link leads to {endpoint}" for endpoint in sorted(pages - self.endpoints - besides)]
        if self.faults or missed:
            raise AssertionError("\n".join([*self.faults, *missed]))

    def name_of(self, address: str) -> str:
        """The endpoint of an address; the address itself when nobody answers there."""
        parts = urlsplit(address)
        adapter = self.routes.bind("walk.invalid", subdomain=self.host)
        try:
            endpoint, arguments = adapter.match(parts.path, method="GET")
        except HTTPException:
            return address
        told: dict[str, Any] = {key: value for key, value in arguments.items() if not OPAQUE.fullmatch(str(value))}
        if "page" in parse_qs(parts.query):
            told["page"] = "2"
        return " ".join([endpoint, *(f"{key}={value}" for key, value in sorted(told.items()))])

    def _is_elsewhere(self, name: str) -> bool:
        """Whether a page belongs to another area; what has no page at all is looked at."""
        blueprint, dot, _endpoint = name.partition(".")
        return bool(dot) and ":" not in name and not blueprint.endswith(self.area)

    async def _visit(self, page: Page, address: str, name: str) -> None:
        answer = await page.goto(address)
        assert answer is not None
        if answer.status != 200:
            self.faults.append(f"{name}: {answer.status} {address}")
            return
        shown = self.name_of(page.url)
        if shown not in self.seen:
            self.seen.add(shown)
            self.faults += [f"{shown}: {fault}" for fault in await self.look(page, shown)]

    async def _fetch(self, page: Page, address: str, name: str) -> None:
        self.seen.add(name)
        status = await page.evaluate("address => fetch(address).then((answer) => answer.status)", address)
        if status != 200:
            self.faults.append(f"{name}: {status} {address}")


def _alike(name: str, known: AbstractSet[str]) -> int:
    """How many known pages have the same endpoint."""
    endpoint = name.split(" ", maxsplit=1)[0]
    return sum(one.split(" ", maxsplit=1)[0] == endpoint for one in known)
