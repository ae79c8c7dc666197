"""Rendering every page of the portal with a theme, from the documented contexts and nothing else."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from markupsafe import Markup, escape
from pydantic import BaseModel

from regulars.cli.theme_check.findings import Finding
from regulars.contracts.context import Context
from regulars.contracts.pages import PageContext
from regulars.contracts.slots import Slot
from regulars.domain.tenants.looks import Look
from regulars.kernel.i18n import use_locale
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.plugins.units import NO_SETTINGS
from regulars.kernel.templating.chrome import Chrome, Language, Link
from regulars.kernel.templating.engine import TemplateEngine
from regulars.kernel.templating.errors import TemplatingError
from regulars.kernel.templating.theme_files import Theme
from regulars.kernel.templating.theme_settings import fonts_of, in_force
from regulars.web.failures import ErrorPage
from regulars.web.portal.samples import SampleShop, example_shop

_LONG = "Donaudampfschifffahrtsgesellschaftskapitän & Söhne"


async def render_all(engine: TemplateEngine, theme: Theme, registry: PluginRegistry) -> list[Finding]:
    """Render every page, with the theme's defaults and with each preset.

    Args:
        engine: strict, so that a variable that no context has is an error.
        theme: the theme.
        registry: the plugins, all of which the example has.

    Returns:
        One finding for each page that cannot be rendered.
    """
    found: dict[str, Finding] = {}
    for number, (shop, look) in enumerate(_stages(engine, theme, registry)):
        render_slot = partial(_slot, engine, registry, shop)
        frames = list(_frames(shop, look))
        for page in _pages(shop):
            for chrome in frames if number == 0 else frames[:1]:
                try:
                    with use_locale("en"):
                        await engine.render(theme.name, page, globals={"chrome": chrome}, slot=render_slot)
                except (TemplateError, TemplatingError, TypeError, AttributeError, KeyError, ValueError) as error:
                    finding = _finding(theme, page, error)
                    found.setdefault(str(finding), finding)
    return list(found.values())


def _stages(engine: TemplateEngine, theme: Theme, registry: PluginRegistry) -> Iterator[tuple[SampleShop, Look]]:
    fields = engine.themes.fields(theme.name)
    shop = example_shop(registry, theme.name, _LONG)
    for given in ({}, *(preset.values for preset in engine.themes.presets(theme.name))):
        values = in_force(fields, given)
        yield shop, Look(theme.name, fields, values, fonts_of(fields, values))


def _pages(shop: SampleShop) -> Iterator[PageContext]:
    yield from shop.all()
    yield ErrorPage(
        status_code=404,
        code="not_found",
        title="We could not find this.",
        detail="",
        request_id="01a2",
        start_url="/",
    )


def _frames(shop: SampleShop, look: Look) -> Iterator[Chrome]:
    """As much as there can be around a page, and as little."""
    nav = [
        Link(label="Card", url="/card", icon="wallet-cards", active=True),
        Link(label="History", url="/card/history"),
    ]
    full = Chrome(
        name=shop.tenant.name,
        logo_url="/_assets/tenant/logo.png",
        brand_css_url="/brand.css",
        look=look.values,
        fonts=look.fonts,
        languages=[Language(code="en", name="English", url="?lang=en"), Language(code="lt", name="Lietuvių", url="?l")],
        nav=nav,
        legal=[Link(label="Terms", url="/terms")],
        powered_by="Regulars",
    )
    yield full
    yield replace(full, logo_url="", languages=(), nav=(), legal=(), powered_by="", preview="dark")


async def _slot(engine: TemplateEngine, registry: PluginRegistry, shop: SampleShop, slot: Slot, data: Any) -> Markup:
    parts = []
    for renderer in registry.slots.get(slot, ()):
        stage = _Stage(engine, Context(shop.tenant), shop.settings.get(renderer.plugin) or NO_SETTINGS)
        part = await renderer.render(stage, data)
        parts.append(part if isinstance(part, Markup) else escape(str(part)))
    return Markup().join(parts)


@dataclass(frozen=True)
class _Stage:
    """What a plugin's renderer may use, see `regulars.contracts.slots.SlotContext`; there is nothing to read."""

    engine: TemplateEngine
    context: Context
    settings: BaseModel

    async def rows(self, statement: Any, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        return ()

    def render(self, template: str, /, **values: Any) -> Markup:
        return self.engine.fragment(self.context.tenant.theme, template, **values)


def _finding(theme: Theme, page: PageContext, error: Exception) -> Finding:
    """The place in the theme where it happened, the page otherwise."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(theme.templates)]
    context = f"{type(page).__module__.removeprefix('regulars.web.')}.{type(page).__name__}"
    words = f"{type(error).__name__}: {error}" if isinstance(error, TypeError | KeyError) else str(error)
    sentence = f"{words} (page {page.template}, context {context})"
    if not own:
        return Finding(f"templates/{page.template}", 0, sentence)
    place = Path(own[-1].filename).relative_to(theme.folder).as_posix()
    return Finding(place, own[-1].lineno or 0, sentence)
