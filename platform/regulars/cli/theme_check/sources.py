"""What can be seen in a theme's files without rendering: overrides of nothing, lost slots and blocks, inline code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jinja2 import Environment, TemplateNotFound, nodes
from jinja2.meta import find_referenced_templates

from regulars.cli.theme_check.findings import Finding
from regulars.kernel.templating.theme_files import Theme

WORN = ("portal/", "pages/", "mails/", "layouts/portal.html", "layouts/base.html", "layouts/mail.", "components/")
"""What a theme dresses of the host; the rest are pages of staff and merchants, which stay as they are."""
_INLINE = (
    (re.compile(r"<[a-z][^>]*\sstyle\s*=", re.IGNORECASE), "no `style=`: the pages' policy forbids it; use a class"),
    (re.compile(r"<style\b", re.IGNORECASE), "no <style>: put the rules into a file below static/"),
    (
        re.compile(r"<script\b(?![^>]*\bsrc\s*=)", re.IGNORECASE),
        "no inline script: put it into a file below static/ and name it with src",
    ),
    (re.compile(r"<[a-z][^>]*\son[a-z]+\s*=", re.IGNORECASE), "no event attribute such as onclick: use a script file"),
    (
        re.compile(r"""\b(?:src|srcset|href|action)\s*=\s*["']?\s*(?:https?:)?//""", re.IGNORECASE),
        "no address elsewhere: nothing is loaded from other servers; bring the file below static/",
    ),
    (re.compile(r"javascript:", re.IGNORECASE), "no javascript: address; use a script file"),
)
_CSS = (
    (re.compile(r"@import\b", re.IGNORECASE), "no @import: put the rules into one file"),
    (
        re.compile(r"""url\(\s*["']?\s*(?:https?:)?//""", re.IGNORECASE),
        "no address elsewhere: bring the file below static/",
    ),
)


def inline_code(theme: Theme) -> Iterator[Finding]:
    """Whatever the pages' content security policy would stop, and addresses of other servers."""
    for name in theme.overrides:
        if name.startswith("mails/"):  # mail programs know no style sheets and need whole addresses
            continue
        yield from _lines(theme, f"templates/{name}", _INLINE)
    for file in sorted(theme.static.rglob("*.css")) if theme.static else ():
        yield from _lines(theme, file.relative_to(theme.folder).as_posix(), _CSS)


def _lines(theme: Theme, name: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> Iterator[Finding]:
    for number, line in enumerate((theme.folder / name).read_text("utf-8").splitlines(), 1):
        yield from (Finding(name, number, sentence) for pattern, sentence in rules if pattern.search(line))


def lost_parts(theme: Theme, mine: Environment, original: Environment, plugins: frozenset[str]) -> Iterator[Finding]:
    """Overrides of nothing, and slots and blocks of an original that its override leaves out.

    Args:
        theme: the theme.
        mine: with the theme.
        original: without it.
        plugins: names of those that are installed.
    """
    used = {name for own in theme.overrides for name in _named(mine, own)}
    for name in theme.overrides:
        place = f"templates/{name}"
        try:
            original.get_template(name)
        except TemplateNotFound:
            if name not in used:
                yield Finding(
                    place, 0, "it replaces nothing: neither the host nor a plugin has a template of that name"
                )
            continue
        if not name.startswith(WORN) and name.partition("/")[0] not in plugins:
            yield Finding(place, 0, "nobody would see it: themes dress the pages of customers only")
            continue
        ours, theirs = _reach(mine, name), _reach(original, name)
        for slot in sorted(theirs.slots - ours.slots):
            sentence = (
                f'the slot "{slot}" is left out, so what plugins add there is lost; put {{{{ slot("{slot}", …) }}}} in'
            )
            yield Finding(place, 0, sentence)
        if theirs.is_live and not ours.is_live:
            yield Finding(
                place, 0, "the page would not follow the till any more; put {{ ui.live(…) }} in, as the original"
            )
        if name.startswith("layouts/"):
            for block in sorted(theirs.blocks - ours.blocks):
                yield Finding(place, 0, f'the block "{block}" is left out, so what pages put there is lost')


@dataclass
class _Reach:
    """What a template has, with all that it extends, includes and imports."""

    slots: set[str] = field(default_factory=set)
    blocks: set[str] = field(default_factory=set)
    is_live: bool = False


def _reach(environment: Environment, name: str) -> _Reach:
    found, seen, ahead = _Reach(), set[str](), [name]
    while ahead:
        one = ahead.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            tree = _parsed(environment, one)
        except TemplateNotFound:
            continue
        found.blocks |= {block.name for block in tree.find_all(nodes.Block)}
        found.slots |= {slot for call in tree.find_all(nodes.Call) if (slot := _slot_of(call))}
        found.is_live |= any(_calls_live(call) for call in tree.find_all(nodes.Call))
        ahead += [other for other in find_referenced_templates(tree) if other]
    return found


def _slot_of(call: nodes.Call) -> str:
    is_slot = isinstance(call.node, nodes.Name) and call.node.name == "slot" and call.args
    first = call.args[0] if is_slot else None
    return str(first.value) if isinstance(first, nodes.Const) else ""


def _calls_live(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Getattr) and call.node.attr == "live"


def _named(environment: Environment, name: str) -> set[str]:
    return {other for other in find_referenced_templates(_parsed(environment, name)) if other}


def _parsed(environment: Environment, name: str) -> nodes.Template:
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, name)
    return environment.parse(source)
