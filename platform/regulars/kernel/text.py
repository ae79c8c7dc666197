"""What people type, made fit for storing and finding: pure functions."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
_LIKE_WILDCARDS = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def one_line(text: str) -> str:
    """A text without line breaks, control and direction characters and doubled space, in composed form.

    What comes out can be stored (PostgreSQL takes no NUL and no lone surrogate), be a mail header and fit in a row.
    """
    visible = "".join(
        " " if unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} else one
        for one in text
        if unicodedata.category(one) != "Cf" or one in _JOINERS
    )
    return unicodedata.normalize("NFC", " ".join(visible.split()))


def folded(text: str) -> str:
    """A text as it is compared in searches: lower case, accents taken off, so that `agne` finds `Agnė`."""
    decomposed = unicodedata.normalize("NFKD", one_line(text).casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def like_patterns(text: str) -> list[str]:
    """One `LIKE` pattern for each word of a folded query; wildcards in it stand for themselves."""
    return [f"%{word.translate(_LIKE_WILDCARDS)}%" for word in folded(text).split()]
