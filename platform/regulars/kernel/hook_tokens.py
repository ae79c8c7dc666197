"""Addresses that are given to the services of others: an opaque token names tenant and plugin, and never changes.

Nothing is stored and no query is asked: the token is the tenant's id, encrypted so that the same id always gives the
same token and every other text none (AES-SIV, RFC 5297). Whoever guesses finds nothing and costs nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


def derived_key(encryption_key: str, *purpose: str) -> bytes:
    """32 bytes for one purpose, as secret and as lasting as the installation's encryption key.

    Args:
        encryption_key: of the installation.
        purpose: what for; words of different purposes cannot be taken for one another.
    """
    message = "".join(f"{len(word)}:{word}" for word in purpose)
    return hmac.digest(encryption_key.encode(), message.encode(), hashlib.sha256)


class HookTokens:
    """Makes and reads the tokens.

    Args:
        encryption_key: of the installation.
    """

    def __init__(self, encryption_key: str) -> None:
        self._cipher = AESSIV(derived_key(encryption_key, "hooks"))

    def of(self, plugin: str, tenant_id: UUID) -> str:
        """The token of a tenant for a plugin: 43 letters that are safe in addresses."""
        return urlsafe_b64encode(self._cipher.encrypt(tenant_id.bytes, [plugin.encode()])).decode().rstrip("=")

    def read(self, plugin: str, token: str) -> UUID | None:
        """The tenant that a token names, `None` for one of another plugin and for everything else."""
        try:
            found = UUID(bytes=self._cipher.decrypt(urlsafe_b64decode(f"{token}="), [plugin.encode()]))
        except (InvalidTag, ValueError):
            return None
        return found if self.of(plugin, found) == token else None  # Base64 is read in more ways than it is written
