"""Markdown of Python things: heads of pages, tables, signatures, classes of values, sections of docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any


def head(title: str, source: str, about: str) -> str:
    """The beginning of a page, with the warning that it is not to be edited."""
    return f"# {title}\n\n<!-- Made by `make docs` from {source}. Do not edit. -->\n\n{about}\n"


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines) + "\n"


def _cell(value: object) -> str:
    return text_of(" ".join(str(value).split())).replace("|", "\\|")


def text_of(text: str) -> str:
    """Text in which angle brackets are no tags, unless they stand in code."""
    parts = text.split("`")
    return "`".join(part if position % 2 else part.replace("<", "&lt;") for position, part in enumerate(parts))


def code(text: object) -> str:
    """Text as code, nothing when it is empty."""
    return f"`{text}`" if str(text) else ""


def codes(names: Iterable[object]) -> str:
    """Several names as code."""
    return ", ".join(code(name) for name in names)


def about(thing: object) -> str:
    """The docstring without its sections."""
    return text_of(re.split(r"\n(?:Args|Attributes|Returns|Raises|Yields):\n", inspect.getdoc(thing) or "")[0].strip())


def section(thing: object, title: str) -> dict[str, str]:
    """Name → sentence of a section of a docstring in Google's style; `a, b: …` stands for both."""
    described: dict[str, str] = {}
    entries = re.findall(r"^    (\w[\w, ]*): (.*?)(?=^    \w|\Z)", _section(thing, title), re.DOTALL | re.MULTILINE)
    for names, text in entries:
        described |= {name.strip(): " ".join(text.split()) for name in names.split(",")}
    return described


def returns(thing: object) -> str:
    """The section that says what comes back."""
    return " ".join(_section(thing, "Returns").split())


def _section(thing: object, title: str) -> str:
    found = re.search(rf"^{title}:\n(.*?)(?=^\w|\Z)", inspect.getdoc(thing) or "", re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def signature(function: Callable[..., Any]) -> str:
    """How a function is called, without `self`; annotations as they stand in the source."""
    found = inspect.signature(function)
    shown = [str(one).replace("'", "") for name, one in found.parameters.items() if name != "self"]
    only_by_place = [one for one in found.parameters.values() if one.kind is one.POSITIONAL_ONLY and one.name != "self"]
    if only_by_place:
        shown.insert(len(only_by_place), "/")
    prefix = "async def" if inspect.iscoroutinefunction(function) else "def"
    return f"{prefix} {function.__name__}({', '.join(shown)}) -> {found.return_annotation}"


def python(*lines: str) -> str:
    """A block of Python."""
    return "```python\n" + "\n".join(lines) + "\n```\n"


def fields(kind: type) -> dict[str, str]:
    """Name → annotation of the public fields of a class and its bases, in order."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        found |= {name: str(text) for name, text in inspect.get_annotations(one).items() if name[0] != "_"}
    return {name: text for name, text in found.items() if "ClassVar" not in text and not name.startswith("model_")}


def value_class(kind: type, level: str = "###") -> str:
    """A class of values: what it is, and its fields."""
    meanings: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        meanings |= section(one, "Attributes")
    rows = [(code(name), code(text), meanings.get(name, "")) for name, text in fields(kind).items()]
    text = f"{level} `{kind.__name__}`\n\n{about(kind)}\n"
    return text + ("\n" + table(("field", "type", "meaning"), rows) if rows else "")


def methods(kind: type) -> Iterator[Callable[..., Any]]:
    """The public methods that a class itself has."""
    return (one for name, one in vars(kind).items() if inspect.isfunction(one) and not name.startswith("_"))
