"""Sentences about points, in the reader's language; all of them speak of points through `amount`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from regulars.sdk.i18n import _, currency_symbol, format_date, format_money, format_number, ngettext
from regulars.sdk.rules import DAYS
from regulars_points.settings import PointSettings, Rule


def amount(number: int) -> str:
    """`250 points`."""
    return ngettext("%(points)s point", "%(points)s points", number, points=format_number(number))


def missing(settings: PointSettings, balance: int) -> int:
    """Points until the reward, 0 when it is ready."""
    return max(0, settings.reward_cost - balance)


def progress(settings: PointSettings, balance: int) -> str:
    """`250 points until your free drink!`."""
    left = missing(settings, balance)
    if left == 0:
        return _("Your %(reward)s is ready!", reward=settings.reward_text)
    return _("%(points)s until your %(reward)s!", points=amount(left), reward=settings.reward_text)


def earned(number: int) -> str:
    """`+250 points!`, for till and receipt; pending points and small sales give none at once."""
    return _("+%(points)s!", points=amount(number)) if number else _("Sale recorded")


def explanation(rule: str, details: Mapping[str, Any]) -> str:
    """Why a rule gave points, empty for a rule that is not of this plugin."""
    if rule == "purchase" and details.get("currency"):
        return _("For your purchase of %(amount)s.", amount=format_money(details["amount_minor"], details["currency"]))
    if rule == "event":
        return _("For “%(event)s”.", event=details["title"])
    if rule == "welcome":
        return _("A present for getting the card.")
    return _("A present for your birthday.") if rule == "birthday" else ""


def rules(settings: PointSettings, currency: str, shops: Mapping[str, str]) -> Iterator[str]:
    """The settings in plain sentences: rates, rules, limits, and how long points last.

    Args:
        settings: of a program.
        currency: of the program, ISO 4217.
        shops: public id → name.
    """
    yield _("%(points)s for each %(currency)s.", points=_number(settings.rate), currency=currency_symbol(currency))
    for one in settings.category_rates:
        yield _(
            "%(points)s for each %(currency)s on %(goods)s.",
            points=_number(one.rate),
            currency=currency_symbol(currency),
            goods=one.category,
        )
    for rule in settings.rules:
        yield " · ".join((f"{rule.title}: {_gives(rule)}", *_conditions(rule, currency, shops)))
    for event in settings.events:
        yield f"{event.title}: {amount(event.points)}{_how_often(event.most)}"
    if settings.min_amount_minor:
        yield _("Sales from %(amount)s on earn.", amount=format_money(settings.min_amount_minor, currency))
    if settings.max_per_sale:
        yield _("At most %(points)s in one sale.", points=amount(settings.max_per_sale))
    if settings.max_per_day:
        yield _("At most %(points)s in one day.", points=amount(settings.max_per_day))
    if settings.max_per_member:
        yield _("At most %(points)s on one card, ever.", points=amount(settings.max_per_member))
    yield from _life(settings)


def _life(settings: PointSettings) -> Iterator[str]:
    if settings.pending_days:
        yield ngettext(
            "They can be spent after %(num)s day.", "They can be spent after %(num)s days.", settings.pending_days
        )
    if settings.expiry == "age":
        yield ngettext(
            "They expire %(num)s day after they were earned.",
            "They expire %(num)s days after they were earned.",
            settings.expiry_days,
        )
    if settings.expiry == "inactivity":
        yield ngettext(
            "They expire when a card was not used for %(num)s day.",
            "They expire when a card was not used for %(num)s days.",
            settings.expiry_days,
        )


def _how_often(most: int | None) -> str:
    if most is None:
        return ""
    return " · " + (_("once") if most == 1 else ngettext("at most %(num)s time", "at most %(num)s times", most))


def _number(rate: Any) -> str:
    return ngettext("%(points)s point", "%(points)s points", 1 if rate == 1 else 2, points=format_number(rate))


def _gives(rule: Rule) -> str:
    if rule.type == "fixed":
        return f"+{amount(rule.value)}"
    if rule.type == "percentage":
        return _("+%(percent)s%% of the amount", percent=format_number(rule.value))
    if rule.type == "multiplier":
        return _("double points") if rule.value == 200 else _("%(percent)s%% of the points", percent=rule.value)
    return rule.formula


def _conditions(rule: Rule, currency: str, shops: Mapping[str, str]) -> Iterator[str]:
    yield from _when(rule)
    yield from _where(rule, shops)
    yield from (", ".join(words) for words in (rule.categories, rule.products, rule.segments) if words)
    if rule.min_amount_minor:
        yield _("from %(amount)s on", amount=format_money(rule.min_amount_minor, currency))
    if rule.max_amount_minor:
        yield _("up to %(amount)s", amount=format_money(rule.max_amount_minor, currency))
    if rule.first_purchase:
        yield _("first purchase only")
    if rule.cooldown_hours:
        yield ngettext("once in %(num)s hour", "once in %(num)s hours", rule.cooldown_hours)


def _when(rule: Rule) -> Iterator[str]:
    if rule.starts_on:
        yield _("from %(date)s", date=format_date(rule.starts_on))
    if rule.ends_on:
        yield _("until %(date)s", date=format_date(rule.ends_on))
    if rule.days != "any":
        yield _(DAYS[rule.days])
    if rule.from_time:
        yield _("from %(time)s", time=rule.from_time.isoformat("minutes"))
    if rule.to_time:
        yield _("until %(time)s", time=rule.to_time.isoformat("minutes"))


def _where(rule: Rule, shops: Mapping[str, str]) -> Iterator[str]:
    if rule.channel != "any":
        yield _("in the shop") if rule.channel == "store" else _("online")
    if rule.shops:
        yield ", ".join(shops.get(shop, shop) for shop in rule.shops)
