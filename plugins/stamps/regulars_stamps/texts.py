"""Sentences about stamp cards, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.sdk.i18n import _, format_money, ngettext
from regulars_stamps.settings import Card


def missing_stamps(card: Card, count: int) -> int:
    """Stamps until the card is full, 0 when it is."""
    return max(0, card.target - count)


def label(card: Card, count: int) -> str:
    """`8 / 10 stamps`."""
    return _("%(count)s / %(target)s stamps", count=count, target=card.target)


def progress_sentence(card: Card, count: int) -> str:
    """`2 more stamps until your free coffee!`."""
    missing = missing_stamps(card, count)
    if missing == 0:
        return _("Your %(reward)s is ready!", reward=card.reward_text)
    return ngettext(
        "%(num)s more stamp until your %(reward)s!",
        "%(num)s more stamps until your %(reward)s!",
        missing,
        reward=card.reward_text,
    )


def short_progress(card: Card, count: int) -> str:
    """`2 more until FREE COFFEE`, for the till and the small card."""
    missing = missing_stamps(card, count)
    reward = card.reward_text.upper()
    if missing == 0:
        return _("%(reward)s ready", reward=reward)
    return ngettext("%(num)s more until %(reward)s", "%(num)s more until %(reward)s", missing, reward=reward)


def amount(number: int) -> str:
    """`3 stamps`."""
    return ngettext("%(num)s stamp", "%(num)s stamps", number)


def reached(number: int, balance: int) -> str:
    """`stamp #8`; `stamps #7 to #8` for several at once."""
    if number == 1:
        return _("stamp #%(last)s", last=balance)
    return _("stamps #%(first)s to #%(last)s", first=balance - number + 1, last=balance)


def earned(number: int) -> str:
    """`Stamp added!`, for the till."""
    return _("Stamp added!") if number == 1 else ngettext("%(num)s stamp added!", "%(num)s stamps added!", number)


def named(name: str, amount: str) -> str:
    """`3 stamps (Lunch)`, where a program has several cards."""
    return _("%(amount)s (%(card)s)", amount=amount, card=name) if name else amount


def explanation(rule: str, details: Mapping[str, Any]) -> str:
    """Why a rule gave stamps, empty for a rule that is not of this plugin."""
    said = _explanation(rule, details)
    return _("%(card)s: %(why)s", card=details["card"], why=said) if said and details.get("card") else said


def _explanation(rule: str, details: Mapping[str, Any]) -> str:
    if rule == "visit":
        quantity = int(details.get("quantity", 1))
        return ngettext("One stamp for your visit.", "One stamp for each of %(num)s items or visits.", quantity)
    if rule == "item":
        return ngettext("One stamp for what you bought.", "One stamp for each of %(num)s pieces.", details["quantity"])
    if rule == "amount" and details.get("currency"):
        return _("For your purchase of %(amount)s.", amount=format_money(details["amount_minor"], details["currency"]))
    if rule.startswith("milestone_") and "milestone" in details:
        return _("A bonus for %(count)s stamps collected in all.", count=details["milestone"])
    presents = {"welcome": _("A present for getting the card."), "birthday": _("A present for your birthday.")}
    return presents.get(rule, "")
