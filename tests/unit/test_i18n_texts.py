"""Catalogues are merged in the right order, texts follow the current language, readers get the language they want."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from regulars.kernel.i18n import (
    Catalogues,
    LazyText,
    current_locale,
    current_timezone,
    gettext,
    install,
    language_name,
    negotiate,
    ngettext,
    npgettext,
    pgettext,
    use_locale,
)
from regulars.kernel.i18n.catalogues import CatalogueError

HOST = """
msgid "Save"
msgstr "Speichern"

msgid "Hello %(name)s"
msgstr "Hallo %(name)s"

msgid "%(num)s stamp"
msgid_plural "%(num)s stamps"
msgstr[0] "%(num)s Stempel, einer"
msgstr[1] "%(num)s Stempel"

msgctxt "month"
msgid "May"
msgstr "Mai"

msgctxt "hours"
msgid "%(num)s hour"
msgid_plural "%(num)s hours"
msgstr[0] "%(num)s Stunde"
msgstr[1] "%(num)s Stunden"
"""
PLUGIN = """
msgid "Save"
msgstr "VOM PLUGIN"

msgid "Punch card"
msgstr "Lochkarte"

#, fuzzy
msgid "Guess"
msgstr "Geraten"
"""
HEADER = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"""


def write(folder: Path, domain: str, text: str, locale: str = "de") -> tuple[str, Path]:
    file = folder / domain / locale / "LC_MESSAGES" / f"{domain}.po"
    file.parent.mkdir(parents=True)
    file.write_text(HEADER + text, "utf-8")
    return domain, folder / domain


@pytest.fixture
def catalogues(tmp_path: Path):
    made = Catalogues([write(tmp_path, "punch", PLUGIN), write(tmp_path, "regulars", HOST)])
    install(made)
    yield made
    install(Catalogues(()))


def test_the_host_wins_over_a_plugin(catalogues: Catalogues):
    with use_locale("de"):
        assert gettext("Save") == "Speichern"
        assert gettext("Punch card") == "Lochkarte"


def test_fuzzy_and_unknown_texts_stay_english(catalogues: Catalogues):
    with use_locale("de"):
        assert (gettext("Guess"), gettext("Nothing")) == ("Guess", "Nothing")


def test_values_plurals_and_contexts(catalogues: Catalogues):
    with use_locale("de"):
        assert gettext("Hello %(name)s", name="Ona") == "Hallo Ona"
        assert [ngettext("%(num)s stamp", "%(num)s stamps", n) for n in (1, 2)] == ["1 Stempel, einer", "2 Stempel"]
        assert pgettext("month", "May") == "Mai"
        assert npgettext("hours", "%(num)s hour", "%(num)s hours", 3) == "3 Stunden"
    assert ngettext("%(num)s stamp", "%(num)s stamps", 2) == "2 stamps"
    assert gettext("100 % real") == "100 % real"


def test_a_region_uses_its_languages_catalogue(catalogues: Catalogues):
    with use_locale("de-AT"):
        assert gettext("Save") == "Speichern"
        assert str(current_locale()) == "de_AT"


def test_locales_are_known(catalogues: Catalogues):
    assert catalogues.locales == ("de", "en")


def test_lazy_texts_are_translated_when_shown(catalogues: Catalogues):
    text = LazyText("Hello %(name)s", {"name": "Ona"})
    with use_locale("de"):
        assert str(text) == "Hallo Ona"
    assert str(text) == "Hello Ona"


async def test_each_task_keeps_its_language(catalogues: Catalogues):
    barrier = asyncio.Barrier(2)

    async def speak(locale: str, timezone: str) -> tuple[str, str]:
        with use_locale(locale, timezone):
            await barrier.wait()
            return gettext("Save"), current_timezone()

    assert await asyncio.gather(speak("de", "Europe/Berlin"), speak("en", "Europe/Vilnius")) == [
        ("Speichern", "Europe/Berlin"),
        ("Save", "Europe/Vilnius"),
    ]
    assert current_timezone() == "UTC"


def test_a_broken_file_is_named(tmp_path: Path):
    domain, folder = write(tmp_path, "broken", 'msgid "a"\nnonsense\n')
    with pytest.raises(CatalogueError, match=r"broken\.po"):
        Catalogues([(domain, folder)])


@pytest.mark.parametrize(
    ("preferred", "header", "expected"),
    [
        ("lt", "de", "lt"),
        ("", "de-CH,de;q=0.9,en;q=0.8", "de"),
        ("", "en;q=0.2,fr;q=0.9", "fr"),
        ("es", "pt-BR, *;q=0.5", "en"),
        ("", "fr;q=0,de;q=nonsense", "en"),
        ("LT", "", "lt"),
        ("", ";;;,,q=1", "en"),
    ],
)
def test_negotiation(preferred: str, header: str, expected: str):
    assert negotiate((preferred,), header, "en", ("en", "lt", "fr", "de")) == expected


def test_negotiation_never_leaves_the_supported_ones():
    assert negotiate((), "", "en", ("lt",)) == "lt"
    assert negotiate(("fr",), "", "de", ()) == "de"
    assert negotiate((), "pt", "en", ("pt_BR", "en")) == "pt_BR"


def test_languages_name_themselves():
    assert [language_name(code) for code in ("en", "lt", "fr", "de")] == ["English", "Lietuvių", "Français", "Deutsch"]
