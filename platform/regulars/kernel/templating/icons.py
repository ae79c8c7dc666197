"""Lucide icons, inlined as SVG: no request, no sprite, any icon at run time, the colour of the text around it."""

from __future__ import annotations

import json
from pathlib import Path

from markupsafe import Markup, escape

from regulars.kernel.templating.errors import AssetMissing, IconMissing

_FALLBACK = "circle-help"


class Icons:
    """All icons by name.

    Args:
        file: `icons.json` of the front-end build: name → inner SVG.
        strict: an unknown name raises; otherwise it shows as a small circle.
    """

    def __init__(self, file: Path, *, strict: bool) -> None:
        if not file.is_file():
            raise AssetMissing(file.name, folder=file.parent)
        self._inner: dict[str, str] = json.loads(file.read_text("utf-8"))
        self._strict = strict

    def __contains__(self, name: str) -> bool:
        return name in self._inner

    def __call__(self, name: str, label: str = "", *, class_: str = "") -> Markup:
        """SVG of an icon.

        Args:
            name: Lucide's name, such as `coffee`.
            label: what it means, where no text beside it says so; without it the icon is hidden from screen readers.
            class_: further CSS classes.

        Raises:
            IconMissing: there is no such icon (strict only).
        """
        inner = self._inner.get(name)
        if inner is None:
            if self._strict:
                raise IconMissing(f"There is no icon '{name}'; see lucide.dev/icons for the names.")
            inner = self._inner.get(_FALLBACK, "")
        meaning = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        classes = escape(f"icon {class_}".strip())
        return Markup(  # noqa: S704 -- the drawings come from our own build, the rest is escaped above
            f'<svg class="{classes}" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor"'
            f' stroke-linecap="round" stroke-linejoin="round" {meaning}>{inner}</svg>'
        )
