"""What merchants read about their rules."""

from regulars_points import texts
from regulars_points.settings import PointSettings


def test_the_rules_in_plain_sentences():
    settings = PointSettings(
        category_rates=[{"category": "bakery", "rate": 20}],
        rules=[
            {"title": "Saturdays", "type": "multiplier", "value": 200, "days": "sat"},
            {
                "title": "N",
                "value": 50,
                "channel": "store",
                "shops": ["shop_1"],
                "starts_on": "2026-03-01",
                "ends_on": "2026-03-31",
                "max_amount_minor": 5000,
                "cooldown_hours": 24,
            },
        ],
        max_per_sale=500,
        expiry="inactivity",
    )
    assert list(texts.rules(settings, "EUR", {"shop_1": "Town"})) == [
        "10 points for each €.",
        "20 points for each € on bakery.",
        "Saturdays: double points · Saturdays",
        "N: +50 points · from Mar 1, 2026 · until Mar 31, 2026 · in the shop · Town · up to €50.00 · once in 24 hours",
        "At most 500 points in one sale.",
        "They expire when a card was not used for 365 days.",
    ]
