"""Conditions that rules share: on amount, goods, channel, place, time, person. Pure data and a pure test.

A rule's model inherits from `Conditions`, so that its form has the same fields in the same words everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from regulars.contracts.i18n import N_
from regulars.contracts.ledger import Item, LedgerContext, Purchase, Step

Days = Literal["any", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "mon_fri", "sat_sun"]
_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_MONEY = 10**11
MAX_WORDS = 50
DAYS: dict[str, str] = {
    "any": N_("Every day"),
    "mon": N_("Mondays"),
    "tue": N_("Tuesdays"),
    "wed": N_("Wednesdays"),
    "thu": N_("Thursdays"),
    "fri": N_("Fridays"),
    "sat": N_("Saturdays"),
    "sun": N_("Sundays"),
    "mon_fri": N_("Mondays to Fridays"),
    "sat_sun": N_("Saturdays and Sundays"),
}


class Conditions(BaseModel):
    """When a rule applies; every condition that is set must hold, what is empty does not matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_amount_minor: int | None = Field(
        default=None, ge=1, le=MAX_MONEY, title=N_("From an amount of"), json_schema_extra={"widget": "money"}
    )
    max_amount_minor: int | None = Field(
        default=None, ge=1, le=MAX_MONEY, title=N_("Up to an amount of"), json_schema_extra={"widget": "money"}
    )
    categories: tuple[str, ...] = Field(
        default=(), max_length=MAX_WORDS, title=N_("Categories"), description=N_("Your own words, with commas.")
    )
    products: tuple[str, ...] = Field(
        default=(), max_length=MAX_WORDS, title=N_("Products"), description=N_("Article numbers, with commas.")
    )
    channel: Literal["any", "store", "online"] = Field(
        default="any",
        title=N_("Where"),
        json_schema_extra={
            "choices": {"any": N_("Everywhere"), "store": N_("In the shop"), "online": N_("Online")},
        },
    )
    shops: tuple[str, ...] = Field(
        default=(),
        max_length=MAX_WORDS,
        title=N_("Shops"),
        description=N_("Their ids, with commas; empty for all. Each stands on the page of its shop."),
    )
    days: Days = Field(default="any", title=N_("Days"), json_schema_extra={"choices": {**DAYS}})
    from_time: time | None = Field(default=None, title=N_("From"))
    to_time: time | None = Field(default=None, title=N_("To"), description=N_("Until just before this time."))
    starts_on: date | None = Field(default=None, title=N_("First day"))
    ends_on: date | None = Field(default=None, title=N_("Last day"))
    segments: tuple[str, ...] = Field(
        default=(), max_length=MAX_WORDS, title=N_("Customers"), description=N_("Segments, with commas; empty for all.")
    )
    first_purchase: bool = Field(default=False, title=N_("First purchase only"))

    @field_validator("categories", "products", "segments")
    @classmethod
    def _short(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if any(not 0 < len(word.strip()) <= 80 for word in words):
            raise ValueError(N_("Each needs 1 to 80 characters."))
        return tuple(word.strip() for word in words)

    @model_validator(mode="after")
    def _in_order(self) -> Conditions:
        if (self.min_amount_minor or 0) > (self.max_amount_minor or MAX_MONEY):
            raise ValueError(N_("The smallest amount is above the largest."))
        if self.starts_on is not None and self.ends_on is not None and self.starts_on > self.ends_on:
            raise ValueError(N_("The last day is before the first."))
        return self


def first_miss(
    rule: Conditions, name: str, ctx: LedgerContext, purchase: Purchase, *, is_first: bool = False
) -> Step | None:
    """Which condition does not hold?

    Args:
        rule: with its conditions.
        name: of the rule, as the step says it.
        ctx: when, where and who.
        purchase: what was bought.
        is_first: whether the card has no standing purchase yet.

    Returns:
        The step that says so, `None` when all hold.
    """
    message = _not_now(rule, ctx.at) or _not_this(rule, ctx, purchase) or _not_them(rule, ctx, is_first=is_first)
    return None if message is None else Step("missed", message, {"rule": name})


def matching_items(rule: Conditions, purchase: Purchase) -> Sequence[Item]:
    """The lines that a rule is about: all, or those of its categories and products."""
    if not rule.categories and not rule.products:
        return purchase.items
    categories = {word.casefold() for word in rule.categories}
    products = {word.casefold() for word in rule.products}
    return [
        item
        for item in purchase.items
        if item.category.casefold() in categories or (item.sku and item.sku.casefold() in products)
    ]


def matching_amount(rule: Conditions, purchase: Purchase) -> int:
    """Money of what a rule is about, in minor units: the whole sale, or the lines of its categories and products."""
    whole = purchase.amount_minor or 0
    if not rule.categories and not rule.products:
        return whole
    return min(whole, sum(item.amount_minor for item in matching_items(rule, purchase)))


# Every rule of every sale is asked, so these are plain sequences that look at nothing that is not set.


def _not_now(rule: Conditions, at: datetime) -> str | None:
    if rule.starts_on is not None and at.date() < rule.starts_on:
        return N_("“{rule}” has not begun yet.")
    if rule.ends_on is not None and at.date() > rule.ends_on:
        return N_("“{rule}” is over.")
    if rule.days != "any" and not _on_day(rule.days, at.weekday()):
        return N_("“{rule}” does not hold on this day.")
    if (rule.from_time is not None or rule.to_time is not None) and not _in_hours(rule, at.time()):
        return N_("“{rule}” does not hold at this hour.")
    return None


def _not_this(rule: Conditions, ctx: LedgerContext, purchase: Purchase) -> str | None:
    if rule.channel not in ("any", purchase.channel):
        return N_("“{rule}” does not hold here.")
    if rule.shops and (ctx.shop_id is None or f"shop_{ctx.shop_id.hex}" not in rule.shops):
        return N_("“{rule}” does not hold in this shop.")
    if rule.min_amount_minor is not None and (purchase.amount_minor or 0) < rule.min_amount_minor:
        return N_("“{rule}” asks for a larger amount.")
    if rule.max_amount_minor is not None and (purchase.amount_minor or 0) > rule.max_amount_minor:
        return N_("“{rule}” asks for a smaller amount.")
    if (rule.categories or rule.products) and not matching_items(rule, purchase):
        return N_("Nothing of “{rule}” was bought.")
    return None


def _not_them(rule: Conditions, ctx: LedgerContext, *, is_first: bool) -> str | None:
    if rule.segments and ctx.segments.isdisjoint(rule.segments):
        return N_("“{rule}” is for other customers.")
    if rule.first_purchase and not is_first:
        return N_("“{rule}” is for the first purchase.")
    return None


def _on_day(days: Days, weekday: int) -> bool:
    if days == "any":
        return True
    if days == "mon_fri":
        return weekday < 5
    return weekday >= 5 if days == "sat_sun" else _NAMES[weekday] == days


def _in_hours(rule: Conditions, now: time) -> bool:
    """Hours may cross midnight; where both ends are equal, they are all day."""
    begin, end = rule.from_time or time.min, rule.to_time
    if end is None or begin == end:
        return begin <= now or end is not None
    return begin <= now < end if begin < end else now >= begin or now < end
