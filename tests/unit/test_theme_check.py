"""`regulars theme`: a new theme is sound, each fault of a bad one is a sentence with its place."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from regulars.cli import main
from regulars.kernel.paths import bundled
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.templating.brand import FONTS
from regulars.kernel.templating.themes import ThemeLoadError, discover, in_folder, installed, of_tenants
from regulars.testing.themes import check_theme
from regulars.web.rendering import WEB
from tests.themes_under_test import PACKAGE, install_fixture

ROOT = Path(__file__).resolve().parents[2]
SOUND = [ROOT / "themes/classic", ROOT / "themes/noir", ROOT / "tenants/boulangerie/theme", PACKAGE]

MANIFEST = 'name = "bad"\nversion = "1"\nhost = ">=1"\n'
COLOUR = '[a]\ntype = "colour"\nlabel = "A"\ndefault = "#000000"\n'
BAD = ROOT / "tests" / "bad_theme"
"""A theme with every fault that a check finds, and beside it what is said of them."""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def make(folder: Path, name: str, extends: str) -> None:
    command = ["theme", "new", name, "--extends", extends, "--dir", str(folder / name)]
    assert CliRunner().invoke(main, command).exit_code == 0


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(BAD / "bad", folder / "bad"))


@pytest.mark.parametrize("folder", SOUND, ids=lambda folder: folder.name)
def test_our_themes_are_sound(folder: Path, registry: PluginRegistry) -> None:
    """Their translations are held against the sources elsewhere, with those of all others."""
    assert [str(one) for one in check_theme(folder, registry) if not one.file.startswith("locale/")] == []


def test_every_fault_is_a_sentence(registry: PluginRegistry) -> None:
    said = (BAD / "said.txt").read_text("utf-8").splitlines()
    assert [str(one) for one in check_theme(BAD / "bad", registry) if one.is_error] == said


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("theme.toml", 'name = "bad"\nhost = ">=1"\n', "theme.toml: version: is missing"),
        ("theme.toml", f"{MANIFEST}extends = 'none'", "theme.toml: extends: there is no theme 'none'"),
        ("settings.toml", "[x", "settings.toml: is not TOML: "),
        ("settings.toml", f'{COLOUR}on = "b"', "settings.toml: a.on: must be the key of another colour in this file"),
        (
            "presets.toml",
            '[p]\ntitle = "P"\nvalues = { x = 1 }',
            "presets.toml: p.values.x: The theme has no such setting",
        ),
        ("presets.toml", "[p]\nvalues = {}", "presets.toml: p.title: is missing"),
        ("templates/portal/card.html", "{% block %}", "templates/portal/card.html: line 1: "),
    ],
)
def test_what_cannot_be_read_is_said_with_file_and_key(
    tmp_path: Path, registry: PluginRegistry, file: str, text: str, said: str
) -> None:
    (found,) = check_theme(write(copied(tmp_path), {file: text}), registry)
    assert str(found).startswith(said)


def test_a_new_theme_is_sound(tmp_path: Path, registry: PluginRegistry) -> None:
    runner = CliRunner()
    folder = tmp_path / "night-owl"
    made = runner.invoke(main, ["theme", "new", "night-owl", "--dir", str(folder)])
    assert (made.exit_code, made.output.splitlines()[0]) == (0, f"Night owl is in {folder}: 8 files.")
    assert f"  REGULARS_THEMES_DIR={tmp_path} regulars up --demo" in made.output.splitlines()
    assert [one.file for one in check_theme(folder, registry) if one.is_error] == []
    assert (folder / "screenshot.png").is_file()
    texts = [file.read_text("utf-8") for file in folder.rglob("*.*") if file.suffix != ".png"]
    assert "[[" not in "".join(texts)
    again = runner.invoke(main, ["theme", "new", "night-owl", "--dir", str(folder)])
    assert (again.exit_code, again.output) == (1, f"Error: {folder} is there already: nothing was written.\n")
    for wrong in (["Night Owl"], ["owl", "--dir", str(tmp_path / "night")], ["owl", "--title", "<b>"]):
        assert runner.invoke(main, ["theme", "new", *wrong]).exit_code == 1
    write(folder, {"templates/portal/nowhere.html": ""})
    checked = runner.invoke(main, ["theme", "check", str(folder)])
    assert checked.exit_code == 1
    assert "templates/portal/nowhere.html: it replaces nothing" in checked.output
    assert checked.output.endswith("Error: 1 to mend.\n")


def test_three_places_and_whose_themes_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_fixture(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    others = [*of_tenants(ROOT / "tenants"), *installed()]
    themes = discover([bundled("themes")], "1.0.0", others=others)
    assert themes.names == ("boulangerie", "classic", "fixture", "noir")
    assert [theme.name for theme in themes.offered("boulangerie")] == ["classic", "boulangerie", "fixture", "noir"]
    assert [theme.name for theme in themes.offered("cafe")] == ["classic", "fixture", "noir"]
    assert "regulars_theme_fixture" not in sys.modules, "nothing of it is imported"


def test_faulty_themes_stop_the_start_or_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "good", "classic")
    write(copied(tmp_path), {"templates/portal/card.html": "{% if %}"})
    make(tmp_path, "heir", "bad")
    card = tmp_path / "bad/templates/portal/card.html"
    with pytest.raises(ThemeLoadError) as caught:
        discover([bundled("themes")], "1.0.0", others=in_folder(tmp_path))
    assert str(caught.value).splitlines() == [
        f"theme: {card}: line 1: Expected an expression, got 'end of statement block'",
        f"theme: {tmp_path}/heir/theme.toml: extends: there is no theme 'bad'",
    ]
    themes = discover([bundled("themes")], "1.0.0", others=in_folder(tmp_path), policy="quarantine")
    assert themes.names == ("classic", "good", "noir")
    with pytest.raises(ThemeLoadError):
        discover([bundled("themes"), tmp_path], "1.0.0", policy="quarantine")


def test_every_family_has_a_style_sheet() -> None:
    built = json.loads((WEB / "static" / "dist" / "manifest.json").read_text("utf-8"))
    assert {f"font-{key}.css" for key in FONTS} - built.keys() == {"font-inter.css"}, "Inter is everybody's"
