"""What a sale earns, in exact whole-number arithmetic: rates, rules, parts of points, rounding.

Everything is counted in parts of a point (`POINT` of them are one), fine enough that a rate with two decimals, a
percentage and any currency's smallest unit come out without a remainder. Points are made from parts once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from regulars.sdk import N_, Item, LedgerContext, Purchase, Step
from regulars.sdk.i18n import minor_digits
from regulars.sdk.rules import Matcher, by_identity, matching_amount, matching_items
from regulars_points import formula
from regulars_points.settings import UNIT, PointSettings, Rule, settings_of

POINT = 10**8
"""Parts of a point: 100 (rates have two decimals) times 10 000 (currencies have up to four) times 100 (per cent)."""
MOST_POINTS = 10**11
"""No sale gives more, whatever the rules say."""


@dataclass(frozen=True, slots=True)
class Earning:
    """What a sale earns before multipliers and limits of others.

    Attributes:
        points: whole points.
        carry: parts that the card carries over more than before (or fewer).
        steps: how it came about.
        used: short names of the rules that gave something and now wait before they give again.
    """

    points: int
    carry: int
    steps: tuple[Step, ...]
    used: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """Money with its rate; `item` is `None` for what no line of the sale says."""

    minor: int
    rate: Decimal
    item: Item | None


def earning_of(
    ctx: LedgerContext, purchase: Purchase, carried: int, *, is_first: bool, used: Mapping[str, str] | None = None
) -> Earning | None:
    """Compute what a sale earns.

    Args:
        ctx: with the plugin's settings.
        purchase: what was bought, for how much.
        carried: parts that the card has carried over.
        is_first: whether the card has no standing purchase yet.
        used: short name of a rule that waits → when it gave last, ISO 8601.

    Returns:
        The earning; `None` for a sale without an amount, which is none of ours.
    """
    settings, amount = settings_of(ctx.settings), purchase.amount_minor
    if amount is None:
        return None
    if amount < (settings.min_amount_minor or 0):
        return Earning(0, 0, (Step("missed", N_("The sale is too small to earn points."), {}),))
    return _Counter(ctx, settings, purchase, amount, carried, is_first=is_first, last_uses=used or {}).earning()


class _Counter:
    """One computation: parts so far, and the steps that say so."""

    def __init__(
        self,
        ctx: LedgerContext,
        settings: PointSettings,
        purchase: Purchase,
        amount: int,
        carried: int,
        *,
        is_first: bool,
        last_uses: Mapping[str, str],
    ) -> None:
        self._ctx, self._settings, self._purchase, self._amount = ctx, settings, purchase, amount
        self._carried = carried if settings.carry_over else 0
        self._is_first, self._last_uses = is_first, last_uses
        self._used: list[str] = []
        self._scale: int = 10 ** minor_digits(ctx.program.currency)
        self._parts = 0
        self._steps: list[Step] = []

    def earning(self) -> Earning:
        """Rates, then rules in their order, then whole points."""
        lines = self._lines()
        for rate in dict.fromkeys(line.rate for line in lines):
            minor = sum(line.minor for line in lines if line.rate == rate)
            parts = self._rated(minor, rate)
            if not self._ctx.explains:
                self._parts += parts
                continue
            code = self._ctx.program.currency
            money = {"amount": {"minor": minor, "currency": code}, "currency": {"currency": code}}
            message = N_("{rate} points for each {currency} of {amount}.")
            if rate == 1:
                message = N_("1 point for each {currency} of {amount}.")
            self._add(parts, Step("given", message, {"rate": f"{rate.normalize():f}", **money}))
        self._apply_rules(lines)
        return self._whole()

    def _lines(self) -> list[_Line]:
        """The sale's money by rate; lines never count for more than what was paid."""
        found, left = [], self._amount
        for item in self._purchase.items:
            minor = min(item.amount_minor, left)
            left -= minor
            found.append(_Line(minor, self._settings.rate_of(item.category), item))
        return [line for line in (*found, _Line(left, self._settings.rate, None)) if line.minor]

    def _apply_rules(self, lines: list[_Line]) -> None:
        rules = self._settings.rules
        found = _matcher(rules).matches(self._ctx, self._purchase, is_first=self._is_first)
        for place in range(len(rules)) if self._ctx.explains else found.hits:
            missed = found.misses[place] or self._rests(rules[place])
            if missed is None:
                self._apply(rules[place], lines)
            else:
                self._steps.append(missed)

    def _apply(self, rule: Rule, lines: list[_Line]) -> None:
        before = self._parts
        self._give(rule, lines)
        if rule.cooldown_hours is not None and self._parts > before:
            self._used.append(rule.key)

    def _rests(self, rule: Rule) -> Step | None:
        """A rule that gave to this customer a short while ago gives nothing now."""
        last = self._last_uses.get(rule.key)
        if rule.cooldown_hours is None or last is None:
            return None
        if abs(self._ctx.at - datetime.fromisoformat(last)) >= timedelta(hours=rule.cooldown_hours):
            return None
        params = {"rule": rule.title, "hours": rule.cooldown_hours}
        return Step("missed", N_("“{rule}” gives only once in {hours} h."), params)

    def _give(self, rule: Rule, lines: list[_Line]) -> None:
        params = {"rule": rule.title, "value": rule.value}
        if rule.type == "fixed":
            self._add(rule.value * POINT, Step("added", N_("“{rule}” adds {value} points."), params))
        elif rule.type == "percentage":
            parts = matching_amount(rule, self._purchase) * rule.value * POINT // (100 * self._scale)
            self._add(parts, Step("added", N_("“{rule}” adds {value} percent of the amount."), params))
        elif rule.type == "multiplier":
            usual = sum(self._rated(line.minor, line.rate) for line in self._concerned(rule, lines))
            parts = usual * (rule.value - 100) // 100
            self._add(parts, Step("multiplied", N_("“{rule}” makes it {value} percent."), params))
        else:
            self._compute(rule)

    def _concerned(self, rule: Rule, lines: list[_Line]) -> list[_Line]:
        """The money that a rule is about."""
        if not rule.categories and not rule.products:
            return lines
        wanted = [id(item) for item in matching_items(rule, self._purchase)]
        return [line for line in lines if line.item is not None and id(line.item) in wanted]

    def _compute(self, rule: Rule) -> None:
        result = formula.evaluate(formula.parse(rule.formula), self._variables())
        points = max(0, min(MOST_POINTS, result.value))
        self._add(
            points * POINT, Step("added", N_("“{rule}” adds {value} points."), {"rule": rule.title, "value": points})
        )
        if result.divided_by_zero:
            self._steps.append(Step("missed", N_("“{rule}” divides by nothing, which gives 0."), {"rule": rule.title}))

    def _variables(self) -> dict[str, int]:
        """What formulas may use: `amount` in whole units of money, `cents` in the smallest ones, Monday is 1."""
        at, account, items = self._ctx.at, self._ctx.account(UNIT), self._purchase.items
        return {
            "amount": self._amount // self._scale,
            "cents": self._amount,
            "items": sum(item.quantity for item in items),
            "lines": len(items),
            "quantity": self._purchase.quantity,
            "hour": at.hour,
            "weekday": at.isoweekday(),
            "day": at.day,
            "month": at.month,
            "balance": account.balance,
            "lifetime": account.lifetime,
        }

    def _whole(self) -> Earning:
        """Points from parts; what is left over is carried on, or rounded away."""
        total = self._carried + self._parts
        rounded = {
            "down": total // POINT,
            "nearest": (2 * total + POINT) // (2 * POINT),
            "up": -(-total // POINT),
        }
        points = min(MOST_POINTS, max(0, rounded[self._settings.rounding]))
        change = points - self._parts // POINT
        if change:
            carried = N_("Parts of points from sales before.")
            message = carried if self._settings.carry_over else N_("Rounded to whole points.")
            self._steps.append(Step("carried" if self._settings.carry_over else "rounded", message, {}, change))
        carry = total - points * POINT - self._carried if self._settings.carry_over else 0
        return Earning(points, carry, tuple(self._steps), tuple(self._used))

    def _rated(self, minor: int, rate: Decimal) -> int:
        return minor * int(rate * 100) * POINT // (100 * self._scale)

    def _add(self, parts: int, step: Step) -> None:
        before = self._parts // POINT
        self._parts += parts
        change = self._parts // POINT - before
        self._steps.append(Step(step.kind, step.message, step.params, change))


@by_identity
def _matcher(rules: tuple[Rule, ...]) -> Matcher:
    return Matcher(rules, [rule.title for rule in rules])
