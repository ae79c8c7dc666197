"""The key of a service account: what is wrong with a file is named, and whose issuer counts."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from regulars.contracts.errors import BadValue
from regulars.kernel.settings.kinds import make_kind
from regulars_google_wallet.account import read_account
from regulars_google_wallet.identity import identity_of, readiness_of
from regulars_google_wallet.settings import GoogleWalletSettings

ISSUER = "3388000000087654321"


def elliptic():
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_what_is_wrong_with_a_file_is_named(google):
    whole = google.account()
    assert read_account(whole).email == "wallet@stand-in.iam.gserviceaccount.com"
    wrong = {
        "not JSON": "PK\x03\x04",
        "not JSON. Upload": whole[:-5],
        "no fields": "[1]",
        "“authorized_user”": google.account(type="authorized_user"),
        "no “client_email”": google.account(client_email=None),
        "no “private_key”": google.account(private_key=" "),
        "no “private_key_id”": google.account(private_key_id=7),
        "cannot be read": google.account(private_key=json.loads(whole)["private_key"].replace("MII", "XXX")),
        "private key in the file cannot be read": google.account(private_key=elliptic()),
        "too large": whole + " " * 20_000,
    }
    for words, text in wrong.items():
        with pytest.raises(BadValue, match=words):
            read_account(text)


def texts(settings):
    return [problem.text for problem in readiness_of(settings).problems]


def test_the_merchants_own_issuer_goes_before_the_platforms(google, tmp_path, registry):
    path = tmp_path / "key.json"
    given = {"LOYALTY_GOOGLE_ISSUER_ID": "3388000000011111111", "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON": str(path)}
    kind = make_kind(
        registry.plugin("google_wallet"), lambda names: next((given[n] for n in names if n in given), None)
    )
    platforms = kind.defaults
    assert texts(GoogleWalletSettings()) == ["There is no Google issuer yet."]
    assert texts(platforms) == ["The platform's service account cannot be read."]
    path.write_text(google.account())
    found = readiness_of(platforms)
    assert (found.is_ready, found.own, found.identity) == (True, False, "3388000000011111111")
    path.write_text(google.account(client_email="other@example.com"))
    assert identity_of(platforms).account.email == "other@example.com", "a file that has changed is read again"
    own = platforms.model_copy(update={"issuer_id": ISSUER})
    assert texts(own) == ["The key of the service account is missing."]
    own = GoogleWalletSettings(issuer_id=ISSUER, service_account=google.account())
    assert (readiness_of(own).own, readiness_of(own).identity) == (True, ISSUER)
    assert texts(own.model_copy(update={"issuer_id": ""})) == ["The issuer ID is missing."]
    assert identity_of(own).places.api == "https://walletobjects.googleapis.com/walletobjects/v1"
