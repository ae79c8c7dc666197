"""Program settings: one page for the program, its plugins and the branding, with a live preview of the card."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import BaseModel

from regulars.contracts.context import ProgramInfo
from regulars.contracts.errors import InvalidInput
from regulars.contracts.pages import PageContext
from regulars.contracts.providers import UnitWords
from regulars.contracts.slots import ProgramSlot
from regulars.domain.cards.qr import qr_svg
from regulars.domain.programs import service
from regulars.domain.programs.service import Program
from regulars.domain.stats import service as stats
from regulars.domain.tenants.logos import store_logo
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import ngettext
from regulars.kernel.templating.chrome import Link
from regulars.web.again import TryAgain
from regulars.web.assets import tenant_asset_url, tenant_file
from regulars.web.lists import url_of
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.manage.choices import currency_options, kind_choices, timezone_options
from regulars.web.manage.program_form import (
    BRAND,
    CHANGE,
    HOST,
    PluginPanel,
    ReadForm,
    Sent,
    icon_choices,
    make_panels,
    plugin_settings,
    present_values,
    read_program_form,
    summarise,
)
from regulars.web.manage.program_saving import renamed, save_all
from regulars.web.results import Redirect, Result
from regulars.web.work import Work, read_id

PATH = "/manage/program"
EXAMPLE_NUMBER = "482174932848"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPart(PageContext):
    """The card as the form would make it; a part of the page that follows the form.

    Attributes:
        name: of the program, on the card.
        brand: name of the business.
        qr: SVG of a code, as on a card.
        slot: for the plugins' parts.
    """

    template: ClassVar[str] = "manage/program_preview.html"
    name: str
    brand: str
    tagline: str
    logo_url: str
    qr: str
    slot: ProgramSlot


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPage(PageContext):
    """The form.

    Attributes:
        url: of this program's page.
        programs: links to the tenant's programs, when there are several.
        figures: how this one goes, when there are several: the dashboard adds all of them up.
        values: the host's fields by their names.
        errors: full field name → sentence.
        summary: (full field name, the field's label and what is wrong with it), for the top of the page.
        panels: the plugins' fields.
        kinds: what it could give instead, as long as it was never open.
        timezones, currencies, icons: to choose from.
        logo_url: of the present logo, empty without one.
        changes_url: of what was changed and what is planned.
        is_dirty: the form holds what is not saved.
        may_brand: whether the reader may change the branding.
        may_add: whether one more program can be made.
    """

    template: ClassVar[str] = "manage/program.html"
    url: str
    program: Program
    programs: Sequence[Link]
    figures: stats.ProgramStats | None
    values: Sent
    errors: Mapping[str, str]
    summary: Sequence[tuple[str, str]]
    panels: Sequence[PluginPanel]
    kinds: Sequence[Mapping[str, object]]
    timezones: Sequence[tuple[str, str]]
    currencies: Sequence[tuple[str, str]]
    icons: Sequence[Mapping[str, str]]
    logo_url: str
    preview: PreviewPart
    changes_url: str
    is_dirty: bool
    may_brand: bool
    may_add: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramConfirmPage(PageContext):
    """Says what a change does to cards in use, and asks.

    Attributes:
        effects: one sentence each.
        sent: everything that was typed, to be sent again.
    """

    template: ClassVar[str] = "manage/program_confirm.html"
    url: str
    effects: Sequence[str]
    sent: Sent


class ProgramQuery(BaseModel):
    """Which program is meant; empty for the usual one."""

    program: str = ""


@blueprint.get("/program")
@manage_page("programs.manage")
async def program_form(work: Work) -> Result:
    """The form with what is stored; without a program, the beginning of one."""
    programs = await service.list_programs(work.session)
    if not programs.items:
        return Redirect(f"{PATH}/new")
    program = _chosen(programs, work.query(ProgramQuery).program)
    return await program_page(work, program, None, {})


@blueprint.post("/program")
@manage_page("programs.manage")
async def save_program(work: Work) -> Result:
    """Save the form; what changes cards in use is said first."""
    program = await chosen_program(work)
    sent = await _sent(work, program)
    if sent.get("step") == "edit":
        return await program_page(work, program, sent, {})
    read = await read_program_form(work, program, sent)
    if read.errors:
        raise TryAgain(work, await program_page(work, program, sent, read.errors))
    effects = [effect async for effect in _effects(work, program, read)]
    if effects and sent.get("step") != "confirmed":
        return ProgramConfirmPage(url=program_url(program), effects=effects, sent=sent)
    errors = await save_all(work, program, read, sent)
    if errors:
        raise TryAgain(work, await program_page(work, program, sent, errors))
    renew(work)
    later = sent.get(f"{CHANGE}date", "").strip()
    work.flash(
        _("Saved. The rules change when their day has come.") if later else _("Saved. Your customers see it at once.")
    )
    return Redirect(program_url(program))


@blueprint.post("/program/preview")
@manage_page("programs.manage")
async def preview_program(work: Work) -> Result:
    """The preview of a form that is being filled; what cannot be read is shown as it is stored."""
    program = await chosen_program(work)
    read = await read_program_form(work, program, (await work.request.form).to_dict())
    return await _preview(work, program.info, read)


async def chosen_program(work: Work) -> Program:
    """The program that the address names, the usual one when it names none.

    Raises:
        NotFound: there is none.
    """
    return _chosen(await service.list_programs(work.session), work.query(ProgramQuery).program)


def _chosen(programs: service.Programs, text: str) -> Program:
    return programs.get(read_id(ids.PROGRAM, text)) if text else programs.default


def program_url(program: Program) -> str:
    """Address of a program's settings."""
    return url_of(PATH, {"program": ids.show(ids.PROGRAM, program.id)})


async def _sent(work: Work, program: Program) -> dict[str, str]:
    """What was typed; an uploaded logo is kept at once, so that it is there after a question or a fault."""
    sent = (await work.request.form).to_dict()
    sent[f"{BRAND}logo"] = _known_logo(work, sent.get(f"{BRAND}logo", ""))
    upload = (await work.request.files).get(f"{BRAND}upload")
    if upload is None or not upload.filename or not work.ctx.principal.may("branding.manage"):
        return sent
    try:
        tenant, content = work.ctx.tenant, upload.read()
        sent[f"{BRAND}logo"] = await asyncio.to_thread(store_logo, work.services.config.data_dir, tenant.id, content)
    except InvalidInput as error:
        raise TryAgain(work, await program_page(work, program, sent, renamed(error, BRAND))) from error
    return sent


def _known_logo(work: Work, name: str) -> str:
    """The logo that the form names, when there is such a file; else the present one."""
    tenant = work.ctx.tenant
    known = name and tenant_file(work.services.config.data_dir, tenant, name) is not None
    return name if known else tenant.branding.logo


async def _effects(work: Work, program: Program, read: ReadForm) -> AsyncIterator[str]:
    """What the change does to cards in use."""
    if program.status == "active" and not read.is_open:
        yield _("Nobody can collect or redeem until you open the program again. Cards and what is on them stay.")
    before, units = await plugin_settings(work, program.info), work.services.plugins.unit_providers
    targets = {one.unit: one.provider.ready_at(one.settings) for one in units.of_program(before, read.settings.keys())}
    for one in units.of_program(read.settings, before.keys()):
        old, new = targets.get(one.unit), one.provider.ready_at(one.settings)
        if old is None or new is None or old == new:
            continue
        cards = await service.ready_cards(work.session, work.ctx, program.id, one.unit, old, new)
        if not cards.in_use:
            continue
        words = one.provider if isinstance(one.provider, UnitWords) else None
        amounts = (words.amount(old), words.amount(new)) if words else (str(old), str(new))
        yield _("A reward needs %(new)s instead of %(old)s.", old=amounts[0], new=amounts[1])
        yield _cards_in_use(cards)
        yield _("Nobody loses anything: what is on a card stays on it.")


def _cards_in_use(cards: service.ReadyCards) -> str:
    in_use = ngettext("%(num)s card is in use.", "%(num)s cards are in use.", cards.in_use)
    if cards.become_ready > 0:
        more = ngettext(
            "%(num)s more has the reward ready at once (%(all)s in all).",
            "%(num)s more have the reward ready at once (%(all)s in all).",
            cards.become_ready,
            all=cards.after,
        )
    elif cards.become_ready < 0:
        more = ngettext(
            "%(num)s that has the reward ready now must collect more first (%(all)s stay ready).",
            "%(num)s that have the reward ready now must collect more first (%(all)s stay ready).",
            -cards.become_ready,
            all=cards.after,
        )
    else:
        more = _("For none of them does it make a difference today.")
    return f"{in_use} {more}"


async def program_page(work: Work, program: Program, sent: Sent | None, errors: Mapping[str, str]) -> ProgramPage:
    """The form.

    Args:
        work: of the request.
        program: whose.
        sent: what was typed, `None` for what is stored.
        errors: full field name → sentence.
    """
    programs = await service.list_programs(work.session)
    values = {**present_values(work, program), **(_without_checks(sent) if sent is not None else {})}
    limit, tenant = work.ctx.tenant.limit("programs"), work.ctx.tenant
    used = sum(one.status != "inactive" for one in programs.items)
    logo = values[f"{BRAND}logo"]
    read = await read_program_form(work, program, sent) if sent is not None else None
    panels = await make_panels(work, program, sent, errors)
    several = len(programs.items) > 1
    compares = several and work.ctx.principal.may("dashboard.view")
    return ProgramPage(
        url=program_url(program),
        program=program,
        programs=[
            Link(label=one.name, url=program_url(one), active=one.id == program.id) for one in programs.items if several
        ],
        figures=await stats.program_stats(work.session, work.ctx, program.info) if compares else None,
        values=values,
        errors=errors,
        summary=summarise(errors, panels),
        panels=panels,
        kinds=kind_choices(work) if program.status == "setup" else [],
        timezones=timezone_options(program.timezone),
        currencies=currency_options(program.currency),
        icons=icon_choices(),
        logo_url=tenant_asset_url(tenant, logo) if logo else "",
        preview=await _preview(work, program.info, read),
        changes_url=url_of(f"{PATH}/changes", {"program": ids.show(ids.PROGRAM, program.id)}),
        is_dirty=sent is not None,
        may_brand=work.ctx.principal.may("branding.manage"),
        may_add=limit is None or used < limit,
    )


def _without_checks(sent: Sent) -> dict[str, str]:
    """What was typed, with the boxes that were not ticked."""
    boxes = {f"{HOST}require_pin": "", f"{HOST}is_open": ""}
    return {**boxes, **{name: text for name, text in sent.items() if name.startswith("_")}}


async def _preview(work: Work, program: ProgramInfo, read: ReadForm | None) -> PreviewPart:
    """The card as it is stored or, with what was typed, as it would be."""
    if read is not None:
        program = replace(program, name=read.draft.name)
        work.slot_settings = {**await plugin_settings(work, program), **read.settings}
        work.ctx = replace(work.ctx, tenant=replace(work.ctx.tenant, name=read.name, branding=read.branding))
    tenant = work.ctx.tenant
    return PreviewPart(
        name=program.name,
        brand=tenant.name,
        tagline=tenant.branding.tagline,
        logo_url=tenant_asset_url(tenant, tenant.branding.logo) if tenant.branding.logo else "",
        qr=qr_svg(EXAMPLE_NUMBER),
        slot=ProgramSlot(program),
    )
