"""Every command that the documentation shows exists, with the options and variables that are shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from regulars.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.MULTILINE))
INLINE = re.compile(r"`((?:make|regulars) [a-z][^`]*)`")


def shown(page: Path) -> Iterator[str]:
    """The commands of a page: lines of shell blocks, and commands in running text."""
    text = page.read_text("utf-8")
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        yield from (line.strip() for line in block.splitlines())
    yield from INLINE.findall(re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))


def words_of(line: str) -> list[str]:
    """The words of a command, without what is set in front of it and what is said behind it."""
    words = shlex.split(line, comments=True)
    return words[next((n for n, word in enumerate(words) if not re.match(r"[A-Z_]+=", word)), len(words)) :]


COMMANDS = sorted(
    {
        (page.relative_to(ROOT).as_posix(), " ".join(words))
        for page in PAGES
        for line in shown(page)
        if (words := words_of(line)) and words[0] in {"make", "regulars"}
    }
)


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_command_exists(page: str, command: str) -> None:
    program, *words = command.split()
    assert (make_faults(words) if program == "make" else regulars_faults(words)) == []


def make_faults(words: list[str]) -> list[str]:
    variables = [word.partition("=")[0] for word in words if "=" in word]
    targets = [word for word in words if "=" not in word]
    return sorted({*targets} - TARGETS) + sorted({*variables} - VARIABLES)


def regulars_faults(words: list[str]) -> list[str]:
    found: click.Command = main
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        below = found.get_command(click.Context(found), words[0])
        if below is None:
            return [f"there is no command {words[0]}"]
        found, words = below, words[1:]
    options = {name for one in found.get_params(click.Context(found)) for name in one.opts}
    return [word for word in words if word.startswith("-") and word not in options]


def test_the_two_commands_are_the_readmes() -> None:
    readme = {command for page, command in COMMANDS if page == "README.md"}
    assert {"make demo", "make test"} <= readme
    assert {name for command in readme for name in re.findall(r"\b([A-Z]+)=", command)} >= {"PORT", "DATA", "BASE"}
