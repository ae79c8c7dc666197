"""Renders pages: one Jinja environment for each theme chain, made by overlay from one base."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import (
    BaseLoader,
    BytecodeCache,
    ChainableUndefined,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    Undefined,
    pass_eval_context,
    select_autoescape,
)
from jinja2.bccache import Bucket
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from regulars.contracts.pages import PageContext
from regulars.contracts.slots import Slot
from regulars.kernel.i18n import formats
from regulars.kernel.i18n.current import current_translations
from regulars.kernel.i18n.wording import OwnWords
from regulars.kernel.templating.assets import Assets
from regulars.kernel.templating.figures import card_number, initials, spark_path
from regulars.kernel.templating.icons import Icons
from regulars.kernel.templating.theme_files import Theme
from regulars.kernel.templating.themes import Themes

SlotRenderer = Callable[[Slot, Any], Awaitable[Markup]]


class _Compiled(BytecodeCache):
    """The code of templates that some environment of this process has compiled: themes share most of their files."""

    def __init__(self) -> None:
        self._code: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of a file, unless the file has changed."""
        checksum, code = self._code.get(bucket.key, ("", None))
        bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a file."""
        if bucket.code is not None:
            self._code[bucket.key] = (bucket.checksum, bucket.code)


_COMPILED = {is_async: _Compiled() for is_async in (True, False)}
"""Code that awaits, and code that does not."""


class TemplateEngine:
    """Every template of host, plugins and themes.

    Look-up in the environment of a theme: the theme, its parents, plugins (only below their own prefix), the host.
    `host/…` and `plugin/<name>/…` always name the original, so that an override can extend what it replaces.

    Args:
        host: folder of the host's templates.
        themes: all themes; environments are made when first used.
        plugins: (name, folder) of each plugin in load order; the folder holds `<name>/`.
        assets, icons: of the front-end build.
        strict: undefined variables raise (tests, demo); otherwise they render as nothing.
    """

    def __init__(
        self,
        *,
        host: Path,
        themes: Themes,
        plugins: Sequence[tuple[str, Path]],
        assets: Assets,
        icons: Icons,
        strict: bool,
    ) -> None:
        self._host = FileSystemLoader(host)
        self._plugins = {name: FileSystemLoader(folder / name) for name, folder in plugins}
        self._themes = themes
        undefined: type[Undefined] = StrictUndefined if strict else ChainableUndefined
        self._base = _base_environment(undefined, assets, icons)
        self._pages: dict[str, Environment] = {}
        self._fragments: dict[str, Environment] = {}

    @property
    def themes(self) -> Themes:
        """The themes that pages can be rendered with."""
        return self._themes

    async def render(
        self,
        theme: str,
        page: PageContext,
        *,
        globals: Mapping[str, Any],  # noqa: A002 -- Jinja's own word for it
        slot: SlotRenderer | None = None,
    ) -> str:
        """Render a page.

        Args:
            theme: the tenant's theme; `classic` for the platform's own pages.
            page: its `template` is looked up in the theme's chain; the template sees it as `page`.
            globals: what every page gets from the web layer; `chrome` is required.
            slot: renders the contributions to `{{ slot("portal.card", data) }}`; without it slots are empty.

        Returns:
            HTML.

        Raises:
            jinja2.TemplateNotFound: the theme chain has no such template.
            KeyError: there is no such theme.
        """

        async def slot_by_name(name: str, data: object) -> Markup:
            place = Slot(name)
            return await slot(place, data) if slot else Markup()

        template = self._environment(self._pages, theme, is_async=True).get_template(page.template)
        return await template.render_async({**globals, "page": page, "slot": slot_by_name})

    def fragment(self, theme: str, template: str, /, **values: Any) -> Markup:
        """Render a template that is a part of a page (a plugin's slot, an htmx answer without slots).

        Args:
            theme: the tenant's theme, so that themes can override parts as well.
            template: path in the theme chain, such as `stamps/slots/card.html`.
            values: variables of the template.

        Returns:
            Markup, not escaped again.
        """
        environment = self._environment(self._fragments, theme, is_async=False)
        return Markup(environment.get_template(template).render(values))  # noqa: S704 -- rendered with autoescape

    def mail(self, theme: str, template: str, /, **values: Any) -> str:
        """Render a mail's part; `.txt` templates are plain text and not escaped.

        Args:
            theme: the tenant's theme.
            template: path in the theme chain, such as `mails/welcome.html`.
            values: variables; layouts need `mail` (`chrome.MailFrame`).
        """
        return self._environment(self._fragments, theme, is_async=False).get_template(template).render(values)

    def environment(self, theme: str = "") -> Environment:
        """The environment of a theme, for looking at templates without rendering them.

        Args:
            theme: a known theme's name; empty for host and plugins alone.
        """
        chain = self._themes.chain(theme) if theme else ()
        return self._base.overlay(loader=self._loader(chain))

    def _environment(self, cache: dict[str, Environment], name: str, *, is_async: bool) -> Environment:
        theme = self._themes.known(name)
        if theme not in cache:
            cache[theme] = self._base.overlay(
                loader=self._loader(self._themes.chain(theme)),
                enable_async=is_async,
                bytecode_cache=_COMPILED[is_async],
            )
        return cache[theme]

    def _loader(self, chain: Sequence[Theme]) -> BaseLoader:
        return ChoiceLoader(
            [
                *(FileSystemLoader(link.templates) for link in chain),
                PrefixLoader(self._plugins),
                self._host,
                PrefixLoader({"host": self._host, "plugin": PrefixLoader(self._plugins)}),
            ]
        )


def _look_up(kind: str) -> Callable[..., str]:
    """A look-up in the catalogue in force. Our texts may hold markup; what a tenant wrote in their place may not."""

    @pass_eval_context
    def look_up(place: EvalContext, *texts: Any) -> str:
        found: str = getattr(current_translations(), kind)(*texts)
        return str(escape(found)) if place.autoescape and isinstance(found, OwnWords) else found

    return look_up


def _base_environment(undefined: type[Undefined], assets: Assets, icons: Icons) -> Environment:
    environment = Environment(
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=undefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.policies["ext.i18n.trimmed"] = (
        True  # as babel.cfg says; a line break in a template is no part of a text
    )
    # Jinja puts the values in itself, so it gets the bare look-ups, in whatever language applies at that moment.
    installer: Any = environment
    installer.install_gettext_callables(
        _look_up("gettext"),
        _look_up("ngettext"),
        newstyle=True,
        pgettext=_look_up("pgettext"),
        npgettext=_look_up("npgettext"),
    )
    environment.globals.update(
        asset_url=assets.url,
        plugin_asset_url=assets.plugin_url,
        theme_asset_url=assets.theme_url,
        icon=icons,
        spark_path=spark_path,
        initials=initials,
        **{name: getattr(formats, name) for name in formats.TEMPLATE_NAMES},
    )
    environment.filters["card_number"] = card_number
    return environment
