"""The page of the reference on everything that a plugin may import."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import get_args

from describe import about, code, codes, fields, head, signature, table

from regulars import sdk

PLAIN = {
    "CORE_NOW": "`core.now()`, the clock of the rules: default of columns that hold a time.",
    "hookimpl": "Marks a method of the class `Hooks` as the implementation of the hook of that name.",
    "Blueprint": "Quart's blueprint, the views of one area.",
}
"""What cannot say itself what it is."""


def sdk_page() -> str:
    """Every name below `regulars.sdk`."""
    intro = "What a plugin may import, all of it under semantic versioning. Nothing else of the host is."
    text = head("The SDK", "`platform/regulars/sdk`", intro)
    for module in sdk_modules():
        rows = [_row(name, getattr(module, name)) for name in module.__all__]
        text += f"\n## `{module.__name__}`\n\n{about(module)}\n\n" + table(("name", "what it is"), rows)
    return text


def sdk_modules() -> Iterator[ModuleType]:
    """The module itself, then those below it, by name."""
    yield sdk
    for found in pkgutil.iter_modules(sdk.__path__):
        yield import_module(f"{sdk.__name__}.{found.name}")


def _row(name: str, thing: object) -> tuple[str, str]:
    if name in PLAIN:
        return code(name), PLAIN[name]
    if inspect.isfunction(thing):
        called = signature(thing)
        return code(name + re.sub(r"<class '(\w+)'>", r"\1", called[called.index("(") :])), _first(thing)
    if isinstance(thing, type):
        has = codes(fields(thing))
        return code(name), f"{_first(thing)} Fields: {has}." if has else _first(thing)
    one_of = (getattr(one, "__name__", str(one)).removeprefix("NoneType") or "None" for one in get_args(thing))
    return code(name), f"One of {codes(one_of)}."


def _first(thing: object) -> str:
    """The first paragraph of what it says of itself."""
    return " ".join(about(thing).split("\n\n")[0].split())
