"""How merchants see and type the places where values are put in: always `{name}`, whatever our own texts write."""

from __future__ import annotations

import re

_OURS = re.compile(r"%\((\w+)\)s")
_SHOWN = re.compile(r"\{(\w+)\}")


def shown(text: str) -> str:
    """A text as merchants see it: `{reward} ready` for `%(reward)s ready`."""
    return _OURS.sub(r"{\1}", text)


def stored(text: str, english: str) -> str:
    """A text as it is kept and used.

    Args:
        text: as a merchant typed it.
        english: what it stands for; it decides which of the two notations our code fills in.
    """
    return _SHOWN.sub(r"%(\1)s", text) if _OURS.search(english) else text
