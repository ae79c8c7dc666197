"""What `regulars plugin new` refuses, and that well-formed code comes out whatever the name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from regulars.cli import main


def new(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["plugin", "new", *words])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Coffee", "'Coffee' cannot be a plugin's name: 2 to 24 lower-case letters, digits and single underscores."),
        ("x", "'x' cannot be a plugin's name"),
        ("a" * 25, "cannot be a plugin's name"),
        ("class", "'class' cannot be a plugin's name"),
        ("coffee_", "'coffee_' cannot be a plugin's name"),
        ("stamps", "There is a plugin 'stamps' already, of the distribution regulars-stamps: choose another name."),
        ("program", "The name 'program' belongs to the host: choose another one."),
    ],
)
def test_a_bad_name_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    code, told = new(name, "--dir", str(tmp_path / "made"))
    assert code == 1
    assert sentence in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("title", ["", '"', "50 % off", "x" * 61, "{braces}", "a\nb"])
def test_a_title_that_code_cannot_hold_is_refused(tmp_path: Path, title: str) -> None:
    code, told = new("coffee_club", "--title", title or " ", "--dir", str(tmp_path / "made"))
    assert (code, "A title has" in told) == (1, True), told


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    code, told = new("coffee_club", "--dir", str(tmp_path))
    assert (code, "is there already and not empty: nothing was written" in told) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("units", ["heart", "Hearts", "success", "as", "gold stars", "a" * 12 + "s"])
def test_a_unit_that_code_cannot_hold_is_refused(tmp_path: Path, units: str) -> None:
    code, told = new("coffee_club", "--unit", units, "--dir", str(tmp_path / "made"))
    said = f"Error: {units!r} cannot be a unit: a plural such as hearts, 3 to 12 lower-case letters.\n"
    assert (code, told) == (1, said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("coffee_club",), "A heart for every visit"),
        (("golden_beans",), "A bean for every visit"),
        (("coffee_club", "--unit", "berries"), "A berry for every visit"),
        (("coffee_club", "--unit", "apples"), "An apple for every visit"),
        (("coffee_club", "--unit", "peaches"), "A peach for every visit"),
    ],
)
def test_the_unit_is_spoken_of_everywhere(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    made = tmp_path / "made"
    assert new(*words, "--dir", str(made))[0] == 0
    assert said in (made / f"regulars_{words[0]}" / "__init__.py").read_text("utf-8")
    texts = [path.read_text("utf-8") for path in made.rglob("*.*") if path.is_file()]
    hearts = sum("hearts" in text for text in texts)
    assert (hearts > 0) == (said == "A heart for every visit")


@pytest.mark.parametrize(("name", "units"), [("ab", "ups"), ("a" * 24, "z" * 11 + "s")])
def test_short_and_long_names_give_well_formed_code(tmp_path: Path, name: str, units: str) -> None:
    assert new(name, "--title", "Café – d'été", "--unit", units, "--dir", str(tmp_path / "made"))[0] == 0
    for words in (("check",), ("format", "--check")):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", "."]
        done = subprocess.run(command, cwd=tmp_path / "made", check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    assert 'title=N_("Café – d\'été")' in (tmp_path / "made" / f"regulars_{name}" / "__init__.py").read_text("utf-8")
