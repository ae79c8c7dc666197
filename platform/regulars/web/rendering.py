"""What renders pages and mails, made for one process; the web and the worker use the same."""

from __future__ import annotations

from pathlib import Path

from regulars import __version__
from regulars.domain.messaging.office import PostOffice
from regulars.kernel.config import Config
from regulars.kernel.i18n import Catalogues, install
from regulars.kernel.paths import bundled
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.templating.assets import Assets
from regulars.kernel.templating.engine import TemplateEngine
from regulars.kernel.templating.icons import Icons
from regulars.kernel.templating.themes import Themes, discover

WEB = Path(__file__).parent
_DIST = WEB / "static" / "dist"


def make_themes() -> Themes:
    """All themes of this installation."""
    return discover([bundled("themes")], __version__)


def make_assets(registry: PluginRegistry, themes: Themes) -> Assets:
    """Every static file of host, plugins and themes."""
    plugins = {plugin.name: plugin.static for plugin in registry.plugins if plugin.static is not None}
    folders = {name: themes[name].static for name in themes.names}
    return Assets(_DIST, plugins, {name: folder for name, folder in folders.items() if folder is not None})


def make_templates(config: Config, registry: PluginRegistry, themes: Themes, assets: Assets) -> TemplateEngine:
    """The engine with every template of host, plugins and themes."""
    strict = config.env != "production"
    return TemplateEngine(
        host=WEB / "templates",
        themes=themes,
        plugins=[(plugin.name, plugin.templates) for plugin in registry.plugins if plugin.templates is not None],
        assets=assets,
        icons=Icons(_DIST / "icons.json", strict=strict),
        strict=strict,
    )


def make_catalogues(registry: PluginRegistry, themes: Themes) -> Catalogues:
    """The translations of themes, plugins and host; the host's words win."""
    sources = [(name, themes[name].folder / "locale") for name in themes.names]
    sources += [(plugin.name, plugin.locale) for plugin in registry.plugins if plugin.locale is not None]
    return Catalogues([*sources, ("regulars", WEB.parent / "locale")])


def make_post_office(config: Config, registry: PluginRegistry) -> PostOffice:
    """What jobs write mails with; for a process without pages, whose languages it installs too."""
    themes = make_themes()
    install(make_catalogues(registry, themes))
    return PostOffice(config, make_templates(config, registry, themes, make_assets(registry, themes)))
