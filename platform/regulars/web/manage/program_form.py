"""The form of a program: what the host asks, what each enabled plugin asks, and the branding; drawn and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel

from regulars.contracts.context import Branding, ProgramInfo
from regulars.domain.programs.service import Program, ProgramDraft, plugins_outside
from regulars.domain.tenants.profile import ICONS
from regulars.kernel.i18n import gettext as _
from regulars.kernel.settings.forms import FormGroup, describe_form
from regulars.kernel.settings.parsing import ParsedForm, parse_form
from regulars.web.work import Work

HOST, BRAND, VERSION, CHANGE = "_program.", "_brand.", "_version.", "_change."
"""Prefixes of the host's fields; a plugin's name never starts with an underscore."""
DAYS_BEFORE = 14
"""How long before a change members are told, unless somebody says otherwise."""
Sent = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PluginPanel:
    """The settings of one plugin.

    Attributes:
        is_security: whether it belongs into the block "Fraud protection".
        groups: its fields.
        version: mark of what is stored, given back when saving.
    """

    plugin: str
    title: str
    text: str
    is_security: bool
    groups: Sequence[FormGroup]
    version: str


@dataclass(frozen=True, slots=True)
class ReadForm:
    """What was sent.

    Attributes:
        draft: of the program.
        is_open: whether the program is to be open.
        name: of the business.
        plugins: plugin → its settings, read.
        errors: full field name → sentence.
    """

    draft: ProgramDraft
    is_open: bool
    name: str
    branding: Branding
    plugins: Mapping[str, ParsedForm[BaseModel]]
    errors: Mapping[str, str]

    @property
    def settings(self) -> Mapping[str, BaseModel]:
        """Plugin → settings of those that can be read."""
        return {plugin: found.settings for plugin, found in self.plugins.items() if found.settings is not None}


def present_values(work: Work, program: Program) -> Sent:
    """The host's fields as they are stored, by the names under which they are sent."""
    branding = work.ctx.tenant.branding
    return {
        f"{HOST}name": program.name,
        f"{HOST}timezone": program.timezone,
        f"{HOST}currency": program.currency,
        f"{HOST}require_pin": "1" if program.require_pin else "",
        f"{HOST}is_open": "1" if program.status in {"active", "paused"} else "",
        f"{BRAND}name": work.ctx.tenant.name,
        f"{BRAND}primary_color": branding.primary_color,
        f"{BRAND}icon": branding.icon,
        f"{BRAND}tagline": branding.tagline,
        f"{BRAND}logo": branding.logo,
        **{f"{CHANGE}{name}": "" for name in ("date", "time", "note", "tells")},
        f"{CHANGE}days": str(DAYS_BEFORE),
    }


async def plugin_settings(work: Work, program: ProgramInfo) -> Mapping[str, BaseModel]:
    """Plugin → stored settings of every enabled plugin that has some for this kind of program."""
    found = await work.services.settings.get_all(work.session, work.ctx.tenant, program.id)
    registry, outside = work.services.plugins, plugins_outside(program.kind)
    return {
        plugin.name: found[plugin.name]
        for plugin in registry.plugins
        if plugin.name in found and plugin.manifest.settings_scope == "program" and plugin.name not in outside
    }


async def make_panels(
    work: Work, program: Program, sent: Sent | None, errors: Mapping[str, str]
) -> Sequence[PluginPanel]:
    """The plugins' parts of the form.

    Args:
        work: of the request.
        program: whose settings.
        sent: what was typed, to be shown again; `None` for what is stored.
        errors: full field name → sentence.
    """
    panels = []
    for name, settings in (await plugin_settings(work, program.info)).items():
        manifest, prefix = work.services.plugins.plugin(name).manifest, f"{name}."
        own = {field: sentence for field, sentence in errors.items() if field.startswith(prefix) or field == name}
        form = describe_form(settings, prefix=prefix, sent=sent, errors=own)
        stored = await work.services.settings.version(work.session, work.ctx.tenant, name, program.id)
        panels.append(
            PluginPanel(
                plugin=name,
                title=_(manifest.title),
                text=_(manifest.description),
                is_security=manifest.category == "security",
                groups=form.groups,
                version=stored if sent is None else sent.get(f"{VERSION}{name}", stored),
            )
        )
    return panels


async def read_program_form(work: Work, program: Program, sent: Sent) -> ReadForm:
    """Read the whole form.

    Args:
        work: of the request.
        program: as stored; a field that was not sent stays as it is.
        sent: name → text.
    """
    draft = ProgramDraft(
        name=sent.get(f"{HOST}name", program.name),
        timezone=sent.get(f"{HOST}timezone", program.timezone),
        currency=sent.get(f"{HOST}currency", program.currency),
        require_pin=bool(sent.get(f"{HOST}require_pin")),
    )
    tenant = work.ctx.tenant
    plugins = {
        name: parse_form(settings, sent, prefix=f"{name}.", currency=draft.currency)
        for name, settings in (await plugin_settings(work, program.info)).items()
    }
    return ReadForm(
        draft=draft,
        is_open=bool(sent.get(f"{HOST}is_open")),
        name=sent.get(f"{BRAND}name", tenant.name),
        branding=_branding(tenant.branding, sent),
        plugins=plugins,
        errors={name: sentence for found in plugins.values() for name, sentence in found.errors.items()},
    )


def summarise(errors: Mapping[str, str], panels: Sequence[PluginPanel]) -> Sequence[tuple[str, str]]:
    """Everything that is wrong, each sentence with the label of its field.

    Args:
        errors: full field name → sentence.
        panels: the plugins' parts, for their labels.
    """
    fields = [one for panel in panels for group in panel.groups for one in group.fields]
    labels = {one.name: one.label for one in fields} | {
        part.name: one.label for one in fields for row in one.rows for part in row
    }
    labels |= {
        f"{HOST}name": _("Program name"),
        f"{HOST}timezone": _("Time zone"),
        f"{HOST}currency": _("Currency"),
        f"{BRAND}name": _("Name of your business"),
        f"{BRAND}tagline": _("Tagline"),
        f"{BRAND}primary_color": _("Colour"),
        f"{BRAND}icon": _("Icon"),
        f"{BRAND}logo": _("Logo"),
        f"{CHANGE}date": _("From this day on"),
        f"{CHANGE}note": _("A note for your customers"),
        f"{CHANGE}days": _("Days before"),
    }
    labels |= {panel.plugin: panel.title for panel in panels}
    return [(name, f"{labels[name]}: {text}" if name in labels else text) for name, text in errors.items()]


def icon_choices() -> Sequence[Mapping[str, str]]:
    """Icons of the branding, as the component `choice_tiles` takes them."""
    titles = {
        "coffee": _("Coffee"),
        "croissant": _("Croissant"),
        "pizza": _("Pizza"),
        "scissors": _("Scissors"),
        "leaf": _("Leaf"),
        "star": _("Star"),
    }
    return [{"value": name, "label": titles.get(name, name), "icon": name} for name in ICONS]


def _branding(present: Branding, sent: Sent) -> Branding:
    return replace(
        present,
        primary_color=sent.get(f"{BRAND}primary_color", present.primary_color).strip().lower(),
        icon=sent.get(f"{BRAND}icon", present.icon),
        tagline=" ".join(sent.get(f"{BRAND}tagline", present.tagline).split()),
        logo="" if sent.get(f"{BRAND}no_logo") else sent.get(f"{BRAND}logo", present.logo),
    )
