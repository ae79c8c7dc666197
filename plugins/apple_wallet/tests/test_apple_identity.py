"""Certificates as people upload them: what is wrong is named, each with what to do."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from regulars.cli import dev_certs
from regulars.cli.dev_certs import make_authority
from regulars_apple_wallet import identity as identities
from regulars_apple_wallet.faults import IdentityFault
from regulars_apple_wallet.identity import identity_of, read_identity
from regulars_apple_wallet.settings import AppleWalletSettings

NOW = datetime.now(UTC)


@pytest.fixture(scope="session")
def bundle(authority, signer):
    def make(password=b"secret", cas=None):
        encryption = BestAvailableEncryption(password) if password else NoEncryption()
        return pkcs12.serialize_key_and_certificates(b"pass", signer.key, signer.certificate, cas, encryption)

    return make


def told(*arguments, now=None):
    with pytest.raises(IdentityFault) as caught:
        read_identity(*arguments, now=now)
    assert caught.value.remedy
    return caught.value.text


def test_it_is_read_from_every_kind_of_file(authority, signer, bundle):
    issuer = authority.intermediate.certificate
    der = signer.certificate.public_bytes(Encoding.DER)
    locked = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    issuer_pem = authority.intermediate.certificate_pem
    found = [
        read_identity(signer.certificate_pem, signer.key_pem, issuer_pem, ""),
        read_identity(der, locked, issuer.public_bytes(Encoding.DER), "secret"),
        read_identity(bundle(), b"", issuer_pem, "secret"),
        read_identity(bundle(cas=[issuer]), b"", b"", "secret"),
        read_identity(signer.certificate_pem + signer.key_pem + issuer_pem, b"", b"", ""),
        read_identity(signer.certificate_pem, signer.key_pem, issuer_pem, "of nothing"),
    ]
    assert {(one.pass_type, one.team, one.is_development) for one in found} == {
        (dev_certs.PASS_TYPE, dev_certs.TEAM, True)
    }
    assert {one.pem() for one in found} == {found[0].pem()}
    assert identities.DEVELOPMENT == dev_certs.ORGANISATION


def test_what_is_wrong_is_named(authority, signer, bundle):
    pem, key, issuer = signer.certificate_pem, signer.key_pem, authority.intermediate.certificate_pem
    locked = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    curve = ec.generate_private_key(ec.SECP256R1())
    other = make_authority("G6")
    assert told(b"", key, issuer, "") == "The certificate is missing."
    assert told(b"\x89PNG nonsense", key, issuer, "") == "This file is no certificate."
    assert told(b"-----BEGIN NONSENSE-----", key, issuer, "") == "There is no certificate in this file."
    assert told(bundle(), b"", issuer, "wrong") == "The password is wrong."
    assert told(bundle(), b"", issuer, "") == "This file has a password."
    assert told(pem, b"", issuer, "") == "The private key is missing."
    assert told(pem, b"nonsense", issuer, "") == "This file is no private key."
    assert told(pem, locked, issuer, "") == "The private key has a password."
    assert told(pem, locked, issuer, "wrong") == "The password is wrong."
    raw = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert told(pem, raw, issuer, "") == "The private key is no RSA key."
    strange = authority.pass_certificate().key_pem
    assert told(pem, strange, issuer, "") == "The private key does not belong to this certificate."
    assert told(pem, key, b"", "") == "The intermediate certificate is missing."
    assert (
        told(pem, key, other.intermediate.certificate_pem, "")
        == "The intermediate certificate is another one than that which issued yours."
    )
    website = authority.server_certificate("example.com")
    assert (
        told(website.certificate_pem, website.key_pem, issuer, "")
        == "This is not a Pass Type ID certificate: no pass type identifier stands in it."
    )
    no_team = authority.pass_certificate(team="")
    assert told(no_team.certificate_pem, no_team.key_pem, issuer, "") == (
        "No team identifier stands in this certificate."
    )


def test_dates_are_checked_at_each_reading(authority):
    issuer = authority.intermediate.certificate_pem
    old = authority.pass_certificate(starts=NOW - timedelta(days=400))
    day = old.certificate.not_valid_after_utc.date().isoformat()
    assert told(old.certificate_pem, old.key_pem, issuer, "") == f"The certificate has expired on {day}."
    early = authority.pass_certificate(starts=NOW + timedelta(days=9))
    day = early.certificate.not_valid_before_utc.date().isoformat()
    assert told(early.certificate_pem, early.key_pem, issuer, "") == f"The certificate is not valid before {day}."
    later = NOW + timedelta(days=20)
    assert read_identity(early.certificate_pem, early.key_pem, issuer, "", later).pass_type == dev_certs.PASS_TYPE


def test_the_platforms_files_stand_in_and_are_read_again_when_they_change(authority, signer, tmp_path):
    with pytest.raises(IdentityFault, match="There is no certificate for Apple Wallet yet"):
        identity_of(AppleWalletSettings())
    for name, content in (
        ("pass.pem", signer.certificate_pem),
        ("key.pem", signer.key_pem),
        ("wwdr.pem", authority.intermediate.certificate_pem),
    ):
        (tmp_path / name).write_bytes(content)
    settings = AppleWalletSettings(
        platform_certificate_path=str(tmp_path / "pass.pem"),
        platform_key_path=str(tmp_path / "key.pem"),
        platform_intermediate_path=str(tmp_path / "wwdr.pem"),
        platform_pass_type_id=dev_certs.PASS_TYPE,
    )
    assert identity_of(settings).team == dev_certs.TEAM
    wrong = settings.model_copy(update={"platform_team_id": "OTHERTEAM0"})
    with pytest.raises(IdentityFault, match="The platform's certificate is for"):
        identity_of(wrong)
    (tmp_path / "key.pem").unlink()
    with pytest.raises(IdentityFault, match="cannot be read"):
        identity_of(settings)
    other = authority.pass_certificate("pass.example.own")
    pems = (other.certificate_pem, other.key_pem, authority.intermediate.certificate_pem)
    own = {name: pem.decode() for name, pem in zip(("certificate", "key", "intermediate"), pems, strict=True)}
    assert identity_of(AppleWalletSettings(**own)).pass_type == "pass.example.own"
