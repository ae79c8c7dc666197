"""Addresses of static files: the built ones of the host by manifest, those of plugins and themes by content hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from regulars.kernel.templating.errors import AssetMissing
from regulars.kernel.templating.theme_files import SCREENSHOT

PREFIX = "/_assets"
_PRIVATE = frozenset({"manifest.json", "icons.json"})


class Assets:
    """Knows every static file of one process.

    Args:
        dist: folder that the front-end build wrote, with its `manifest.json`.
        plugins: plugin name → its static folder.
        themes: theme name → its static folder.
        screenshots: theme name → the file with its picture.
        prefix: path under which the web layer or the proxy serves them.
    """

    def __init__(
        self,
        dist: Path,
        plugins: Mapping[str, Path] = MappingProxyType({}),
        themes: Mapping[str, Path] = MappingProxyType({}),
        prefix: str = PREFIX,
        screenshots: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self._prefix = prefix
        self._files: dict[str, Path] = {}
        self._urls: dict[str, str] = {}
        self._add_host(dist)
        for area, folders in (("p", plugins), ("t", themes)):
            for name, folder in folders.items():
                self._add_folder(f"{area}/{name}", folder)
        for name, file in screenshots.items():
            self._add_file(f"t/{name}", file, SCREENSHOT)

    def url(self, name: str) -> str:
        """Address of a file of the host's build.

        Args:
            name: logical name, such as `app.css`.

        Raises:
            AssetMissing: the build does not have it.
        """
        return self._url(name)

    def plugin_url(self, plugin: str, name: str) -> str:
        """Address of a file below a plugin's `static/`.

        Raises:
            AssetMissing: the plugin has no such file.
        """
        return self._url(f"p/{plugin}/{name}")

    def screenshot_url(self, theme: str) -> str:
        """Address of a theme's picture, empty without one."""
        return self._urls.get(f"t/{theme}/{SCREENSHOT}", "")

    def theme_url(self, theme: str, name: str) -> str:
        """Address of a file below a theme's `static/`.

        Raises:
            AssetMissing: the theme has no such file.
        """
        return self._url(f"t/{theme}/{name}")

    def find(self, path: str) -> Path | None:
        """File behind an address.

        Args:
            path: what follows the prefix, such as `host/app.3F2A.css`. Only addresses that were given out are known, so
                no path can leave the folders.

        Returns:
            The file, or `None`. What is found may be cached for ever: its name changes with its content.
        """
        return self._files.get(path.lstrip("/"))

    def _url(self, key: str) -> str:
        try:
            return self._urls[key]
        except KeyError:
            raise AssetMissing(key) from None

    def _add_host(self, dist: Path) -> None:
        manifest = dist / "manifest.json"
        if not manifest.is_file():
            raise AssetMissing("manifest.json", folder=dist)
        entries: dict[str, str] = json.loads(manifest.read_text("utf-8"))
        for file in dist.iterdir():
            if file.name not in _PRIVATE and not file.name.startswith("."):
                self._files[f"host/{file.name}"] = file
        for name, hashed in entries.items():
            self._urls[name] = f"{self._prefix}/host/{hashed}"

    def _add_folder(self, area: str, folder: Path) -> None:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self._add_file(area, file, PurePosixPath(file.relative_to(folder)).as_posix())

    def _add_file(self, area: str, file: Path, name: str) -> None:
        path = f"{area}/{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}/{name}"
        self._files[path] = file
        self._urls[f"{area}/{name}"] = f"{self._prefix}/{path}"
