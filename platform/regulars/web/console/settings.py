"""The effective configuration: every variable with its value and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.pages import PageContext
from regulars.kernel.config import Described, describe
from regulars.kernel.i18n import gettext as _
from regulars.kernel.settings.kinds import SettingDefault
from regulars.web.console.blueprint import blueprint, operator_page
from regulars.web.console.wording import Badge
from regulars.web.results import Result
from regulars.web.work import ConsoleWork


@dataclass(frozen=True, slots=True)
class VariableRow:
    """A variable of the installation; `description` says what it is for."""

    described: Described
    description: str
    source: Badge


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """A default that merchants may replace in their own settings."""

    default: SettingDefault
    plugin: str
    source: Badge


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage(PageContext):
    """The configuration.

    Attributes:
        variables: of the host; secrets are masked.
        defaults: of plugins' settings.
    """

    template: ClassVar[str] = "console/settings.html"
    variables: Sequence[VariableRow]
    defaults: Sequence[DefaultRow]


@blueprint.get("/settings")
@operator_page
async def settings(work: ConsoleWork) -> Result:
    """Show it."""
    registry = work.services.plugins
    return SettingsPage(
        variables=[VariableRow(one, _(one.description), _source(one.source)) for one in describe(work.services.config)],
        defaults=[
            DefaultRow(one, _(registry.plugin(one.plugin).manifest.title), _source(one.source))
            for one in work.services.settings.variables()
        ],
    )


def _source(source: str) -> Badge:
    badges: dict[str, Badge] = {
        "default": (_("Default"), "", "minus"),
        "environment": (_("Environment"), "info", "terminal"),
        "data folder": (_("Data folder"), "primary", "folder"),
    }
    return badges[source]
