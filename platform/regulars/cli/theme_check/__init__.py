"""Checking themes: `check_theme` says what is wrong with one, for authors' tests and for `regulars theme check`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from regulars import __version__
from regulars.cli.theme_check.findings import Finding
from regulars.cli.theme_check.pages import render_all
from regulars.cli.theme_check.sources import inline_code, lost_parts
from regulars.kernel.i18n import LANGUAGES
from regulars.kernel.i18n.sources import Domain
from regulars.kernel.i18n.upkeep import faults, translated
from regulars.kernel.paths import bundled
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.templating.errors import ThemeError
from regulars.kernel.templating.readability import ENOUGH, readings
from regulars.kernel.templating.theme_files import MANIFEST, PRESETS, SETTINGS, Theme, read_toml
from regulars.kernel.templating.theme_settings import in_force
from regulars.kernel.templating.themes import DEFAULT_THEME, Source, ThemeLoadError, Themes, discover
from regulars.web.rendering import make_assets, make_engine

__all__ = ["Finding", "check_theme"]

_HOST = Path(__file__).resolve().parents[2]


def check_theme(folder: Path, registry: PluginRegistry | None = None) -> list[Finding]:
    """Say what is wrong with a theme.

    Args:
        folder: the theme's; also `tenants/<slug>/theme` and the folder of a theme's package.
        registry: the plugins whose templates it may override; all that are installed by default.

    Returns:
        What was found, sorted by place; nothing for a sound theme. Findings that are no errors are good to know.
    """
    plugins = registry or load_plugins()
    folder = folder.resolve()
    try:
        name = _name(folder)
        themes = discover([bundled("themes")], __version__, others=_place(folder, name))
    except ThemeError as error:
        return [_located(folder, error.file, error.key, error.problem)]
    except ThemeLoadError as error:
        return [_said(folder, line) for line in (error.detail or str(error)).splitlines()]
    return sorted(_check(themes, themes[name], plugins))


def _check(themes: Themes, theme: Theme, registry: PluginRegistry) -> Iterator[Finding]:
    engine = make_engine(registry, themes, make_assets(registry, themes), strict=True)
    parent = theme.manifest.extends or DEFAULT_THEME
    original = engine.environment(parent if parent != theme.name else "")
    yield from inline_code(theme)
    yield from lost_parts(theme, engine.environment(theme.name), original, registry.names)
    yield from _contrast(themes, theme)
    yield from asyncio.run(render_all(engine, theme, registry))
    yield from _translations(theme)


def _contrast(themes: Themes, theme: Theme) -> Iterator[Finding]:
    """Text colours that cannot be read on the ground that they name, in the defaults and in every preset."""
    fields = themes.fields(theme.name)
    defaults = {field.key: field.check(field.default) for field in fields}
    sets = [(SETTINGS, "", defaults)]
    sets += [(PRESETS, f"{one.name}: ", {**defaults, **one.values}) for one in theme.presets]
    for file, where, values in sets:
        for one in readings(fields, {**in_force(fields, values), **values}):
            if one.place == "ground" and one.corrected:
                yield Finding(
                    file,
                    0,
                    f"{where}{one.key} {one.wanted} has {one.was:.1f} to 1 on {one.ground}, {ENOUGH} is needed; "
                    f"{one.used} would do",
                )


def _translations(theme: Theme) -> Iterator[Finding]:
    """Texts of the theme's own that a language lacks: an error where it has begun one, a note otherwise."""
    domain = Domain(theme.name, theme.folder)
    template = domain.template(translated(Domain.of(_HOST), LANGUAGES))
    for locale in LANGUAGES[1:] if len(template) else ():
        has_begun = domain.file(locale).is_file()
        place = f"locale/{locale}/LC_MESSAGES/{theme.name}.po"
        if not has_begun:
            sentence = f"{len(template)} texts are not translated; make the file with `regulars translations`"
            yield Finding(place, 0, sentence, is_error=False)
            continue
        for fault in faults(domain, locale, template):
            yield Finding(place, 0, fault.removeprefix(f"{domain.file(locale)}: "))


def _name(folder: Path) -> str:
    """What the theme must be called where it lies."""
    if folder.name == "theme" and (folder.parent / "tenant.toml").is_file():
        return folder.parent.name
    if (folder / "__init__.py").is_file():  # a package: its entry point says the name, which the manifest repeats
        return str(read_toml(folder / MANIFEST).get("name", ""))
    return folder.name


def _place(folder: Path, name: str) -> list[Source]:
    return [] if folder.parent == bundled("themes").resolve() else [Source(folder, name)]


def _located(folder: Path, file: Path, key: str, problem: str) -> Finding:
    place = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
    return Finding(place, 0, f"{key}: {problem}" if key else problem)


def _said(folder: Path, line: str) -> Finding:
    """A line of the error that stops the start, with the file below the theme's folder."""
    file, _, sentence = line.removeprefix("theme: ").removeprefix(f"{folder}/").partition(": ")
    return Finding(file, 0, sentence)
