"""Many rules asked at once say what each says alone, and amounts are the same whether or not anybody asks why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.contracts.conditions import Conditions, first_miss
from regulars.contracts.context import AccountState, Context
from regulars.contracts.ledger import Item, Purchase
from regulars.contracts.matching import Matcher, by_identity
from regulars.domain.ledger.evaluation import result_of
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.ledger.rules import Rules
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.contexts import NOON, card_info, ledger_context, program_info, tenant_snapshot

SHOPS = (UUID(int=7), UUID(int=8))
WORDS = ("Bakery", "dairy", "b1", "M1")
PLUGINS = frozenset({"stamps", "points", "tiers", "promotions"})
AMOUNTS = st.integers(1, 12)
DAYS = [date(2026, 3, day) for day in (9, 10, 11)]
HOURS = [time(0), time(11, 30), time(12), time(23)]
BREAD, MILK = Item("b1", category="bakery"), Item("m1", category="Dairy")
words = st.lists(st.sampled_from(WORDS), max_size=2, unique=True)


def sparse(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


WHEN = sparse(
    categories=words,
    products=words,
    channel=st.sampled_from(["store", "online"]),
    shops=st.just([f"shop_{SHOPS[0].hex}"]),
    days=st.sampled_from(["tue", "mon_fri", "sat_sun"]),
    from_time=st.sampled_from(HOURS),
    to_time=st.sampled_from(HOURS),
    segments=st.just(["tier:gold"]),
    first_purchase=st.booleans(),
)
BOUNDS = st.sampled_from(
    [{}, {"min_amount_minor": 5}, {"max_amount_minor": 8}, {"min_amount_minor": 5, "max_amount_minor": 5}]
)
DATES = st.sampled_from([{}, {"starts_on": date(2026, 3, 10)}, {"ends_on": date(2026, 3, 10)}])
conditions = st.builds(
    lambda *parts: {key: value for part in parts for key, value in part.items()}, WHEN, BOUNDS, DATES
)
items = st.builds(Item, st.sampled_from(["b1", "m1", ""]), st.just(""), st.sampled_from(["bakery", "Dairy", ""]))
purchases = st.builds(
    Purchase,
    st.just(1),
    AMOUNTS,
    st.just("EUR"),
    st.lists(items, max_size=2).map(tuple),
    st.sampled_from(["store", "online"]),
)
ZONE = ZoneInfo("Europe/Luxembourg")
CHOICES: dict[str, Sequence[Any]] = {
    "amount": (4, 5, 6, 8, 9),
    "channel": ("store", "online"),
    "items": ((), (BREAD,), (MILK,), (BREAD, MILK)),
    "day": DAYS,
    "hour": HOURS,
    "late": (-1, 0, 1),
    "shop": (None, *SHOPS),
    "segments": (frozenset(), frozenset({"tier:gold", "x"})),
    "is_first": (False, True),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_together_as_alone(rules: list[dict[str, Any]], random: Random) -> None:
    """From one sale to the next a single thing changes, so that whatever rules look at must be looked at."""
    models, names = [Conditions(**rule) for rule in rules], [str(number) for number in range(len(rules))]
    matcher = Matcher(models, names)
    sale = {name: random.choice(choices) for name, choices in CHOICES.items()}
    for _ in range(100):
        changed = random.choice(tuple(CHOICES))
        sale[changed] = random.choice(CHOICES[changed])
        now = datetime.combine(sale["day"], sale["hour"], ZONE) + timedelta(microseconds=sale["late"])
        ctx = replace(ledger_context(Conditions(), now=now), shop_id=sale["shop"], segments=sale["segments"])
        purchase = Purchase(1, sale["amount"], "EUR", sale["items"], sale["channel"])
        is_first = sale["is_first"]
        alone = [
            first_miss(rule, name, ctx, purchase, is_first=is_first) for rule, name in zip(models, names, strict=True)
        ]
        found = matcher.matches(ctx, purchase, is_first=is_first)
        assert list(found.misses) == alone
        assert list(found.hits) == [place for place, step in enumerate(alone) if step is None]


def test_kept_for_the_very_same_value_only() -> None:
    calls: list[object] = []

    @by_identity
    def counted(value: list[int]) -> int:
        calls.append(value)
        return len(calls)

    one, same = [1], [1]
    assert [counted(one), counted(one), counted(same), counted(one)] == [1, 1, 2, 1]


point_rules = st.builds(
    lambda when, what: {"title": "Rule", **when, **what},
    conditions,
    st.sampled_from(
        [
            {"type": "fixed", "value": 3},
            {"type": "percentage", "value": 50},
            {"type": "multiplier", "value": 150},
            {"type": "dynamic", "formula": "cents * 2 + balance"},
        ]
    ),
)
promotions = st.builds(
    lambda when, what: {"title": "Promotion", **when, **what},
    conditions,
    st.sampled_from(
        [
            {"kind": "bonus_points", "units": 5, "unit": "points", "budget_units": 3},
            {"kind": "multiplier", "percent": 250},
            {"kind": "discount_percent", "percent": 10},
        ]
    ),
)


FACTS = {
    "stamps_milestones": [],
    "stamps_carry": 0,
    "points_carry": 7,
    "points_today": 2,
    "points_waiting": 0,
    "points_is_first": False,
    "promotions_usage": [["", "promotion", "units", 1]],
    "promotions_bought_before": True,
    "tiers_count": {"value": 0, "previous": 0},
}
STANDING = {"since": None, "keep_until": None, "told_at": None, "granted": ""}
Open = Callable[[dict[str, Any], str, bool], OpenCard]


@pytest.fixture(scope="module")
def open_card(registry: PluginRegistry) -> Open:
    """A card that nobody has: settings, its tier, and whether somebody asks why."""
    tenant = tenant_snapshot(enabled=PLUGINS, features=PLUGINS | {"promotions.advanced"})

    def opened(chosen: dict[str, Any], tier: str, explains: bool) -> OpenCard:
        models = {
            plugin.name: plugin.settings_model.model_validate(chosen.get(plugin.name, {}))
            for plugin in registry.plugins
            if plugin.settings_model is not None
        }
        return OpenCard(
            session=None,  # type: ignore[arg-type] # nothing is read or written
            ctx=Context(tenant=tenant),
            registry=registry,
            attempt=None,
            card=card_info(),
            rules=Rules(program_info(kind="hybrid"), True, models),
            staff=None,
            now=NOON,
            day_start=NOON,
            accounts={"points": AccountState("points", 4, 4, 1, NOON)},
            facts={**FACTS, "tiers_standing": {**STANDING, "tier": tier}},
            explains=explains,
        )

    return opened


@settings(max_examples=40, deadline=None)
@given(
    st.lists(point_rules, max_size=3),
    st.lists(promotions, max_size=3),
    st.sampled_from(["all", "best"]),
    st.sampled_from(["", "gold"]),
    st.lists(purchases, min_size=1, max_size=5),
)
def test_amounts_do_not_depend_on_who_asks_why(
    open_card: Open,
    rules: list[dict[str, Any]],
    offers: list[dict[str, Any]],
    stacking: str,
    tier: str,
    sales: Sequence[Purchase],
) -> None:
    chosen = {
        "points": {"rules": rules, "max_per_day": 60},
        "promotions": {"promotions": offers, "stacking": stacking},
        "tiers": {"ladder": [{"key": "gold", "title": "Gold", "threshold": 1, "multiplier": 150}]},
    }
    quick, full = (open_card(chosen, tier, explains) for explains in (False, True))
    for purchase in sales:
        assert result_of(quick.evaluate(purchase)) == result_of(full.evaluate(purchase))
