"""Themes override plugins and host, plugins cannot override anybody, originals stay reachable."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
from jinja2 import Environment, TemplateNotFound, UndefinedError
from markupsafe import Markup

from regulars.contracts.pages import PageContext
from regulars.contracts.slots import Slot
from regulars.kernel.i18n import use_locale
from regulars.kernel.templating.assets import Assets
from regulars.kernel.templating.engine import TemplateEngine
from regulars.kernel.templating.errors import IconMissing
from regulars.kernel.templating.icons import Icons
from regulars.kernel.templating.themes import discover

EXTENDS = '{{% extends "{}" %}}{{% block {} %}}{}+{{{{ super() }}}}{{% endblock %}}'
FILES = {
    "host/home.html": "host home {{ page.name }}",
    "host/frame.html": "[{% block inner %}host{% endblock %}]",
    "host/shared.html": "host shared",
    "host/slots.html": '{{ slot("portal.card", page.name) }}',
    "host/missing.html": "{{ page.nothing }}",
    "host/icons.html": '{{ icon("coffee") }}|{{ icon("coffee", "Cup & co") }}',
    "host/unknown_icon.html": '{{ icon("no-such-icon") }}',
    "host/number.html": "{{ format_number(1247) }} {{ page.name }} {{ '482174932841'|card_number }}",
    "host/note.txt": "{{ text }}",
    "themes/base/theme.toml": 'name = "base"\nversion = "1"\nhost = ">=1,<2"\n',
    "themes/base/templates/frame.html": EXTENDS.format("host/frame.html", "inner", "base"),
    "themes/child/theme.toml": 'name = "child"\nversion = "1"\nhost = ">=1,<2"\nextends = "base"\n',
    "themes/child/templates/home.html": "child home {{ page.name }}",
    "themes/child/templates/punch/card.html": EXTENDS.format("plugin/punch/card.html", "b", "child"),
    "plugins/punch/templates/punch/card.html": "{% block b %}punch{% endblock %}",
    "plugins/punch/templates/punch/home.html": "never as home.html",
    "dist/manifest.json": json.dumps({"app.css": "app.AB12.css"}),
    "dist/app.AB12.css": "body{}",
    "dist/icons.json": json.dumps({"coffee": '<path d="M1 1"/>', "circle-help": "<circle/>"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage(PageContext):
    """A page for these tests."""

    template: ClassVar[str] = "home.html"
    name: str = "Ona"


def page_of(path: str) -> PageContext:
    return type("Page", (HomePage,), {"template": path, "__slots__": ()})()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path


def make_engine(folder: Path, *, strict: bool = True) -> TemplateEngine:
    return TemplateEngine(
        host=folder / "host",
        themes=discover([folder / "themes"], "1.2.3"),
        plugins=[("punch", folder / "plugins" / "punch" / "templates")],
        assets=Assets(folder / "dist"),
        icons=Icons(folder / "dist" / "icons.json", strict=strict),
        strict=strict,
    )


@pytest.fixture
def engine(folder: Path) -> TemplateEngine:
    return make_engine(folder)


async def show(engine: TemplateEngine, theme: str, path: str, **more: object) -> str:
    return await engine.render(theme, page_of(path), globals={}, **more)


async def test_a_theme_overrides_the_host(engine: TemplateEngine):
    assert await engine.render("base", HomePage(), globals={}) == "host home Ona"
    assert await engine.render("child", HomePage(), globals={}) == "child home Ona"


async def test_a_child_inherits_its_parents_overrides_which_extend_the_original(engine: TemplateEngine):
    assert await show(engine, "child", "frame.html") == "[base+host]"
    assert await show(engine, "child", "host/frame.html") == "[host]"


async def test_a_theme_overrides_a_plugin_and_reaches_the_original(engine: TemplateEngine):
    assert await show(engine, "base", "punch/card.html") == "punch"
    assert await show(engine, "child", "punch/card.html") == "child+punch"
    assert await show(engine, "child", "plugin/punch/card.html") == "punch"


async def test_a_plugin_adds_names_below_its_own_prefix_only(engine: TemplateEngine):
    assert await show(engine, "base", "home.html") == "host home Ona"
    with pytest.raises(TemplateNotFound):
        await show(engine, "base", "card.html")


async def test_unknown_theme_and_template(engine: TemplateEngine):
    with pytest.raises(KeyError):
        await engine.render("nobody", HomePage(), globals={})
    with pytest.raises(TemplateNotFound):
        await show(engine, "base", "../dist/manifest.json")


async def test_values_are_escaped_in_html_and_not_in_plain_text(engine: TemplateEngine):
    assert await engine.render("base", HomePage(name="<b>&"), globals={}) == "host home &lt;b&gt;&amp;"
    assert engine.mail("base", "note.txt", text="<b>&") == "<b>&"


async def test_undefined_raises_when_strict_and_is_empty_otherwise(folder: Path):
    with pytest.raises(UndefinedError, match="nothing"):
        await show(make_engine(folder), "base", "missing.html")
    assert await show(make_engine(folder, strict=False), "base", "missing.html") == ""


async def test_slots_are_awaited_and_escaped_like_any_value(engine: TemplateEngine):
    seen: list[tuple[Slot, object]] = []

    async def contribute(slot: Slot, data: object) -> Markup:
        await asyncio.sleep(0)
        seen.append((slot, data))
        return Markup("<p>8/10</p>")

    assert await show(engine, "base", "slots.html", slot=contribute) == "<p>8/10</p>"
    assert seen == [(Slot.PORTAL_CARD, "Ona")]
    assert await show(engine, "base", "slots.html") == ""


async def test_a_fragment_is_markup_and_follows_the_theme(engine: TemplateEngine):
    fragment = engine.fragment("child", "punch/card.html")
    assert (type(fragment), fragment) == (Markup, "child+punch")


async def test_concurrent_pages_keep_their_language(engine: TemplateEngine):
    async def in_language(locale: str) -> str:
        with use_locale(locale):
            await asyncio.sleep(0)
            return await show(engine, "base", "number.html")

    assert await asyncio.gather(*(in_language(locale) for locale in ("en", "de"))) == [
        "1,247 Ona 4821-7493-2841",
        "1.247 Ona 4821-7493-2841",
    ]


async def test_a_file_is_compiled_once_for_all_themes_and_anew_when_it_has_changed(folder: Path, monkeypatch):
    compiled = []
    generate = Environment._generate
    monkeypatch.setattr(
        Environment, "_generate", lambda *given, **more: compiled.append(given[2]) or generate(*given, **more)
    )
    for engine in (make_engine(folder), make_engine(folder)):
        assert await show(engine, "base", "shared.html") == await show(engine, "child", "shared.html") == "host shared"
    assert compiled == ["shared.html"]
    (folder / "host/shared.html").write_text("host told", "utf-8")
    assert await show(make_engine(folder), "base", "shared.html") == "host told"
    assert compiled == ["shared.html", "shared.html"]


async def test_icons(folder: Path):
    svg = await show(make_engine(folder), "base", "icons.html")
    silent, spoken = svg.split("|")
    assert 'class="icon"' in silent
    assert 'aria-hidden="true"><path d="M1 1"/></svg>' in silent
    assert 'role="img" aria-label="Cup &amp; co"><path' in spoken
    with pytest.raises(IconMissing, match="no-such-icon"):
        await show(make_engine(folder), "base", "unknown_icon.html")
    assert "<circle/>" in await show(make_engine(folder, strict=False), "base", "unknown_icon.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage(PageContext):
    """A page whose fields are lists."""

    template: ClassVar[str] = "home.html"
    name: list[str] = field(default_factory=list)


async def test_only_the_page_and_the_given_globals_are_visible(engine: TemplateEngine):
    assert await engine.render("base", ListPage(name=["<a>"]), globals={"x": 1}) == "host home [&#39;&lt;a&gt;&#39;]"
