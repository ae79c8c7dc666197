"""The look of the customer's pages: theme, settings, colours, logo, with a live preview beside the form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel
from quart import Response

from regulars.contracts.context import Principal, ProgramInfo, TenantSnapshot
from regulars.contracts.errors import InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.programs import service as programs
from regulars.domain.tenants.logos import store_logo, store_photo, tenant_folder
from regulars.domain.tenants.looks import PRIMARY, Look, WantedLook, dressed, look_of, offered_to, reset_look, set_look
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.readability import readings
from regulars.kernel.templating.theme_settings import ImageField, Value
from regulars.web.again import TryAgain, faults_of
from regulars.web.areas import PORTAL
from regulars.web.assets import style_sheet, tenant_asset_url, tenant_file
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.manage.look_form import (
    LOGO,
    NONE,
    PREFIX,
    UPLOAD,
    LookGroup,
    Note,
    Sent,
    groups_of,
    notes,
    read_values,
    typed_values,
)
from regulars.web.portal.navigation import CARD, HOME
from regulars.web.portal.samples import SampleShop
from regulars.web.results import Redirect, Result, Still
from regulars.web.work import Work

PATH = "/manage/look"
PERMISSION = "branding.manage"
_EXAMPLE = Principal("member", UUID(int=4), "Alex Example", "member")


@dataclass(frozen=True, slots=True)
class ThemeTile:
    """A theme to choose.

    Attributes:
        picture_url: empty without one.
        is_own: made for this merchant alone.
        is_worn: what customers see now.
        is_shown: whose settings the form has.
    """

    title: str
    description: str
    url: str
    picture_url: str
    is_own: bool
    is_worn: bool
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPreview(PageContext):
    """What follows the form while it is filled.

    Attributes:
        frame_url: of the picture in the phone.
        notes: how readable the colours are.
    """

    template: ClassVar[str] = "manage/look_preview.html"
    frame_url: str
    notes: Sequence[Note]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPage(PageContext):
    """The form.

    Attributes:
        theme: whose settings are shown.
        presets: (title, address) of the theme's named sets of values.
        images: full name → name of the stored image, to be sent again.
        errors: full field name → sentence.
        page, scheme: what the preview shows.
        is_changed: the form has what is not saved.
        may_reset: anything of the theme's settings has been changed.
    """

    template: ClassVar[str] = "manage/look.html"
    theme: str
    themes: Sequence[ThemeTile]
    presets: Sequence[tuple[str, str]]
    groups: Sequence[LookGroup]
    images: Mapping[str, str]
    logo_url: str
    errors: Mapping[str, str]
    preview: LookPreview
    page: str
    scheme: str
    is_changed: bool
    may_reset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LookResetPage(PageContext):
    """Asks before the settings go back to what the theme brings."""

    template: ClassVar[str] = "manage/look_reset.html"
    theme: str


class LookQuery(BaseModel):
    """What is looked at; empty for what is worn.

    Attributes:
        preset: whose values are put into the form.
    """

    theme: str = ""
    preset: str = ""
    page: Literal["card", "home"] = "card"
    scheme: Literal["", "light", "dark"] = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A look that is being made.

    Attributes:
        tenant: as it would be.
        wanted: as it would be saved.
        look: its theme and values in force.
        typed: setting → text, where that is to be shown again.
        errors: setting → sentence.
    """

    tenant: TenantSnapshot
    wanted: WantedLook
    look: Look
    typed: Sent
    errors: Mapping[str, str]

    @property
    def chosen(self) -> Mapping[str, Value]:
        """Setting → value as it was chosen, before any correction."""
        own = {key: value for key, value in self.wanted.values.items() if key in self.look.values}
        return {**self.look.values, **own}

    def scheme(self, query: LookQuery) -> Literal["light", "dark"]:
        """The colour scheme to show: the one that is asked for, else the one that the theme begins with."""
        return "dark" if (query.scheme or self.look.values.get("scheme")) == "dark" else "light"


@blueprint.get("/look")
@manage_page(PERMISSION)
async def look(work: Work) -> Result:
    """What customers see now; with another theme or a preset, how it would be."""
    query = work.query(LookQuery)
    themes, tenant = work.services.templates.themes, work.ctx.tenant
    theme = _chosen_theme(work, query.theme)
    values: dict[str, Value] = dict(tenant.branding.theme_values.get(theme, {}))
    preset = next((one for one in themes.presets(theme) if one.name == query.preset), None)
    if preset is not None:
        values = {PRIMARY: tenant.branding.primary_color, **preset.values}
    draft = _draft(work, WantedLook(theme, values))
    is_changed = theme != look_of(themes, tenant).theme or preset is not None
    return _page(work, draft, query, is_changed=is_changed)


@blueprint.post("/look")
@manage_page(PERMISSION)
async def save_look(work: Work) -> Result:
    """Save the form, or only show it with its preview."""
    sent = (await work.request.form).to_dict()
    query = (await work.form(LookQuery)).data or LookQuery()
    errors = await _keep_uploads(work, sent)
    draft = _sent_draft(work, sent)
    draft = replace(draft, errors={**draft.errors, **errors})
    if draft.errors:
        raise TryAgain(work, _page(work, draft, query, is_changed=True))
    if sent.get("step") == "preview":
        return _page(work, draft, query, is_changed=True)
    try:
        await set_look(work.session, work.ctx, work.services.templates.themes, draft.wanted)
    except InvalidInput as error:
        raise TryAgain(work, _page(work, replace(draft, errors=faults_of(error)), query, is_changed=True)) from error
    renew(work)
    work.flash(_("Saved. Your customers see it at once."))
    return Redirect(PATH)


@blueprint.post("/look/preview")
@manage_page(PERMISSION)
async def preview_look(work: Work) -> Result:
    """What belongs to a form that is being filled; what cannot be read counts as not set."""
    sent = (await work.request.form).to_dict()
    return _preview(_sent_draft(work, sent), (await work.form(LookQuery)).data or LookQuery())


@blueprint.get("/look/frame")
@manage_page(PERMISSION)
async def look_frame(work: Work) -> Result:
    """A page of the customer's in a look that is being made."""
    sent = work.request.args.to_dict()
    draft, query = _sent_draft(work, sent), work.query(LookQuery)
    found = await programs.list_programs(work.session)
    program = found.default.info if found.items else _no_program(draft.tenant)
    settings = await work.services.settings.get_all(work.session, draft.tenant, program.id)
    shop = SampleShop(draft.tenant, program, work.services.plugins, settings, datetime.now(UTC))
    is_card = query.page == "card"
    return Still(
        page=shop.card() if is_card else shop.home(),
        tenant=draft.tenant,
        area=PORTAL,
        path=CARD if is_card else HOME,
        principal=_EXAMPLE if is_card else Principal(),
        brand_css_url=f"{PATH}/brand.css?{_query_of(draft)}",
        scheme=draft.scheme(query),
    )


@blueprint.get("/look/brand.css")
@manage_page(PERMISSION)
async def look_style(work: Work) -> Response:
    """The style sheet of a look that is being made."""
    return style_sheet(_sent_draft(work, work.request.args.to_dict()).look)


@blueprint.get("/look/reset")
@manage_page(PERMISSION)
async def ask_reset(work: Work) -> Result:
    """Ask first."""
    return LookResetPage(theme=_title(work, look_of(work.services.templates.themes, work.ctx.tenant).theme))


@blueprint.post("/look/reset")
@manage_page(PERMISSION)
async def reset(work: Work) -> Result:
    """Give the theme's own settings back."""
    await reset_look(work.session, work.ctx, work.services.templates.themes)
    renew(work)
    work.flash(_("The settings are those of the theme again."))
    return Redirect(PATH)


def _chosen_theme(work: Work, name: str) -> str:
    """The named theme if the merchant is offered it, else the one that is worn."""
    themes, tenant = work.services.templates.themes, work.ctx.tenant
    offered = {theme.name for theme in offered_to(themes, tenant)}
    return name if name in offered else look_of(themes, tenant).theme


def _draft(work: Work, wanted: WantedLook, typed: Sent | None = None, errors: Mapping[str, str] | None = None) -> Draft:
    tenant = dressed(work.ctx.tenant, wanted)
    return Draft(tenant, wanted, look_of(work.services.templates.themes, tenant), typed or {}, errors or {})


def _sent_draft(work: Work, sent: Sent) -> Draft:
    """A look as a form or an address has it."""
    theme = _chosen_theme(work, sent.get("theme", ""))
    fields = work.services.templates.themes.fields(theme)
    folder = tenant_folder(work.services.config.data_dir, work.ctx.tenant.id)
    values, errors = read_values(fields, sent, folder)
    logo = "" if sent.get(f"{LOGO}{NONE}") else _known(work, sent.get(LOGO))
    return _draft(work, WantedLook(theme, values, logo), typed_values(fields, sent), errors)


def _known(work: Work, name: str | None) -> str:
    """A stored logo; the present one when there is no such file."""
    tenant = work.ctx.tenant
    is_there = bool(name) and tenant_file(work.services.config.data_dir, tenant, name or "") is not None
    return name if is_there and name else tenant.branding.logo


async def _keep_uploads(work: Work, sent: dict[str, str]) -> dict[str, str]:
    """Keep the images that were sent, so that they are there after a preview or a fault; setting → what is wrong."""
    errors: dict[str, str] = {}
    files = await work.request.files
    data_dir, tenant_id = work.services.config.data_dir, work.ctx.tenant.id
    theme = _chosen_theme(work, sent.get("theme", ""))
    images = [field.key for field in work.services.templates.themes.fields(theme) if isinstance(field, ImageField)]
    places: list[tuple[str, str, Callable[[Path, UUID, bytes], str]]] = [(LOGO, LOGO, store_logo)]
    places += [(f"{PREFIX}{key}", key, store_photo) for key in images]
    for name, key, store in places:
        upload = files.get(f"{name}{UPLOAD}")
        if sent.get(f"{name}{NONE}"):
            sent[name] = ""
        if upload is None or not upload.filename:
            continue
        try:
            sent[name] = await asyncio.to_thread(store, data_dir, tenant_id, upload.read())
        except InvalidInput as error:
            errors[key] = error.detail
    return errors


def _page(work: Work, draft: Draft, query: LookQuery, *, is_changed: bool) -> LookPage:
    themes, tenant = work.services.templates.themes, work.ctx.tenant
    worn, shown = look_of(themes, tenant), draft.look
    images = {
        f"{PREFIX}{field.key}": str(shown.values[field.key]) for field in shown.fields if isinstance(field, ImageField)
    }
    addresses = {name.removeprefix(PREFIX): tenant_asset_url(tenant, image) for name, image in images.items() if image}
    logo = draft.tenant.branding.logo
    return LookPage(
        theme=shown.theme,
        themes=[
            ThemeTile(
                title=_(theme.manifest.title),
                description=_(theme.manifest.description) if theme.manifest.description else "",
                url=f"{PATH}?{urlencode({'theme': theme.name})}",
                picture_url=work.services.assets.screenshot_url(theme.name),
                is_own=bool(theme.owner),
                is_worn=theme.name == worn.theme,
                is_shown=theme.name == shown.theme,
            )
            for theme in offered_to(themes, tenant)
        ],
        presets=[
            (_(one.title), f"{PATH}?{urlencode({'theme': shown.theme, 'preset': one.name})}")
            for one in themes.presets(shown.theme)
        ],
        groups=groups_of(shown.fields, draft.chosen, draft.typed, draft.errors, addresses),
        images=images | {LOGO: logo},
        logo_url=tenant_asset_url(tenant, logo) if logo else "",
        errors=draft.errors,
        preview=_preview(draft, query),
        page=query.page,
        scheme=draft.scheme(query),
        is_changed=is_changed,
        may_reset=not is_changed and bool(tenant.branding.theme_values.get(worn.theme)),
    )


def _preview(draft: Draft, query: LookQuery) -> LookPreview:
    found = list(readings(draft.look.fields, draft.chosen))
    more = {"page": query.page, "scheme": draft.scheme(query)}
    return LookPreview(
        frame_url=f"{PATH}/frame?{_query_of(draft)}&{urlencode(more)}",
        notes=list(notes(draft.look.fields, found)),
    )


def _query_of(draft: Draft) -> str:
    """The look as a query, which gives the same draft again."""
    values = {f"{PREFIX}{key}": str(value) for key, value in draft.wanted.values.items()}
    return urlencode({"theme": draft.look.theme, LOGO: draft.tenant.branding.logo, **values})


def _no_program(tenant: TenantSnapshot) -> ProgramInfo:
    """An example for a merchant that has none yet."""
    return ProgramInfo(UUID(int=1), _("Loyalty card"), "stamps", "active", tenant.timezone, tenant.currency)


def _title(work: Work, theme: str) -> str:
    return _(work.services.templates.themes[theme].manifest.title)
