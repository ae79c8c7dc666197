"""What a promotion must say, and its short name."""

import pytest
from pydantic import ValidationError

from regulars_promotions.settings import Promotion, PromotionSettings, slug

BONUS = {"kind": "bonus_points", "units": 50}


def test_short_names_are_made_once_and_stay():
    made = PromotionSettings(promotions=[{"title": "Happy hour!", **BONUS}, {"title": "Happy hour?", **BONUS}])
    assert [one.key for one in made.promotions] == ["happy_hour", "happy_hour_2"]
    stored = made.model_dump(mode="json")
    stored["promotions"][0]["title"] = "Late hour"
    assert [one.key for one in PromotionSettings.model_validate(stored).promotions] == ["happy_hour", "happy_hour_2"]
    assert (slug("Ärger — 2 for 1"), slug("…")) == ("arger_2_for_1", "promotion")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": "A"}, "Say how many points"),
        ({"title": "A", "kind": "multiplier"}, "Say what the points become"),
        ({"title": "A", "kind": "multiplier", "percent": 100}, "above 100 %"),
        ({"title": "A", "kind": "discount_percent", "percent": 101}, "More than 100 %"),
        ({"title": "A", "kind": "discount_fixed"}, "Say how much"),
        ({"title": "A", "kind": "free_item"}, "Say what is given"),
        ({"title": " ", **BONUS}, "needs a title"),
        ({"title": "A", "kind": "bonus_points", "units": 0}, "greater than or equal to 1"),
    ],
)
def test_what_a_promotion_needs(wrong, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Promotion.model_validate(wrong)


def test_two_promotions_cannot_have_one_short_name():
    with pytest.raises(ValidationError, match="same short name"):
        PromotionSettings(promotions=[{"title": "A", "key": "a", **BONUS}, {"title": "B", "key": "a", **BONUS}])
