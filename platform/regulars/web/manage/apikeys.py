"""API keys: made, listed, revoked; or where they are to be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.apikeys import service
from regulars.domain.apikeys.service import FEATURE, NEVER, KeyInfo, NewKey
from regulars.domain.shops import service as shops
from regulars.domain.staff.permissions import PERMISSIONS
from regulars.domain.tenants.limits import offering_with
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words
from regulars.web.work import Work, read_id

LIST = "/manage/api-keys"
TILL = frozenset({"sales.record", "sales.redeem", "sales.undo", "members.enrol", "members.view", "programs.view"})
"""What a new key is proposed to hold: that of a till."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key in the list.

    Attributes:
        url: of what can be done with it.
        shop: the one it is bound to, empty for all.
        scopes: titles of its permissions.
        made, revoked: moments in words, empty for not revoked.
    """

    key: KeyInfo
    url: str
    shop: str
    scopes: Sequence[str]
    made: str
    revoked: str


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission that a key can hold."""

    name: str
    title: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPage(PageContext):
    """All keys.

    Attributes:
        included: whether the offering has API access.
        included_in: title of the offering that has it, empty when none does.
        base_url: where the API is.
    """

    template: ClassVar[str] = "manage/api_keys.html"
    rows: Sequence[KeyRow]
    included: bool
    included_in: str
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFormPage(PageContext):
    """Make a key.

    Attributes:
        scopes: what it may hold.
        shops: (id, name), the first one for all.
        values: field → what is shown.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/api_key_form.html"
    scopes: Sequence[Scope]
    shops: Sequence[tuple[str, str]]
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShownPage(PageContext):
    """A new key, for the only time."""

    template: ClassVar[str] = "manage/api_key_shown.html"
    name: str
    key: str
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevokePage(PageContext):
    """Asks before a key is revoked."""

    template: ClassVar[str] = "manage/api_key_revoke.html"
    row: KeyRow


class KeyForm(BaseModel):
    """What is chosen for a key."""

    name: str = Field(default="", max_length=500)
    permissions: list[str] = Field(default_factory=list, max_length=200)
    shop: str = ""


@blueprint.get("/api-keys")
@manage_page("apikeys.manage")
async def key_list(work: Work) -> Result:
    """The keys; without API access, where it is to be had."""
    included = work.ctx.tenant.has(FEATURE)
    found = None if included else await offering_with(work.session, FEATURE)
    return KeysPage(
        rows=await _rows(work),
        included=included,
        included_in=_(found.title) if found is not None and found.code != work.ctx.tenant.offering else "",
        base_url=_base_url(work),
    )


@blueprint.get("/api-keys/new")
@manage_page("apikeys.manage", feature=FEATURE)
async def new_key_form(work: Work) -> Result:
    """A form that proposes what a till needs."""
    return await _form_page(work, TILL, {}, {})


@blueprint.post("/api-keys/new")
@manage_page("apikeys.manage")
async def create_key(work: Work) -> Result:
    """Make a key and show it once."""
    form = await work.form(KeyForm)
    chosen = frozenset(form.data.permissions) if form.data else frozenset()
    try:
        wanted = form.require()
        shop_id = read_id(ids.SHOP, wanted.shop) if wanted.shop else None
        created = await service.create(work.session, work.ctx, NewKey(wanted.name, chosen, shop_id))
    except InvalidInput as error:
        raise TryAgain(work, await _form_page(work, chosen, form.values, faults_of(error))) from error
    return KeyShownPage(name=wanted.name, key=created.key, base_url=_base_url(work))


@blueprint.get("/api-keys/<key>/revoke")
@manage_page("apikeys.manage")
async def revoke_key_form(work: Work, key: str) -> Result:
    """Say what it means, and ask."""
    return KeyRevokePage(row=await _row(work, key))


@blueprint.post("/api-keys/<key>/revoke")
@manage_page("apikeys.manage")
async def revoke_key(work: Work, key: str) -> Result:
    """End a key."""
    row = await _row(work, key)
    await service.revoke(work.session, work.ctx, row.key.id)
    work.flash(_("%(name)s does not work any more.", name=row.key.name))
    return Redirect(LIST)


async def _rows(work: Work) -> Sequence[KeyRow]:
    names = {shop.id: shop.name for shop in await shops.list_shops(work.session)}
    return [
        KeyRow(
            key=key,
            url=f"{LIST}/{ids.show(ids.API_KEY, key.id)}",
            shop=names.get(key.shop_id, "") if key.shop_id else "",
            scopes=[_scope_title(work, name) for name in key.permissions],
            made=moment_words(key.created_at),
            revoked=moment_words(key.revoked_at) if key.revoked_at else "",
        )
        for key in await service.list_keys(work.session, work.ctx)
    ]


async def _row(work: Work, text: str) -> KeyRow:
    key_id = read_id(ids.API_KEY, text)
    found = next((row for row in await _rows(work) if row.key.id == key_id and not row.revoked), None)
    if found is None:
        raise NotFound(_("There is no such key."))
    return found


async def _form_page(
    work: Work, chosen: frozenset[str], values: Mapping[str, str], errors: Mapping[str, str]
) -> KeyFormPage:
    known = [*PERMISSIONS, *work.services.plugins.permissions]
    open_shops = [shop for shop in await shops.list_shops(work.session) if shop.status == "active"]
    return KeyFormPage(
        scopes=[
            Scope(name, _scope_title(work, name), name in chosen)
            for name in known
            if work.ctx.principal.may(name) and name not in NEVER and _is_in_force(work, name)
        ],
        shops=[("", _("All shops")), *((ids.show(ids.SHOP, shop.id), shop.name) for shop in open_shops)],
        values=values,
        errors=errors,
    )


def _is_in_force(work: Work, permission: str) -> bool:
    """Permissions of plugins that the tenant does not have say nothing to its people."""
    plugin = permission.partition(".")[0]
    return permission not in work.services.plugins.permissions or plugin in work.ctx.tenant.enabled


def _scope_title(work: Work, name: str) -> str:
    known = PERMISSIONS.get(name) or work.services.plugins.permissions.get(name)
    return _(known.title) if known else name


def _base_url(work: Work) -> str:
    return work.services.config.url(work.ctx.tenant.host, "/api/v1/store/loyalty")
