"""Callbacks: an independent verifier agrees with ours on what is Google's, and nothing else counts."""

import json
import time

import pytest
from google_wallet_webhook_auth import Validator
from google_wallet_webhook_auth.exceptions import SignatureVerificationError

from regulars.cli.demo.google.signing import Signer, message
from regulars_google_wallet.callbacks import Event, Forged, read_callback, read_root_keys

ISSUER = "3388000000012345678"
HOUR = 3_600_000


def now():
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture
def read(signer):
    roots = read_root_keys(signer.root_keys())
    return lambda sent, issuer=ISSUER, at=None: read_callback(json.dumps(sent).encode(), issuer, roots, at or now())


def test_both_verifiers_take_a_callback_and_refuse_a_tampered_one(signer, read, monkeypatch):
    told = message("save", f"{ISSUER}.class", f"{ISSUER}.serial")
    sent = signer.callback(ISSUER, told)
    validator = Validator(ISSUER)
    monkeypatch.setattr(validator, "_get_google_key", lambda: signer.root_keys()["keys"])
    validator.validate(sent)
    assert read(sent) == Event(f"{ISSUER}.serial", "save", told["nonce"], told["expTimeMillis"])
    forged = {**sent, "signedMessage": sent["signedMessage"].replace("save", "del")}
    with pytest.raises(SignatureVerificationError):
        validator.validate(forged)
    with pytest.raises(Forged):
        read(forged)


def changed(sent, **fields):
    return {**sent, **fields}


@pytest.mark.parametrize(
    "tamper",
    [
        lambda sent: changed(sent, signature=sent["signature"][:-8] + "AAAAAAA="),
        lambda sent: changed(sent, protocolVersion="ECv1"),
        lambda sent: changed(sent, intermediateSigningKey={"signedKey": "{}", "signatures": []}),
        lambda sent: changed(sent, intermediateSigningKey=Signer().callback(ISSUER, {})["intermediateSigningKey"]),
        lambda sent: Signer().callback(ISSUER, json.loads(sent["signedMessage"])),
        lambda sent: {name: value for name, value in sent.items() if name != "signature"},
        lambda sent: changed(sent, signature=7),
        lambda sent: changed(sent, signature="no base64!"),
        lambda _sent: [],
        lambda _sent: "x" * 30_000,
    ],
)
def test_whatever_was_touched_is_refused(signer, read, tamper):
    sent = signer.callback(ISSUER, message("del", f"{ISSUER}.class", f"{ISSUER}.serial"))
    assert read(sent).kind == "del"
    with pytest.raises(Forged):
        read(tamper(sent))


def test_another_issuers_and_what_has_ended_is_refused(signer, read):
    told = message("save", f"{ISSUER}.class", f"{ISSUER}.serial")
    sent = signer.callback(ISSUER, told)
    for issuer, at in (("3388000000087654321", None), (ISSUER, told["expTimeMillis"]), (ISSUER, now() + 25 * HOUR)):
        with pytest.raises(Forged):
            read(sent, issuer, at)
    for late in (
        signer.callback(ISSUER, told, key_until=now() - 1),
        signer.callback(ISSUER, {**told, "eventType": "x"}),
    ):
        with pytest.raises(Forged):
            read(late)


def test_a_list_without_keys_of_the_protocol_is_none(signer):
    keys = signer.root_keys()["keys"]
    for content in ({}, [], {"keys": []}, {"keys": [{**keys[0], "protocolVersion": "ECv1"}]}, {"keys": [{}]}):
        with pytest.raises(ValueError, match="list"):
            read_root_keys(content)
