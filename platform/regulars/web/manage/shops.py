"""Shops: the places where the merchant sells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput, LimitReached
from regulars.contracts.pages import PageContext
from regulars.domain.shops import service
from regulars.domain.shops.service import Shop
from regulars.domain.tenants.limits import offering_with_more
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.results import Redirect, Result
from regulars.web.work import Work, read_id

LIST = "/manage/shops"
LIMIT = "shops"


@dataclass(frozen=True, slots=True)
class ShopRow:
    """A shop in the list; `url` is its page."""

    shop: Shop
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopsPage(PageContext):
    """All shops.

    Attributes:
        rows: open ones first.
        used: how many are open.
        allowed: how many the offering allows, `None` for any number.
        more_in: title of an offering that allows more, empty when there is room or none does.
    """

    template: ClassVar[str] = "manage/shops.html"
    rows: Sequence[ShopRow]
    used: int
    allowed: int | None
    more_in: str

    @property
    def has_room(self) -> bool:
        """Whether one more can be opened."""
        return self.allowed is None or self.used < self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFormPage(PageContext):
    """Add or rename a shop.

    Attributes:
        shop: which is changed, `None` when one is added.
        values: field → what is shown.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/shop_form.html"
    shop: ShopRow | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopClosePage(PageContext):
    """Asks before a shop is closed."""

    template: ClassVar[str] = "manage/shop_close.html"
    shop: ShopRow


class ShopForm(BaseModel):
    """What is typed of a shop."""

    name: str = Field(default="", max_length=500)
    address: str = Field(default="", max_length=1000)


@blueprint.get("/shops")
@manage_page("shops.manage")
async def shop_list(work: Work) -> Result:
    """The list, with what the offering allows."""
    shops = await service.list_shops(work.session)
    used = sum(shop.status == "active" for shop in shops)
    allowed = work.ctx.tenant.limit(LIMIT)
    more = await offering_with_more(work.session, LIMIT, used) if allowed is not None and used >= allowed else None
    return ShopsPage(
        rows=[_row(shop) for shop in shops], used=used, allowed=allowed, more_in=_(more.title) if more else ""
    )


@blueprint.get("/shops/new")
@manage_page("shops.manage")
async def new_shop_form(_work: Work) -> Result:
    """An empty form."""
    return ShopFormPage()


@blueprint.post("/shops/new")
@manage_page("shops.manage")
async def add_shop(work: Work) -> Result:
    """Open a shop."""
    form = await work.form(ShopForm)
    try:
        wanted = form.require()
        shop = await service.add(work.session, work.ctx, wanted.name, wanted.address)
    except (InvalidInput, LimitReached) as error:
        raise TryAgain(work, ShopFormPage(values=form.values, errors=faults_of(error))) from error
    work.flash(_("%(name)s was added.", name=shop.name))
    return Redirect(LIST)


@blueprint.get("/shops/<shop>")
@manage_page("shops.manage")
async def shop_form(work: Work, shop: str) -> Result:
    """The form with what is known."""
    row = await _shop(work, shop)
    return ShopFormPage(shop=row, values={"name": row.shop.name, "address": row.shop.address})


@blueprint.post("/shops/<shop>")
@manage_page("shops.manage")
async def change_shop(work: Work, shop: str) -> Result:
    """Give it another name and address."""
    row = await _shop(work, shop)
    form = await work.form(ShopForm)
    try:
        wanted = form.require()
        await service.change(work.session, work.ctx, row.shop.id, wanted.name, wanted.address)
    except InvalidInput as error:
        raise TryAgain(work, ShopFormPage(shop=row, values=form.values, errors=faults_of(error))) from error
    work.flash(_("Saved."))
    return Redirect(LIST)


@blueprint.get("/shops/<shop>/close")
@manage_page("shops.manage")
async def close_shop_form(work: Work, shop: str) -> Result:
    """Say what it means, and ask."""
    return ShopClosePage(shop=await _shop(work, shop))


@blueprint.post("/shops/<shop>/close")
@manage_page("shops.manage")
async def close_shop(work: Work, shop: str) -> Result:
    """Close it; it can be opened again."""
    row = await _shop(work, shop)
    await service.set_status(work.session, work.ctx, row.shop.id, "inactive")
    work.flash(_("%(name)s is closed.", name=row.shop.name), action_label=_("Undo"), action_url=f"{row.url}/open")
    return Redirect(LIST)


@blueprint.post("/shops/<shop>/open")
@manage_page("shops.manage")
async def open_shop(work: Work, shop: str) -> Result:
    """Open it again, when the offering has room."""
    row = await _shop(work, shop)
    try:
        await service.set_status(work.session, work.ctx, row.shop.id, "active")
    except LimitReached as error:
        work.flash(error.detail, "error")
    else:
        work.flash(_("%(name)s is open again.", name=row.shop.name))
    return Redirect(LIST)


async def _shop(work: Work, text: str) -> ShopRow:
    return _row(await service.get(work.session, read_id(ids.SHOP, text)))


def _row(shop: Shop) -> ShopRow:
    return ShopRow(shop, f"{LIST}/{ids.show(ids.SHOP, shop.id)}")
