"""Certificates for development: an authority of our own in Apple's place, and a Pass Type ID certificate of it.

Phones trust Apple alone: passes that are signed with these are for simulators and for openssl.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ORGANISATION = "Regulars development"
PASS_TYPE, TEAM = "pass.example.regulars", "REGULARS00"
VARIABLES = {
    "REGULARS_APPLE_CERT_PATH": "pass.pem",
    "REGULARS_APPLE_KEY_PATH": "pass-key.pem",
    "REGULARS_APPLE_WWDR_PATH": "wwdr.pem",
}
"""Which variable names which file."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: RSAPrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as PEM, without password."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class Authority:
    """A root and an intermediate, as Apple has them."""

    root: Certified
    intermediate: Certified

    def pass_certificate(
        self,
        pass_type: str = PASS_TYPE,
        team: str = TEAM,
        *,
        starts: datetime | None = None,
        days: int = 365,
    ) -> Certified:
        """A certificate that signs passes and proves to the push service who calls.

        Args:
            pass_type: pass type identifier, its UID; empty for none.
            team: team identifier, its OU.
            starts: from when it is valid; since yesterday when left out.
            days: how long.
        """
        names = {NameOID.USER_ID: pass_type, NameOID.COMMON_NAME: f"Pass Type ID: {pass_type}"}
        names |= {NameOID.ORGANIZATIONAL_UNIT_NAME: team, NameOID.ORGANIZATION_NAME: ORGANISATION}
        return _certify(names, self.intermediate, starts=starts, days=days)

    def server_certificate(self, host: str) -> Certified:
        """A certificate of a server on this machine, such as one that stands in for the push service."""
        return _certify({NameOID.COMMON_NAME: host}, self.root, host=host)


def make_authority(generation: str = "G4") -> Authority:
    """A new authority; its keys are lost with it.

    Args:
        generation: of the intermediate, as Apple counts them.
    """
    root_names = {NameOID.COMMON_NAME: "Regulars development root", NameOID.ORGANIZATION_NAME: ORGANISATION}
    root = _certify(root_names, None, is_authority=True)
    names = {
        NameOID.COMMON_NAME: "Worldwide Developer Relations, for development",
        NameOID.ORGANIZATIONAL_UNIT_NAME: generation,
        NameOID.ORGANIZATION_NAME: ORGANISATION,
    }
    return Authority(root, _certify(names, root, is_authority=True))


def write_files(folder: Path, authority: Authority | None = None) -> Mapping[str, str]:
    """Write new certificates; only their owner can read them.

    Args:
        folder: made if need be.
        authority: whose; a new one when left out.

    Returns:
        The variables with which the platform uses them.
    """
    authority = authority or make_authority()
    signer = authority.pass_certificate()
    files = {
        "root.pem": authority.root.certificate_pem,
        "wwdr.pem": authority.intermediate.certificate_pem,
        "pass-key.pem": signer.key_pem,
        "pass.pem": signer.certificate_pem,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(content)
    return variables(folder)


def variables(folder: Path) -> Mapping[str, str]:
    """The variables that name the files of a folder; none when they are not all there."""
    named = {variable: folder.resolve() / name for variable, name in VARIABLES.items()}
    return {variable: str(path) for variable, path in named.items()} if all(map(Path.exists, named.values())) else {}


def _certify(
    names: Mapping[x509.ObjectIdentifier, str],
    issuer: Certified | None,
    *,
    is_authority: bool = False,
    starts: datetime | None = None,
    days: int = 3650,
    host: str = "",
) -> Certified:
    """A certificate with a new key, issued by somebody, or by itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in names.items() if text])
    begins, signer = starts or datetime.now(UTC) - _DAY, issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return Certified(builder.sign(signer, SHA256()), key)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
