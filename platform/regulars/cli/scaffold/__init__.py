"""Skeletons that `regulars … new` writes: folders of templates, filled in with a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined

SKELETONS = Path(__file__).parent
SUFFIX = ".tmpl"


def write_skeleton(skeleton: str, into: Path, values: Mapping[str, str]) -> list[Path]:
    """Fill in a skeleton.

    Args:
        skeleton: name of a folder beside this module; `[[ name ]]` in paths and texts stands for a value.
        into: where to write; made when it is not there.
        values: name → text.

    Returns:
        The files, in the order of their paths, relative to `into`.
    """
    environment = Environment(  # noqa: S701 -- source code, no HTML for anybody
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    source, written = SKELETONS / skeleton, []
    for template in sorted(source.rglob(f"*{SUFFIX}")):
        name = environment.from_string(template.relative_to(source).as_posix()).render(values)
        target = into / name.removesuffix(SUFFIX)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(environment.from_string(template.read_text("utf-8")).render(values), "utf-8")
        written.append(target.relative_to(into))
    return written


def title_fault(title: str) -> str | None:
    """Why a title cannot stand in source code and in texts to translate, `None` when it can."""
    if not 1 <= len(title.strip()) <= 60:
        return "A title has 1 to 60 characters."
    if re.search(r"[\\\"{}%\[\]<>`]", title) or not title.isprintable():
        return "A title has no quotation marks, backslashes, brackets or percent signs."
    return None
