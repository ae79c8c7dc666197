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
from regulars.kernel.templating.themes import Themes, discover, in_folder, installed, of_tenants

WEB = Path(__file__).parent
_DIST = WEB / "static" / "dist"


def make_themes(config: Config | None = None) -> Themes:
    """All themes of an installation: bundled ones, those of its folders, of single tenants and of installed packages.

    Args:
        config: of the installation; `None` for what is bundled only.

    Raises:
        ThemeLoadError: one line per fault.
    """
    folders = [bundled("themes")]
    if config is None:
        return discover(folders, __version__)
    tenants = config.tenants_dir or (bundled("tenants") if config.env != "production" else None)
    own = config.themes_dir  # in a clone it may be the bundled folder itself
    others = [
        *(in_folder(own) if own and own.resolve() != folders[0].resolve() else ()),
        *(of_tenants(tenants) if tenants else ()),
        *installed(),
    ]
    return discover(folders, __version__, others=others, policy=config.plugin_errors)


def make_assets(registry: PluginRegistry, themes: Themes) -> Assets:
    """Every static file of host, plugins and themes."""
    plugins = {plugin.name: plugin.static for plugin in registry.plugins if plugin.static is not None}
    all_themes = [themes[name] for name in themes.names]
    folders = {theme.name: theme.static for theme in all_themes if theme.static is not None}
    pictures = {theme.name: theme.screenshot for theme in all_themes if theme.screenshot is not None}
    return Assets(_DIST, plugins, folders, screenshots=pictures)


def make_templates(config: Config, registry: PluginRegistry, themes: Themes, assets: Assets) -> TemplateEngine:
    """The engine of an installation; outside of production a variable that no context has is an error."""
    return make_engine(registry, themes, assets, strict=config.env != "production")


def make_engine(registry: PluginRegistry, themes: Themes, assets: Assets, *, strict: bool) -> TemplateEngine:
    """The engine with every template of host, plugins and themes.

    Args:
        registry, themes, assets: whose templates and files they are.
        strict: whether a variable that no context has is an error.
    """
    return TemplateEngine(
        host=WEB / "templates",
        themes=themes,
        plugins=[(plugin.name, plugin.templates) for plugin in registry.plugins if plugin.templates is not None],
        assets=assets,
        icons=Icons(_DIST / "icons.json", strict=strict),
        strict=strict,
    )


def translations(registry: PluginRegistry, themes: Themes) -> list[tuple[str, Path]]:
    """Where the translations of themes, plugins and host lie; the host's words win."""
    sources = [(name, themes[name].folder / "locale") for name in themes.names]
    sources += [(plugin.name, plugin.locale) for plugin in registry.plugins if plugin.locale is not None]
    return [*sources, ("regulars", WEB.parent / "locale")]


def make_post_office(config: Config, registry: PluginRegistry) -> PostOffice:
    """What jobs write mails with; for a process without pages, whose languages it installs too."""
    themes = make_themes(config)
    install(Catalogues(translations(registry, themes)))
    return PostOffice(config, make_templates(config, registry, themes, make_assets(registry, themes)))
