"""Extensions of the installation: version, what they need, kill switch for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.tenants import overrides
from regulars.domain.tenants.console import killed_for_everybody
from regulars.domain.tenants.effective import Killed
from regulars.domain.tenants.plugin_faults import faults_today, stopped_for_some
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.source import source_of
from regulars.web.again import TryAgain
from regulars.web.console.blueprint import ReasonForm, ReasonPage, again, blueprint, operator_page, renew
from regulars.web.console.tenant_actions import kill_effects
from regulars.web.console.tenants import LIST as TENANTS
from regulars.web.console.wording import tenant_url
from regulars.web.results import Redirect, Result
from regulars.web.work import ConsoleWork

LIST = "/plugins"


@dataclass(frozen=True, slots=True)
class PluginRow:
    """An extension.

    Attributes:
        needs: titles of the extensions that it requires.
        killed: the switch that holds for everybody, `None` without one.
        fingerprint: first digits of the SHA-256 of its code, empty where that is not known.
        faults: how often it failed in the last 24 hours, over all merchants.
        failed_at: merchants where it did.
        stopped_for: (slug, address) of the merchants that have lost it by a switch of their own; there it is let to
            work again.
    """

    name: str
    title: str
    description: str
    version: str
    distribution: str
    fingerprint: str
    host: str
    needs: str
    permissions: int
    killed: Killed | None
    faults: int
    failed_at: Sequence[str]
    stopped_for: Sequence[tuple[str, str]]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginsPage(PageContext):
    """All extensions.

    Attributes:
        quarantined: (name, sentence) of those that were left out at the start.
        tenants_url: where one merchant's extensions are found.
    """

    template: ClassVar[str] = "console/plugins.html"
    rows: Sequence[PluginRow]
    quarantined: Sequence[tuple[str, str]]
    tenants_url: str


@blueprint.get("/plugins")
@operator_page
async def plugin_list(work: ConsoleWork) -> Result:
    """The list."""
    registry = work.services.plugins
    killed = {one.plugin: one for one in await killed_for_everybody(work.session)}
    failed, stopped = await faults_today(work.session), await stopped_for_some(work.session)
    rows = [
        PluginRow(
            name=plugin.name,
            title=_(plugin.manifest.title),
            description=_(plugin.manifest.description),
            version=plugin.candidate.version,
            distribution=plugin.candidate.distribution,
            fingerprint=source.fingerprint if (source := source_of(plugin.candidate.package)) else "",
            host=plugin.manifest.host,
            needs=", ".join(_(registry.plugin(name).manifest.title) for name in plugin.manifest.requires),
            permissions=len(plugin.manifest.permissions),
            killed=killed.get(plugin.name),
            faults=failed[plugin.name].count if plugin.name in failed else 0,
            failed_at=failed[plugin.name].tenants if plugin.name in failed else (),
            stopped_for=[(slug, tenant_url(one)) for slug, one in stopped.get(plugin.name, {}).items()],
            url=f"{LIST}/{plugin.name}",
        )
        for plugin in registry.plugins
    ]
    faults = [(fault.plugin, fault.message) for fault in registry.quarantined]
    return PluginsPage(rows=rows, quarantined=faults, tenants_url=TENANTS)


@blueprint.get("/plugins/<name>/<any(kill, revive):action>")
@operator_page
async def kill_for_all_form(work: ConsoleWork, name: str, action: str) -> Result:
    """Say what it means, and ask why."""
    return _page(work, name, action)


@blueprint.post("/plugins/<name>/<any(kill, revive):action>")
@operator_page
async def kill_for_all(work: ConsoleWork, name: str, action: str) -> Result:
    """Stop an extension for everybody, or let it work again."""
    page = _page(work, name, action)
    reason = ((await work.form(ReasonForm)).data or ReasonForm()).reason
    try:
        if action == "kill":
            await overrides.kill(work.session, work.services.catalogue, work.actor, name, None, reason=reason)
        else:
            await overrides.revive(work.session, work.actor, name, None, reason=reason)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, again(page, reason, error)) from error
    renew(work)
    work.flash(_("The extension is stopped.") if action == "kill" else _("The extension works again."))
    return Redirect(LIST)


def _page(work: ConsoleWork, name: str, action: str) -> ReasonPage:
    if name not in work.services.catalogue.plugins:
        raise NotFound
    title = _(work.services.plugins.plugin(name).manifest.title)
    crumbs = [(_("Extensions"), LIST), (title, "")]
    if action == "revive":
        return ReasonPage(
            title=_("Let “%(name)s” work again for everybody", name=title),
            crumbs=crumbs,
            effects=[_("It is in force again for everybody whose offering and own switch have it.")],
            action=f"{LIST}/{name}/revive",
            cancel_url=LIST,
            confirm=_("Let it work again"),
            is_danger=False,
        )
    return ReasonPage(
        title=_("Stop “%(name)s” for everybody", name=title),
        crumbs=crumbs,
        effects=[_("Every merchant loses it at once, whatever offerings and exceptions say."), *kill_effects()],
        action=f"{LIST}/{name}/kill",
        cancel_url=LIST,
        confirm=_("Stop it for everybody"),
    )
