"""Rendering a plugin's slots in tests, with the real templates, icons and components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from pydantic import BaseModel

from regulars.contracts.context import Context, TenantSnapshot
from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.templating.engine import TemplateEngine
from regulars.web.rendering import make_assets, make_templates, make_themes


def make_engine(config: Config, registry: PluginRegistry) -> TemplateEngine:
    """The engine as a process has it."""
    themes = make_themes(config)
    return make_templates(config, registry, themes, make_assets(registry, themes))


class SlotStage:
    """A `SlotContext` outside of a page.

    Args:
        engine: renders templates.
        tenant: whose page it is.
        settings: of the plugin.
        rows: what the renderer's reads give.
    """

    def __init__(
        self, engine: TemplateEngine, tenant: TenantSnapshot, settings: BaseModel, rows: Sequence[Any] = ()
    ) -> None:
        self._engine = engine
        self._rows = rows
        self.context = Context(tenant)
        self.settings = settings

    async def rows(self, statement: Any, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """The rows that the test has given, whatever is asked."""
        return self._rows

    def render(self, template: str, /, **values: Any) -> Markup:
        """Render a template of the plugin."""
        return self._engine.fragment(self.context.tenant.theme, template, **values)
