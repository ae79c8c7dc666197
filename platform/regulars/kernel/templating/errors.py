"""Faults of themes, templates and assets; each names the file and the key."""

from __future__ import annotations

from pathlib import Path


class TemplatingError(Exception):
    """Base of all faults of this package. They are programming or packaging faults, never the visitor's."""


class AssetMissing(TemplatingError):
    """A static file that a page names does not exist.

    Args:
        name: logical name of the file.
        folder: where it was looked for.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        place = f" in {folder}" if folder else ""
        super().__init__(f"No asset '{name}'{place}. Run the front-end build (npm run build in platform/frontend).")
        self.name = name


class IconMissing(TemplatingError):
    """A template or manifest names an icon that Lucide does not have."""


class ThemeError(TemplatingError):
    """A theme's file cannot be used.

    Args:
        file: the file at fault.
        key: dotted key in the file, empty for the file as a whole.
        problem: what is wrong with it.
    """

    def __init__(self, file: Path, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key + ': ' if key else ''}{problem}")
        self.file = file
        self.key = key
        self.problem = problem
