"""The file that a phone gets: what it says, in every language; pictures; and a signature that openssl verifies."""

import hashlib
import io
import json
import re
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image

from regulars.sdk.wallets import WalletField, WalletPlace
from regulars.testing.wallets import make_card, make_pass
from regulars_apple_wallet.passes.bundle import make_file
from regulars_apple_wallet.passes.face import NEWS, arrange, describe

SERVICE, TOKEN = "https://regulars.example/hooks/apple_wallet/abc", "t" * 43
PLACES = ("header", "primary", "secondary", "auxiliary", "back")
COLOUR = re.compile(r"rgb\((\d{1,3}), (\d{1,3}), (\d{1,3})\)")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)" = "((?:[^"\\]|\\.)*)";')


def opened(content):
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        assert {info.compress_type for info in bundle.infolist()} == {zipfile.ZIP_STORED}
        return {name: bundle.read(name) for name in bundle.namelist()}


def described(card, identity):
    return describe(make_pass(card), identity, SERVICE, TOKEN)[0]


def lines(document, place):
    return [(line["label"], line["value"]) for line in document["storeCard"].get(f"{place}Fields", [])]


def strings(content):
    def plain(text):
        return text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")

    return {plain(key): plain(text) for key, text in TEXT.findall(content.decode())}


def test_a_stamp_card_says_what_it_should(identity):
    document = described(make_card(), identity)
    assert (document["passTypeIdentifier"], document["teamIdentifier"]) == ("pass.example.regulars", "REGULARS00")
    assert document["serialNumber"] == make_pass().serial
    assert lines(document, "header") == [("Stamps", "8/10")]
    assert lines(document, "primary") == []
    assert lines(document, "secondary") == [("Reward", "2 more until your free coffee!")]
    assert lines(document, "auxiliary") == [("Member", "Mia Ozola")]
    code = {"format": "PKBarcodeFormatQR", "message": "482174932841", "messageEncoding": "iso-8859-1"}
    assert document["barcodes"] == [{**code, "altText": "4821-7493-2841"}]
    place = {"latitude": 54.6828, "longitude": 25.2877, "relevantText": "Café Rusta, Pilies 3"}
    assert document["locations"] == [place]
    assert (document["webServiceURL"], document["authenticationToken"]) == (SERVICE, TOKEN)
    assert not {"voided", "expirationDate"} & set(document)
    colours = [COLOUR.fullmatch(document[f"{part}Color"]) for part in ("background", "foreground", "label")]
    assert [tuple(map(int, colour.groups())) for colour in colours] == [(74, 44, 42), (255, 255, 255), (232, 213, 196)]


def test_one_line_alone_has_a_message_and_that_is_its_value(identity):
    """Phones show a sentence of their own for a message without its value, and for two lines that change at once."""
    document = described(make_card("hybrid"), identity)
    all_lines = [line for place in PLACES for line in document["storeCard"].get(f"{place}Fields", [])]
    spoken = [line for line in all_lines if "changeMessage" in line]
    assert [(line["key"], line["value"], line["changeMessage"]) for line in spoken] == [
        (NEWS, "2 more until your free coffee! Points: ★ 750 ★", "%@")
    ]
    assert len({line["key"] for line in all_lines}) == len(all_lines)


def test_a_points_card_has_its_figure_in_the_middle_and_with_stamps_below(identity):
    assert lines(described(make_card("points"), identity), "primary") == [("Points", "★ 750 ★")]
    hybrid = described(make_card("hybrid"), identity)
    assert lines(hybrid, "primary") == []
    assert ("Points", "★ 750 ★") in lines(hybrid, "secondary")


def test_what_has_no_room_stands_on_the_back(identity):
    card = make_card("points", locales=("en",))
    more = [
        WalletField(f"{place}.{number}", place, str(number), place)
        for place, count in (("header", 5), ("primary", 2), ("secondary", 3), ("auxiliary", 4))
        for number in range(count)
    ]
    face = replace(card.face, fields=tuple(more))
    shown = {place: [field.key for field in fields] for place, fields in arrange(face).items()}
    assert shown["header"] == ["header.0", "header.1", "header.2"]
    assert shown["primary"] == ["primary.0"]
    assert shown["secondary"] == ["primary.1", "secondary.0", "secondary.1", "secondary.2"]
    assert shown["auxiliary"] == []
    assert shown["back"] == ["header.3", "header.4", *(f"auxiliary.{number}" for number in range(4))]
    places = tuple(WalletPlace(str(number), number, number) for number in range(12))
    assert len(described(replace(card, places=places), identity)["locations"]) == 10


def test_every_language_of_the_merchant_translates_the_very_texts(identity):
    document, texts = describe(make_pass(), identity, SERVICE, TOKEN)
    assert sorted(texts) == [f"{locale}.lproj/pass.strings" for locale in ("de", "en", "fr", "lt")]
    said = {text for place in PLACES for line in lines(document, place) for text in line}
    german = strings(texts["de.lproj/pass.strings"])
    assert said - {"Café Rusta"} <= set(german)
    assert german["2 more until your free coffee!"] == "Noch 2 bis zu deinem Gratiskaffee!"
    assert german['Say "Rusta" at the till.\nOne stamp a coffee.'] == "Ein Stempel pro Kaffee."
    assert strings(texts["lt.lproj/pass.strings"])["Stamps"] == "Antspaudai"


def test_one_word_with_two_translations_is_two_words(identity):
    card = make_card("points", locales=("en", "de"))
    words = {"en": ("Check", "Check"), "de": ("Scheck", "Häkchen")}
    faces = {
        locale: replace(
            card.faces[locale],
            fields=tuple(WalletField(f"a.{label}", text, "1", "secondary") for label, text in enumerate(pair)),
        )
        for locale, pair in words.items()
    }
    document, texts = describe(make_pass(replace(card, faces=faces)), identity, SERVICE, TOKEN)
    german = strings(texts["de.lproj/pass.strings"])
    labels = [line["label"] for line in document["storeCard"]["secondaryFields"]]
    assert [german[label] for label in labels] == ["Scheck", "Häkchen"]
    assert [label.rstrip("\u200b") for label in labels] == ["Check", "Check"]


def test_a_pass_that_is_over_says_so_and_one_that_phones_cannot_ask_for_has_no_address(identity):
    card = make_card(state="void", expires_at=datetime(2027, 1, 1, tzinfo=UTC))
    document = describe(make_pass(card), identity, "", TOKEN)[0]
    assert document["voided"] is True
    assert document["expirationDate"] == "2027-01-01T00:00:00+00:00"
    assert not {"webServiceURL", "authenticationToken"} & set(document)


@pytest.mark.parametrize("has_logo", [True, False])
def test_pictures_are_there_for_all_screens(identity, has_logo):
    card = make_card()
    card = card if has_logo else replace(card, look=replace(card.look, logo=b""))
    files = opened(make_file(make_pass(card), identity, SERVICE, TOKEN))
    sizes = {name: Image.open(io.BytesIO(content)).size for name, content in files.items() if name.endswith(".png")}
    assert [sizes[f"strip{end}.png"] for end in ("", "@2x", "@3x")] == [(375, 144), (750, 288), (1125, 432)]
    assert [sizes[f"icon{end}.png"] for end in ("", "@2x", "@3x")] == [(29, 29), (58, 58), (87, 87)]
    assert sizes.get("logo@2x.png") == ((100, 100) if has_logo else None)


def verified(tmp_path, files, root, command):
    for name in ("manifest.json", "signature"):
        (tmp_path / name).write_bytes(files[name])
    (tmp_path / "root.pem").write_bytes(root)
    arguments = ["-verify", "-inform", "DER", "-in", "signature", "-content", "manifest.json", "-CAfile", "root.pem"]
    end = ["-purpose", "any", "-binary", "-out", "/dev/null"]
    return (
        subprocess.run(
            ["openssl", command, *arguments, *end], cwd=tmp_path, capture_output=True, check=False
        ).returncode
        == 0
    )


@pytest.mark.parametrize("command", ["smime", "cms"])
def test_openssl_verifies_the_signature_and_no_changed_byte(identity, authority, tmp_path, command):
    files = opened(make_file(make_pass(), identity, SERVICE, TOKEN))
    root = authority.root.certificate_pem
    assert verified(tmp_path, files, root, command)
    manifest = json.loads(files["manifest.json"])
    assert set(manifest) == set(files) - {"manifest.json", "signature"}
    assert all(hashlib.sha1(files[name]).hexdigest() == digest for name, digest in manifest.items())
    changed = bytearray(files["manifest.json"])
    changed[10] ^= 1
    assert not verified(tmp_path, {**files, "manifest.json": bytes(changed)}, root, command)


def test_the_signature_says_when_and_by_whom(identity, tmp_path):
    (tmp_path / "signature").write_bytes(opened(make_file(make_pass(), identity, SERVICE, TOKEN))["signature"])
    arguments = ["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "signature"]
    printed = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "signingTime" in printed
    assert "sha256" in printed
    assert printed.count("Worldwide Developer Relations") >= 2
