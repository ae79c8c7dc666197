"""What classes and objects are called at Google: stable, unguessable, apart for each tenant."""

from __future__ import annotations

from hashlib import blake2b

from regulars.sdk.wallets import WalletCard


def class_id(issuer_id: str, key: bytes, card: WalletCard) -> str:
    """The class of a card.

    Args:
        issuer_id: whose class.
        key: the tenant's, 32 bytes.
        card: its program and tier decide.
    """
    tier = card.tier.key if card.tier else ""
    about = f"{card.program_id}/{tier}".encode()
    return f"{issuer_id}.c{blake2b(about, key=key, digest_size=16).hexdigest()}"


def object_id(issuer_id: str, serial: str) -> str:
    """The object of a pass; its serial is random already."""
    return f"{issuer_id}.{serial}"


def serial_of(issuer_id: str, name: str) -> str | None:
    """The serial in an object's name, `None` for another issuer's."""
    issuer, dot, serial = name.partition(".")
    return serial if dot and issuer == issuer_id else None
