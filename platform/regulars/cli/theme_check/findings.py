"""What is wrong with a theme: a sentence each, with its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        file: below the theme's folder.
        line: 0 where there is none.
        sentence: what is wrong and how to put it right.
        is_error: otherwise it is good to know.
    """

    file: str
    line: int
    sentence: str
    is_error: bool = True

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.sentence}" if self.is_error else f"{place}: (note) {self.sentence}"
