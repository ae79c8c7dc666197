"""Extensions: what the merchant has switched on, what could be, and what each change means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.ledger.history import words_of
from regulars.domain.tenants.effective import EffectiveFeature
from regulars.domain.tenants.limits import offering_with
from regulars.domain.tenants.own_plugins import own_plugins
from regulars.domain.tenants.plugin_faults import own_faults_today
from regulars.domain.tenants.self_service import switch_plugin
from regulars.kernel.i18n import gettext as _
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.results import Redirect, Result
from regulars.web.work import Work

LIST = "/manage/plugins"
State = Literal["on", "off", "not_included", "stopped", "waiting"]


@dataclass(frozen=True, slots=True)
class PluginRow:
    """An extension.

    Attributes:
        state: in force, switched off by the merchant, not in the offering, stopped by the platform, or waiting for
            another extension.
        note: why it is not in force, empty when it is or when the merchant has switched it off.
        faults: how often it failed in the last 24 hours.
        url: of what can be done with it.
        settings_url: where it is set up, empty when there is nothing to set.
    """

    name: str
    title: str
    description: str
    category: str
    version: str
    state: State
    note: str
    faults: int
    url: str
    settings_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginsPage(PageContext):
    """All extensions."""

    template: ClassVar[str] = "manage/plugins.html"
    rows: Sequence[PluginRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginOffPage(PageContext):
    """Asks before an extension is switched off.

    Attributes:
        effects: what will happen, one sentence each.
    """

    template: ClassVar[str] = "manage/plugin_off.html"
    row: PluginRow
    effects: Sequence[str]


@blueprint.get("/plugins")
@manage_page("plugins.manage")
async def plugin_list(work: Work) -> Result:
    """The list."""
    return PluginsPage(rows=await _rows(work))


@blueprint.get("/plugins/<name>/off")
@manage_page("plugins.manage")
async def plugin_off_form(work: Work, name: str) -> Result:
    """Say what it means, and ask."""
    return PluginOffPage(row=await _row(work, name), effects=_effects(work, name))


@blueprint.post("/plugins/<name>/off")
@manage_page("plugins.manage")
async def plugin_off(work: Work, name: str) -> Result:
    """Switch an extension off."""
    row = await _row(work, name)
    renew(work)
    await switch_plugin(work.session, work.ctx, work.services.catalogue, name, on=False)
    work.flash(_("%(name)s is switched off.", name=row.title), action_label=_("Undo"), action_url=f"{row.url}/on")
    return Redirect(LIST)


@blueprint.post("/plugins/<name>/on")
@manage_page("plugins.manage")
async def plugin_on(work: Work, name: str) -> Result:
    """Switch an extension on; what it had stored is there again."""
    row = await _row(work, name)
    renew(work)
    await switch_plugin(work.session, work.ctx, work.services.catalogue, name, on=True)
    work.flash(_("%(name)s is switched on.", name=row.title))
    return Redirect(LIST)


async def _row(work: Work, name: str) -> PluginRow:
    found = next((row for row in await _rows(work) if row.name == name), None)
    if found is None:
        raise NotFound
    return found


async def _rows(work: Work) -> Sequence[PluginRow]:
    found = await own_plugins(work.session, work.ctx, work.services.catalogue)
    failed = await own_faults_today(work.session)
    return [await _plugin_row(work, one, failed.get(one.feature.name, 0)) for one in found]


async def _plugin_row(work: Work, effective: EffectiveFeature, faults: int) -> PluginRow:
    name = effective.feature.name
    plugin = work.services.plugins.plugin(name)
    manifest = plugin.manifest
    has_page = plugin.settings_model is not None and manifest.settings_scope == "program"
    state, note = await _state(work, effective)
    return PluginRow(
        name=name,
        title=_(manifest.title),
        description=_(manifest.description),
        category=manifest.category,
        version=plugin.candidate.version,
        state=state,
        note=note,
        faults=faults,
        url=f"{LIST}/{name}",
        settings_url="/manage/program" if state == "on" and has_page else "",
    )


async def _state(work: Work, effective: EffectiveFeature) -> tuple[State, str]:
    if effective.on:
        return "on", ""
    if effective.origin == "switched_off":
        return "off", ""
    if effective.origin == "kill_switch":
        return "stopped", _("We have stopped this extension for the moment. Your data is safe.")
    if effective.origin == "requirement_missing":
        needed = work.services.catalogue.requires[effective.feature.name]
        titles = [_(work.services.plugins.plugin(name).manifest.title) for name in needed]
        return "waiting", _("Needs: %(names)s.", names=", ".join(titles))
    found = await offering_with(work.session, effective.feature.name)
    if found is None or found.code == work.ctx.tenant.offering:
        return "not_included", _("Not switched on for you. Write to us if you want it.")
    return "not_included", _("Part of %(offering)s.", offering=_(found.title))


def _effects(work: Work, name: str) -> Sequence[str]:
    """What switching off means, in the order of weight."""
    registry = work.services.plugins
    effects = []
    for provider in registry.plugin(name).units:
        words = words_of(registry, provider.unit)
        title = words.title() if words else provider.unit
        effects.append(_("Nobody can collect or redeem at the terminal: %(unit)s.", unit=title))
    needing = [other for other, needed in work.services.catalogue.requires.items() if name in needed]
    titles = [_(registry.plugin(other).manifest.title) for other in needing if other in work.ctx.tenant.enabled]
    if titles:
        effects.append(_("These stop with it: %(names)s.", names=", ".join(titles)))
    effects.append(_("Its pages, menu entries and rules are gone at once, for you, your team and your customers."))
    effects.append(_("What it has stored stays. Switch it on again and everything is as it was."))
    return effects
