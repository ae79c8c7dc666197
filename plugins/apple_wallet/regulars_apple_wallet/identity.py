"""As whom passes are signed: a Pass Type ID certificate, its key, and the certificate of Apple that has issued it.

Whatever is wrong with them is named, with what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from regulars.sdk import N_
from regulars_apple_wallet.faults import IdentityFault
from regulars_apple_wallet.files import Material, open_certificate, open_key
from regulars_apple_wallet.settings import AppleWalletSettings

DEVELOPMENT = "Regulars development"
"""Organisation of the authority that `regulars wallet dev-certs` makes."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything that a pass is signed with.

    Attributes:
        pass_type: pass type identifier, the certificate's UID.
        team: team identifier, its OU.
        expires_at: when the first of both certificates ends.
        fingerprint: of the certificate, SHA-256.
    """

    certificate: x509.Certificate
    key: RSAPrivateKey
    intermediate: x509.Certificate
    pass_type: str
    team: str
    expires_at: datetime
    fingerprint: bytes
    is_development: bool

    def pem(self) -> tuple[str, str, str]:
        """Certificate, key and intermediate, as they are stored."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        parts = (self.certificate.public_bytes(Encoding.PEM), key, self.intermediate.public_bytes(Encoding.PEM))
        certificate, private, intermediate = (part.decode() for part in parts)
        return certificate, private, intermediate


def identity_of(settings: AppleWalletSettings, now: datetime | None = None) -> Identity:
    """The identity that passes of a tenant are signed with: their own or the platform's.

    Args:
        settings: of the tenant.
        now: for the dates of certificates.

    Raises:
        IdentityFault: there is none, or it is of no use.
    """
    found = _own(settings) if settings.is_own else _platforms(settings)
    check_dates(found, now or datetime.now(UTC))
    return found


def read_identity(
    certificate: bytes, key: bytes, intermediate: bytes, password: str, now: datetime | None = None
) -> Identity:
    """Read files that somebody has sent, and check all there is to check.

    Args:
        certificate: PEM, DER, or a PKCS #12 file with the key in it.
        key: PEM; empty where the first file has it.
        intermediate: PEM or DER; empty where the first file has it.
        password: of the key or of the PKCS #12 file.
        now: for the dates.

    Raises:
        IdentityFault: something is missing or wrong.
    """
    found = _read(certificate, key, intermediate, password)
    check_dates(found, now or datetime.now(UTC))
    return found


def check_dates(identity: Identity, now: datetime) -> None:
    """Whether both certificates are valid now.

    Raises:
        IdentityFault: one is not.
    """
    for one in (identity.certificate, identity.intermediate):
        is_own = one is identity.certificate
        if now > one.not_valid_after_utc:
            raise IdentityFault(
                N_("The certificate has expired on %(day)s.")
                if is_own
                else N_("The intermediate certificate has expired on %(day)s."),
                N_("Make a new one in Apple's developer account and upload it."),
                day=one.not_valid_after_utc.date().isoformat(),
            )
        if now < one.not_valid_before_utc:
            raise IdentityFault(
                N_("The certificate is not valid before %(day)s.")
                if is_own
                else N_("The intermediate certificate is not valid before %(day)s."),
                N_("Check the server's clock, or wait until that day."),
                day=one.not_valid_before_utc.date().isoformat(),
            )


def _own(settings: AppleWalletSettings) -> Identity:
    parts = (settings.certificate, settings.key, settings.intermediate)
    certificate, key, intermediate = (part.get_secret_value().encode() if part else b"" for part in parts)
    return _read(certificate, key, intermediate, "")


def _platforms(settings: AppleWalletSettings) -> Identity:
    paths = (settings.platform_certificate_path, settings.platform_key_path, settings.platform_intermediate_path)
    if not paths[0]:
        raise IdentityFault(
            N_("There is no certificate for Apple Wallet yet."),
            N_("Get a Pass Type ID certificate from Apple and upload it on this plugin's page."),
        )
    certificate, key, intermediate = (_file(path) if path else b"" for path in paths)
    password = settings.platform_key_password.get_secret_value() if settings.platform_key_password else ""
    found = _read(certificate, key, intermediate, password)
    expected = (settings.platform_pass_type_id or found.pass_type, settings.platform_team_id or found.team)
    if expected != (found.pass_type, found.team):
        raise IdentityFault(
            N_("The platform's certificate is for %(found)s of the team %(team)s, not for %(wanted)s of %(other)s."),
            N_("Whoever runs the platform has to name the same in its configuration and in the certificate."),
            found=found.pass_type,
            team=found.team,
            wanted=expected[0],
            other=expected[1],
        )
    return found


def _file(path: str) -> bytes:
    try:
        return _content(path, Path(path).stat().st_mtime_ns)
    except OSError:
        raise IdentityFault(
            N_("The platform's certificate files cannot be read."),
            N_("Whoever runs the platform has to check the paths in its configuration."),
        ) from None


@lru_cache(maxsize=16)
def _content(path: str, _changed: int) -> bytes:
    """A file, read again only when it has changed."""
    return Path(path).read_bytes()


def _read(certificate: bytes, key: bytes, intermediate: bytes, password: str) -> Identity:
    found = _kept(certificate, key, intermediate, password)
    if isinstance(found, IdentityFault):
        raise found.with_traceback(None)
    return found


@lru_cache(maxsize=256)
def _kept(certificate: bytes, key: bytes, intermediate: bytes, password: str) -> Identity | IdentityFault:
    """What some files are: read once, as every page with a wallet's button asks for it."""
    try:
        return _checked(open_certificate(certificate, password), key, intermediate, password)
    except IdentityFault as fault:
        return fault


def _checked(material: Material, key_file: bytes, intermediate_file: bytes, password: str) -> Identity:
    certificate = material.certificate
    pass_type, team = _named(certificate, NameOID.USER_ID), _named(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)
    again = N_("In Apple's developer account, under Identifiers, choose a Pass Type ID and make a certificate for it.")
    if not pass_type.startswith("pass."):
        raise IdentityFault(N_("This is not a Pass Type ID certificate: no pass type identifier stands in it."), again)
    if not team:
        raise IdentityFault(N_("No team identifier stands in this certificate."), again)
    key = material.key or open_key(key_file, password)
    if key.public_key() != certificate.public_key():
        raise IdentityFault(
            N_("The private key does not belong to this certificate."),
            N_("Upload the key with which the certificate was requested, or export both together as a .p12 file."),
        )
    intermediate = _issuer(material, intermediate_file)
    return Identity(
        certificate=certificate,
        key=key,
        intermediate=intermediate,
        pass_type=pass_type,
        team=team,
        expires_at=min(certificate.not_valid_after_utc, intermediate.not_valid_after_utc),
        fingerprint=certificate.fingerprint(hashes.SHA256()),
        is_development=_named(intermediate, NameOID.ORGANIZATION_NAME) == DEVELOPMENT,
    )


def _issuer(material: Material, sent: bytes) -> x509.Certificate:
    """The certificate that has issued the merchant's: sent apart, or found in the same file."""
    issuer = _named(material.certificate, NameOID.COMMON_NAME, of_issuer=True)
    given = [open_certificate(sent, "").certificate] if sent else []
    for one in (*given, *material.others):
        try:
            material.certificate.verify_directly_issued_by(one)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return one
    unit = _named(material.certificate, NameOID.ORGANIZATIONAL_UNIT_NAME, of_issuer=True)
    text = (
        N_("The intermediate certificate is another one than that which issued yours.")
        if given
        else N_("The intermediate certificate is missing.")
    )
    remedy = N_("Download “%(issuer)s %(unit)s” from Apple's list of certificate authorities and upload it, too.")
    raise IdentityFault(text, remedy, issuer=issuer, unit=unit)


def _named(certificate: x509.Certificate, oid: x509.ObjectIdentifier, *, of_issuer: bool = False) -> str:
    name = certificate.issuer if of_issuer else certificate.subject
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
