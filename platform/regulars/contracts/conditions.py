"""Conditions that rules share: on amount, goods, channel, place, time, person. Pure data and a pure test.

A rule's model inherits from `Conditions`, so that its form has the same fields in the same words everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
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
        default=(), max_length=MAX_WORDS, title=N_("Shops"), description=N_("Their ids, with commas; empty for all.")
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
    for misses, message in _checks(rule, ctx, purchase, is_first=is_first):
        if misses:
            return Step("missed", message, {"rule": name})
    return None


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


def _checks(rule: Conditions, ctx: LedgerContext, purchase: Purchase, *, is_first: bool) -> Iterable[tuple[bool, str]]:
    at, amount = ctx.at, purchase.amount_minor or 0
    today = at.date()
    shop = f"shop_{ctx.shop_id.hex}" if ctx.shop_id is not None else ""
    yield rule.starts_on is not None and today < rule.starts_on, N_("“{rule}” has not begun yet.")
    yield rule.ends_on is not None and today > rule.ends_on, N_("“{rule}” is over.")
    yield not _on_day(rule.days, at.weekday()), N_("“{rule}” does not hold on this day.")
    yield not _in_hours(rule, at.time()), N_("“{rule}” does not hold at this hour.")
    yield rule.channel not in {"any", purchase.channel}, N_("“{rule}” does not hold here.")
    yield bool(rule.shops) and shop not in rule.shops, N_("“{rule}” does not hold in this shop.")
    yield rule.min_amount_minor is not None and amount < rule.min_amount_minor, N_("“{rule}” asks for a larger amount.")
    yield (
        rule.max_amount_minor is not None and amount > rule.max_amount_minor,
        N_("“{rule}” asks for a smaller amount."),
    )
    wanted = bool(rule.categories or rule.products)
    yield wanted and not matching_items(rule, purchase), N_("Nothing of “{rule}” was bought.")
    yield bool(rule.segments) and not ctx.segments & set(rule.segments), N_("“{rule}” is for other customers.")
    yield rule.first_purchase and not is_first, N_("“{rule}” is for the first purchase.")


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
