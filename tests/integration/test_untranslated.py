"""Every text that a page or a mail shows comes from the catalogues: all are read in a language of brackets.

In that language each text that is marked *and* collected stands in ⟦ ⟧. What stands outside and is no data, number or
date was forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from asyncpg import Connection
from babel import Locale
from pages_under_test import operator_at
from visitors import member_at, staff_at

import regulars
from regulars.kernel.i18n import LANGUAGES, Catalogues, install, language_name
from regulars.kernel.i18n.sources import Domain
from regulars.kernel.i18n.upkeep import translated
from regulars.kernel.templating.brand import FONT_TITLES
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

ROOT = Path(regulars.__file__).parents[2]
SHOWN = ("aria-label", "title", "placeholder", "alt", "data-copied")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
INLINE = {"a", "b", "code", "em", "small", "span", "strong", "time"}
UNREAD = {"script", "style", "svg", "code", "pre"}
NOT_FOLLOWED = re.compile(r"/(export|_assets|api|languages/wording)|\.(css|json|svg)$|^(mailto|tel):")
MOST_PAGES = 120
NOWHERE = "/nothing-here"
ID = re.compile(r"[a-z]+_[0-9a-f]{32}")
LETTERS = re.compile(r"[^\W\d_]{2,}")
ENGLISH = Locale.parse("en")
DATA = [
    *(
        "Main street",
        "Cafe",
        "Pizza",
        "Mia Ledoux",
        "Anna",
        "Ben",
        "Olivia Operator",
        "Card",
        "Till",
        "Probe",
        "Europe/Luxembourg",
    ),
    *(
        "Everything",
        "free coffee",
        "Regulars",
        "Marie Leroy",
        "tests: make the operator",
        "probe",
        "cafe.localhost",
        "px",
    ),
    *FONT_TITLES.values(),
    *ENGLISH.territories.values(),
    *ENGLISH.currencies.values(),
    *map(language_name, LANGUAGES),
]
"""What is put in: names of the test's own, of places, of money, of languages."""
PUT_IN = re.compile(
    "|".join(
        [
            r"\b[A-Z]\w+(?:/[\w+-]+(?: [\w+-]+)*)+",  # time zones
            *map(re.escape, sorted(DATA, key=len, reverse=True)),
            r"\S+@\S+|https?://\S+|/[a-z_./{}-]+",
            r"\b[a-z0-9]+(?:[._:-][a-z0-9]+)+\b|\b[0-9a-f]{7,}\b",  # codes, hashes
            r"\b[A-Z]{2,}(?:_[A-Z]+)*\b",  # EUR, TXT, REGULARS_PORT
            r"\b(?:antifraud|stamps|points|tiers|rewards|promotions|referrals|apple_wallet|probe|cards|enrolment|households|hybrid|reports|stats|sandbox|webhooks|sso|programs|shops|en)\b",
            r"\b(?:connectors|system|unauthenticated|forbidden|conflict|raced|unavailable)\b",
            r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?|\d+\s?(?:AM|PM)|\d+ \w+ ago|UTC",
        ]
    )
)


class Brackets(NullTranslations):
    """A language in which every collected text stands in brackets."""

    def __init__(self, collected: set[str]) -> None:
        super().__init__()
        self._collected = collected

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧" if message in self._collected else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid2}⟧" if msgid1 in self._collected else msgid2

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


class InBrackets(Catalogues):
    """Catalogues in which every locale speaks in brackets."""

    def __init__(self) -> None:
        super().__init__(())
        folders = [ROOT / "platform" / "regulars", *ROOT.glob("plugins/*/regulars_*"), *ROOT.glob("themes/*")]
        texts = {english for folder in folders for _context, english in translated(Domain.of(folder), LANGUAGES)}
        self._brackets = Brackets(texts)

    def get(self, locale: str) -> NullTranslations:
        return self._brackets


@pytest.fixture
def in_brackets(web: WebServer) -> Iterator[None]:
    install(InBrackets())
    yield
    install(Catalogues(()))


class Shown(HTMLParser):
    """Texts that a page shows to eyes and ears, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.links: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._parts: list[str] = []
        self.feed(html)
        self._break()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._break(tag)
        self.texts += [given[name] for name in SHOWN if given.get(name)]
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag not in VOID:
            is_unread = tag in UNREAD or given.get("aria-hidden") == "true"
            self._open.append((tag, is_unread or self._is_unread()))

    def handle_endtag(self, tag: str) -> None:
        self._break(tag)
        while any(one == tag for one, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._is_unread():
            self._parts.append(data)

    def _is_unread(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def _break(self, tag: str = "") -> None:
        if tag not in INLINE:
            self.texts.append("".join(self._parts))
            self._parts = []


def forgotten(text: str) -> str:
    """What of a text stands in no bracket and is nothing that only is put in."""
    kept, depth = [], 0
    for letter in text:
        depth += (letter == "⟦") - (letter == "⟧")
        kept.append(" " if depth or letter == "⟧" else letter)
    rest = PUT_IN.sub(" ", "".join(kept))
    return " ".join(rest.split()) if LETTERS.search(rest) else ""


async def walk(visitor: Browser, *starts: str) -> dict[str, str]:
    """Forgotten text → the first page with it, of all pages that links lead to, one of each kind."""
    found: dict[str, str] = {}
    waiting, kinds = list(starts), {kind_of(start) for start in starts}
    while waiting:
        path = waiting.pop(0)
        response = await visitor.get(path)
        if response.status_code == 303:
            links = [response.headers["location"]]
        elif response.headers.get("content-type", "").startswith("text/html"):
            assert response.status_code == (404 if path == NOWHERE else 200), (path, response.status_code)
            page = Shown(response.text)
            links = page.links
            for text in page.texts:
                if words := forgotten(text):
                    found.setdefault(words, path)
        else:
            links = []
        for link in links:
            target = urlsplit(urljoin(path, link))
            kind = kind_of(target.path)
            if not target.netloc and kind not in kinds and not NOT_FOLLOWED.search(link):
                kinds.add(kind)
                waiting.append(f"{target.path}?{target.query}" if target.query else target.path)
    assert len(kinds) < MOST_PAGES
    return found


def kind_of(path: str) -> str:
    return ID.sub("*", urlsplit(path).path)


async def test_nothing_was_forgotten(web: WebServer, sql: Connection, cafe: World, in_brackets: None) -> None:
    owner = cafe.staff[0]
    await sql.execute("UPDATE core.staff SET role = 'owner', email = 'anna@cafe.example' WHERE id = $1", owner.id)
    member, staff = await member_at(web, sql, cafe), await staff_at(web, sql, cafe, owner)
    operator, stranger = await operator_at(web, sql, cafe), web.at(cafe.host)
    mail = {"email": cafe.card.email}
    found = await walk(web.at("localhost"), "/", "/sign-up")
    found |= await walk(stranger, "/", "/manage/log-in", "/manage/forgotten", NOWHERE)
    found |= await walk(member, "/card")
    found |= await walk(staff, "/manage", "/terminal", f"/terminal/find?q={cafe.card.number}")
    found |= await walk(operator, "/")
    for visitor, path, form in (
        (stranger, "/join", {}),
        (stranger, "/signin", mail),
        (stranger, "/manage/log-in", mail),
        (staff, "/manage/staff/new", {}),
        (staff, "/manage/program", {"stamps.target": "many", "name": ""}),
        (staff, "/terminal/enrol", {"email": "none"}),
    ):
        answer = await visitor.submit(path, form)
        found |= {words: path for text in Shown(answer.text).texts if (words := forgotten(text))}
    for row in await sql.fetch("SELECT subject, html_body FROM core.mail"):
        texts = [row["subject"], *Shown(row["html_body"]).texts]
        found |= {words: "a mail" for text in texts if (words := forgotten(text))}
    assert found == {}, "\n".join(f"{path}: {words}" for words, path in found.items())
