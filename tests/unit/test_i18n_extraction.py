"""Texts are found in Python, in templates and in a theme's settings; .po files follow them."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from click.testing import CliRunner

from regulars.cli import main
from regulars.kernel.i18n.sources import Domain
from regulars.kernel.i18n.upkeep import faults, faults_of, read_catalogue, translated, update

THEME = """
[accent]
type = "choice"
label = "Accent"
help = "The second colour."
group = "Shapes"
default = "warm"
options = { warm = "Warm", cold = "Cold" }
"""


@pytest.fixture
def theme(tmp_path: Path) -> Domain:
    folder = tmp_path / "dusk"
    (folder / "templates" / "mails").mkdir(parents=True)
    (folder / "theme.toml").write_text('name = "dusk"\ntitle = "Dusk"\nversion = "1.0"\nhost = ">=1"\n', "utf-8")
    (folder / "settings.toml").write_text(THEME, "utf-8")
    (folder / "templates" / "page.html").write_text(
        "{% trans count=n %}One card{% pluralize %}{{ count }} cards{% endtrans %}"
    )
    (folder / "templates" / "mails" / "hello.txt").write_text("{% trans name=x %}Hello {{ name }}{% endtrans %}")
    (folder / "titles.py").write_text('TITLE = LazyText("Evening")\nLABEL = N_("Please sign in.")\n')
    (folder / "static").mkdir()
    (folder / "static" / "not_read.py").write_text('N_("Static")\n')
    return Domain.of(folder)


def english(catalog: Catalog) -> set[object]:
    return {message.id for message in catalog if message.id}


def test_every_kind_of_source_is_read(theme: Domain):
    settings = {"Accent", "The second colour.", "Shapes", "Warm", "Cold"}
    templates = {("One card", "%(count)s cards"), "Hello %(name)s"}
    assert english(theme.template()) == {"Dusk", "Evening", "Please sign in."} | settings | templates
    assert theme.name == "dusk"


def test_texts_of_the_host_are_left_to_it(theme: Domain):
    assert english(theme.template()) - english(theme.template({("", "Please sign in."), ("", "Warm")})) == {
        "Please sign in.",
        "Warm",
    }


def test_a_file_follows_its_sources_without_guessing(theme: Domain):
    update(theme, "de", theme.template())
    file = theme.file("de")
    file.write_text(
        file.read_text("utf-8").replace('msgid "Evening"\nmsgstr ""', 'msgid "Evening"\nmsgstr "Abend"'), "utf-8"
    )
    assert not update(theme, "de", theme.template())
    (theme.folder / "titles.py").write_text('TITLE = LazyText("Evening.")\n')
    assert update(theme, "de", theme.template())
    catalog = read_catalogue(file)
    assert english(catalog) == english(theme.template())
    evening = catalog.get("Evening.")
    assert evening is not None
    assert (evening.string, evening.fuzzy, list(catalog.obsolete)) == ("", False, [])
    assert translated(theme, ("de", "fr")) == {("", "One card")} | {
        ("", text) for text in english(catalog) if isinstance(text, str)
    }


def test_missing_gone_and_untranslated_texts_are_named(theme: Domain):
    template = theme.template()
    assert list(faults(theme, "de", template)) == [f"{theme.file('de')}: is missing, 10 texts are not translated"]
    update(theme, "de", template)
    assert len(list(faults(theme, "de", template))) == 10
    (theme.folder / "titles.py").write_text('TITLE = LazyText("Night")\n')
    found = list(faults(theme, "de", theme.template()))
    assert found[:3] == [
        f"{theme.file('de')}: 'Night' is missing",
        f"{theme.file('de')}: 'Evening' is in no source any more",
        f"{theme.file('de')}: 'Please sign in.' is in no source any more",
    ]


@pytest.mark.parametrize(
    ("locale", "source", "translation", "fault"),
    [
        ("de", "Hello %(name)s", "Hallo %(name)s", ""),
        ("de", "Hello %(name)s", "Hallo", "the placeholders are not those of 'Hello %(name)s'"),
        ("de", "Hello {name}", "Hallo {nom}", "the placeholders are not those of 'Hello {name}'"),
        ("de", "<b>Hi</b> you", "<b>He</b> du", ""),
        ("de", "<b>Hi</b> you", "<i>He</i> du", "the tags are not those of '<b>Hi</b> you'"),
        ("de", "Hello ", "Hallo", "spaces at its start and end are not those of 'Hello '"),
        ("de", "Hello", "", "is not translated"),
        ("de", ("One card", "%(num)s cards"), ("Eine Karte", "%(num)s Karten"), ""),
        ("lt", ("One card", "%(num)s cards"), ("%(num)s kortelė", "%(num)s kortelės", "%(num)s kortelių"), ""),
        # 21 takes the first form too, so it must say the number; so does nought in French
        ("lt", ("One card", "%(num)s cards"), ("Kortelė", "%(num)s kortelės", "%(num)s kortelių"), "'%(num)s cards'"),
        ("fr", ("One card", "%(num)s cards"), ("Une carte", "%(num)s cartes"), "'%(num)s cards'"),
        ("lt", ("One card", "%(num)s cards"), ("%(num)s kortelė", "%(num)s kortelės"), "2 plural forms instead of 3"),
    ],
)
def test_what_a_translation_must_keep(locale: str, source: object, translation: object, fault: str):
    catalog = Catalog(locale=locale)
    message = catalog.add(source, translation)
    found = list(faults_of(message, catalog))
    assert len(found) == (1 if fault else 0)
    assert not found or fault in found[0]


def test_an_unsure_translation_is_a_fault():
    catalog = Catalog(locale="de")
    assert list(faults_of(catalog.add("Save", "Sichern", flags={"fuzzy"}), catalog)) == ["is marked as unsure (fuzzy)"]


def test_the_command_makes_and_checks_files(theme: Domain):
    made = CliRunner().invoke(main, ["translations", str(theme.folder), "--language", "de"])
    # "Please sign in." is the host's
    assert (made.exit_code, made.output) == (0, "dusk de: 9 texts, 9 to mend\n")
    checked = CliRunner().invoke(main, ["translations", str(theme.folder), "--language", "de", "--check"])
    assert checked.exit_code == 1
    assert f"{theme.file('de')}: 'Evening' is not translated" in checked.output
