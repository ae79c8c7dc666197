"""Reading certificate and key files as people have them: PEM, DER, PKCS #12, with or without password."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key, pkcs12

from regulars.sdk import N_
from regulars_apple_wallet.faults import IdentityFault

_PEM = b"-----BEGIN "
_AGAIN = N_("Choose the .p12 file that you have exported, or the certificate that Apple gave you (.cer or .pem).")
_TYPE_PASSWORD = N_("Type the password that you chose when you exported the file.")


@dataclass(frozen=True, slots=True)
class Material:
    """What was found in a file: a certificate, perhaps its key, and the certificates beside it."""

    certificate: x509.Certificate
    key: RSAPrivateKey | None = None
    others: tuple[x509.Certificate, ...] = ()


def open_certificate(content: bytes, password: str) -> Material:
    """Read a file with a certificate.

    Args:
        content: PEM (perhaps with key and further certificates), DER or PKCS #12.
        password: of a PKCS #12 file or of the key.

    Raises:
        IdentityFault: it is none, or the password is wrong.
    """
    if not content:
        raise IdentityFault(N_("The certificate is missing."), _AGAIN)
    if _PEM in content:
        return _from_pem(content, password)
    try:
        return Material(x509.load_der_x509_certificate(content))
    except ValueError:
        return _from_bundle(content, password)


def open_key(content: bytes, password: str) -> RSAPrivateKey:
    """Read a file with a private key; arguments and errors as for `open_certificate`."""
    if not content:
        raise IdentityFault(
            N_("The private key is missing."),
            N_("Upload the key with which the certificate was requested, or export both together as a .p12 file."),
        )
    load = load_pem_private_key if _PEM in content else load_der_private_key
    secret = password.encode() or None
    try:
        key = _load(load, content, secret)
    except TypeError:
        raise IdentityFault(N_("The private key has a password."), _TYPE_PASSWORD) from None
    except (ValueError, UnsupportedAlgorithm):
        if b"ENCRYPTED" in content and secret:
            raise IdentityFault(N_("The password is wrong."), _TYPE_PASSWORD) from None
        raise IdentityFault(
            N_("This file is no private key."), N_("Choose the .pem or .key file that begins with “BEGIN PRIVATE KEY”.")
        ) from None
    return _rsa(key)


def _load(load: object, content: bytes, secret: bytes | None) -> object:
    """A key; a password for one that has none does no harm."""
    assert callable(load)
    try:
        return load(content, secret)
    except TypeError:
        if secret is None:
            raise
        return load(content, None)


def _from_pem(content: bytes, password: str) -> Material:
    try:
        first, *others = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise IdentityFault(N_("There is no certificate in this file."), _AGAIN) from None
    key = open_key(content, password) if b"PRIVATE KEY" in content else None
    return Material(first, key, tuple(others))


def _from_bundle(content: bytes, password: str) -> Material:
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, password.encode() or None)
    except ValueError as error:
        if "password" in str(error).lower():
            text = N_("The password is wrong.") if password else N_("This file has a password.")
            raise IdentityFault(text, _TYPE_PASSWORD) from None
        raise IdentityFault(N_("This file is no certificate."), _AGAIN) from None
    except UnsupportedAlgorithm:
        raise IdentityFault(
            N_("This file is encrypted in a way that is not supported."),
            N_("Export it again as .p12, or upload certificate and key as .pem files."),
        ) from None
    if certificate is None:
        raise IdentityFault(N_("There is no certificate in this file."), _AGAIN)
    return Material(certificate, _rsa(key) if key is not None else None, tuple(others))


def _rsa(key: object) -> RSAPrivateKey:
    if not isinstance(key, RSAPrivateKey):
        raise IdentityFault(
            N_("The private key is no RSA key."),
            N_("Apple signs passes with RSA keys: make the certificate request anew, with an RSA key of 2048 bits."),
        )
    return key
