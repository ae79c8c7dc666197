"""The form of a sale that is typed in to try rules on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from regulars.contracts.conditions import MAX_MONEY
from regulars.contracts.context import CardInfo
from regulars.contracts.errors import NotFound
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import Channel, Item, Purchase
from regulars.domain.cards import service as cards
from regulars.domain.programs.service import Program
from regulars.domain.shops import service as shops
from regulars.domain.trials.dry_run import TrialSale
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.settings import Choice, FormField, describe_form, parse_form
from regulars.web.work import Work

PREFIX = "_trial."
MAX_LINES = 50
MAX_QUANTITY = 1000


class TrialLine(BaseModel):
    """One line of the receipt."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(default="", max_length=120, title=N_("Article"))
    category: str = Field(default="", max_length=80, title=N_("Category"))
    sku: str = Field(default="", max_length=80, title=N_("Article number"))
    quantity: int = Field(default=1, ge=1, le=MAX_QUANTITY, title=N_("Pieces"))
    amount_minor: int = Field(default=0, ge=0, le=MAX_MONEY, title=N_("Amount"), json_schema_extra={"widget": "money"})


class TrialForm(BaseModel):
    """A sale."""

    model_config = ConfigDict(extra="forbid")

    amount_minor: int | None = Field(
        default=None, ge=0, le=MAX_MONEY, title=N_("Amount of the sale"), json_schema_extra={"widget": "money"}
    )
    quantity: int = Field(default=1, ge=1, le=MAX_QUANTITY, title=N_("Visits or pieces that count"))
    channel: Channel = Field(
        default="store",
        title=N_("Where"),
        json_schema_extra={"choices": {"store": N_("In the shop"), "online": N_("Online")}},
    )
    shop: str = Field(default="", max_length=80, title=N_("Shop"))
    day: date | None = Field(default=None, title=N_("Day"), description=N_("Empty for today."))
    hour: time | None = Field(default=None, title=N_("Time"), description=N_("Empty for this moment."))
    card: str = Field(
        default="",
        max_length=200,
        title=N_("Card number"),
        description=N_("Empty for somebody who has just joined."),
    )
    lines: tuple[TrialLine, ...] = Field(
        default=(),
        max_length=MAX_LINES,
        title=N_("On the receipt"),
        description=N_("Only for rules about articles and categories."),
    )


def trial_names(sent: Mapping[str, str]) -> Mapping[str, str]:
    """The part of what was sent that belongs to this form."""
    return {name: text for name, text in sent.items() if name.startswith(PREFIX)}


async def trial_fields(
    work: Work, sent: Mapping[str, str] | None, errors: Mapping[str, str]
) -> Mapping[str, FormField]:
    """The form's fields by name without prefix.

    Args:
        work: of the request.
        sent: what was typed, `None` for an empty form.
        errors: full field name → sentence.
    """
    typed = trial_names(sent) if sent is not None else {}
    form = describe_form(TrialForm(), prefix=PREFIX, sent=typed or None, errors=errors)
    fields = {field.name.removeprefix(PREFIX): field for group in form.groups for field in group.fields}
    places = [Choice(ids.show(ids.SHOP, shop.id), shop.name) for shop in await shops.list_shops(work.session)]
    choices = (Choice("", _("None in particular")), *places)
    return {**fields, "shop": replace(fields["shop"], kind="select", choices=choices)}


async def read_trial(
    work: Work, program: Program, sent: Mapping[str, str]
) -> tuple[TrialSale | None, Mapping[str, str]]:
    """Read the form.

    Args:
        work: of the request.
        program: whose currency and time zone are meant.
        sent: everything that was sent.

    Returns:
        The sale or `None`, and what is wrong: full field name → sentence.
    """
    parsed = parse_form(TrialForm(), trial_names(sent), prefix=PREFIX, currency=program.currency)
    if parsed.settings is None:
        return None, parsed.errors
    form, errors = parsed.settings, dict[str, str]()
    try:
        card = await _card(work, program, form.card) if form.card.strip() else None
    except NotFound as error:
        card, errors[f"{PREFIX}card"] = None, error.detail or _("We could not find this card.")
    shop_id = ids.read(ids.SHOP, form.shop) if form.shop else None
    if form.shop and shop_id not in {shop.id for shop in await shops.list_shops(work.session)}:
        errors[f"{PREFIX}shop"] = _("There is no such shop here.")
    if errors:
        return None, errors
    return TrialSale(_purchase(form, program.currency), form.day, form.hour, shop_id, card), {}


async def _card(work: Work, program: Program, text: str) -> CardInfo:
    found = (await cards.by_code(work.session, work.ctx, text)).info
    if found.program_id != program.id:
        raise NotFound(_("This card belongs to another program."))
    return found


def _purchase(form: TrialForm, currency: str) -> Purchase:
    return Purchase(
        quantity=form.quantity,
        amount_minor=form.amount_minor,
        currency=currency if form.amount_minor is not None else None,
        items=tuple(Item(**dict[str, Any](line)) for line in form.lines),
        channel=form.channel,
    )


def summary(fields: Mapping[str, FormField], errors: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """What is wrong with the sale, each sentence with its field's label.

    Args:
        fields: as `trial_fields` gave them.
        errors: full field name → sentence.
    """
    parts = [part for field in fields.values() for row in field.rows for part in row]
    labels = {field.name: field.label for field in (*fields.values(), *parts)}
    return [(name, f"{labels[name]}: {text}" if name in labels else text) for name, text in errors.items()]
