"""Host, bundled plugins and bundled themes speak every language completely: what the sources say now, all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from regulars.kernel.i18n import LANGUAGES, Catalogues, install, ngettext, use_locale
from regulars.kernel.i18n.sources import Domain
from regulars.kernel.i18n.upkeep import faults, translated

ROOT = Path(__file__).resolve().parents[2]
HOST = Domain.of(ROOT / "platform" / "regulars")
OTHERS = [
    Domain.of(folder)
    for pattern in ("plugins/*/regulars_*", "themes/*", "tenants/*/theme")
    for folder in sorted(ROOT.glob(pattern))
]


@pytest.mark.parametrize("domain", [HOST, *OTHERS], ids=lambda domain: domain.name)
def test_every_text_is_translated(domain: Domain):
    template = domain.template(() if domain is HOST else translated(HOST, LANGUAGES))
    assert len(template) > 0
    found = [fault for locale in LANGUAGES[1:] for fault in faults(domain, locale, template)]
    assert found == [], "run `make translations`, then translate what is new:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("locale", "number", "text"),
    [
        ("lt", 1, "1 antspaudas"),
        ("lt", 2, "2 antspaudai"),
        ("lt", 10, "10 antspaudų"),
        ("lt", 11, "11 antspaudų"),
        ("lt", 21, "21 antspaudas"),
        ("fr", 0, "0 tampon"),
        ("fr", 2, "2 tampons"),
        ("de", 0, "0 Stempel"),
    ],
)
def test_counted_texts_take_the_languages_own_forms(locale: str, number: int, text: str):
    stamps = next(domain for domain in OTHERS if domain.name == "stamps")
    install(Catalogues([("stamps", stamps.folder / "locale")]))
    try:
        with use_locale(locale):
            assert ngettext("%(num)s stamp", "%(num)s stamps", number) == text
    finally:
        install(Catalogues(()))


TEMPLATES = [
    file
    for domain in [HOST, *OTHERS]
    for folder in (domain.folder / "templates", domain.folder / "web" / "templates")
    for file in sorted(folder.rglob("*.*"))
]


def test_templates_translate_only_texts_that_stand_there():
    """Jinja trusts a translated text as markup: a variable in its place would be an open door, and is not collected."""
    assert len(TEMPLATES) > 100
    found = re.compile(r"""\b(?:_|n?p?gettext)\((?!["'])""")
    assert [file for file in TEMPLATES if found.search(file.read_text("utf-8"))] == []
