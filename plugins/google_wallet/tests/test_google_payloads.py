"""Cards as Google takes them: every payload passes Google's own description, and says what the card says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from regulars.cli.demo.google.discovery import document, faults
from regulars.cli.demo.google.shelf import NAME
from regulars.contracts.wallets import WalletField, WalletTier
from regulars.testing.wallets import make_card
from regulars_google_wallet import names, payloads
from regulars_google_wallet.payloads import class_payload, inserted, news_of, object_payload, void_payload
from regulars_google_wallet.pictures import hero, logo

OBJECT, CLASS = "3388000.serial", "3388000.class"
KEYS = [bytes([number]) * 32 for number in range(2)]


def shown(card, **more):
    return object_payload(card, OBJECT, CLASS, **more)


def said(text):
    words = {text["defaultValue"]["language"]: text["defaultValue"]["value"]}
    return words | {one["language"]: one["value"] for one in text.get("translatedValues", ())}


@pytest.mark.parametrize("kind", ["stamps", "points", "hybrid"])
def test_googles_own_description_takes_every_payload(kind):
    assert document()["revision"] >= "20260806"
    card = make_card(kind, expires_at=datetime(2027, 1, 31, 23, tzinfo=UTC))
    bare = replace(card, holder="", tier=None, places=(), expires_at=None)
    for one in (card, bare):
        shared = class_payload(one, CLASS, logo_url="https://x.example/l.png", callback_url="https://x.example/c")
        assert faults("LoyaltyClass", inserted(shared)) == []
        assert faults("LoyaltyClass", shared, is_change=True) == []
        own = shown(one, hero_url="https://x.example/h.png")
        assert faults("LoyaltyObject", inserted(own)) == []
        assert faults("LoyaltyObject", {**own, "notifyPreference": payloads.NOTIFY}, is_change=True) == []
        assert set(own) == set(shown(bare)), "a PATCH empties what is there no more"
    assert faults("LoyaltyObject", void_payload(OBJECT, CLASS)) == []
    assert faults("LoyaltyObject", {**inserted(shown(card)), "colour": "red", "state": "GONE"}) != []


def test_two_figures_stand_large_in_every_language_and_the_rest_below():
    own = shown(make_card("hybrid"))
    assert own["loyaltyPoints"]["balance"] == {"string": "8/10"}
    assert said(own["loyaltyPoints"]["localizedLabel"]) == {
        "en": "Stamps", "lt": "Antspaud…", "fr": "Tampons", "de": "Stempel",
    }  # fmt: skip
    assert own["secondaryLoyaltyPoints"]["balance"] == {"string": "★ 750 ★"}
    assert (own["accountId"], own["accountName"]) == ("4821-7493-2841", "Mia Ozola")
    assert own["barcode"] == {"type": "QR_CODE", "value": "482174932841", "alternateText": "4821-7493-2841"}
    modules = {one["id"]: said(one["localizedBody"]) for one in own["textModulesData"]}
    assert list(modules) == ["stamps-next", "rewards-next", "core-terms"], "what is said elsewhere is not repeated"
    assert modules["stamps-next"] == {
        "en": "2 more until your free coffee!",
        "lt": "Liko 2 iki nemokamos kavos!",
        "fr": "Plus que 2 avant votre café offert !",
        "de": "Noch 2 bis zu deinem Gratiskaffee!",
    }


def with_lines(card, *fields):
    return replace(card, faces={locale: replace(face, fields=fields) for locale, face in card.faces.items()})


def test_numbers_are_numbers_long_values_are_lines_and_more_than_ten_lines_are_cut():
    many = [WalletField(f"x.line{number}", "L" * 50, "V" * 900, "back") for number in range(12)]
    card = with_lines(make_card(), WalletField("points.balance", "Points", "1250", "primary"), *many)
    own = shown(card)
    assert own["loyaltyPoints"]["balance"] == {"int": 1250}
    assert own["secondaryLoyaltyPoints"] is None
    assert [one["id"] for one in own["textModulesData"]] == [f"x-line{number}" for number in range(10)]
    assert {(len(one["header"]), len(one["body"])) for one in own["textModulesData"]} == {(35, 500)}
    assert inserted(shown(with_lines(card)))["textModulesData"] == []


def test_what_the_phone_says_changes_with_the_news_alone():
    assert news_of(make_card(count=8)) != news_of(make_card(count=9))
    assert news_of(make_card(holder="Other")) == news_of(make_card())


def test_nothing_of_the_member_is_left_on_a_void_card():
    assert void_payload(OBJECT, CLASS) == {"id": OBJECT, "classId": CLASS, "state": "EXPIRED"}


def test_names_are_stable_unguessable_and_apart_for_programs_tiers_and_tenants():
    card = make_card("hybrid")
    others = [replace(card, tier=None), replace(card, tier=WalletTier("silver", "Silver")), make_card()]
    found = [names.class_id("3388000", key, one) for key in KEYS for one in (card, *others[:2])]
    assert len(set(found)) == 6
    assert found[0] == names.class_id("3388000", KEYS[0], replace(card, tier=WalletTier("gold", "Auksas"), number="1"))
    assert all(NAME.match(one) and str(card.program_id) not in one for one in found)
    assert names.serial_of("3388000", names.object_id("3388000", "4f1c")) == "4f1c"
    assert names.serial_of("3388001", "3388000.4f1c") is None


def test_pictures_are_what_google_asks_for():
    look, stamps = make_card().look, make_card().face.stamps
    sign, row = logo(look), hero(look, stamps)
    assert (sign.digest, row.digest) == (logo(replace(look)).digest, hero(replace(look), stamps).digest)
    assert sign.digest != logo(replace(look, logo=b"")).digest
    assert row.digest != hero(look, replace(stamps, count=9)).digest
    assert hero(look, None) is None
    assert (sign.content[:8], len(sign.content) < 200_000, len(row.content) < 200_000) == (
        b"\x89PNG\r\n\x1a\n",
        True,
        True,
    )
