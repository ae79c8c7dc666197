"""Which names a merchant may bring, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import idna
from publicsuffixlist import PublicSuffixList

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _

PROOF_LABEL = "_regulars"
PROOF_PREFIX = "regulars="
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_LONGEST = 253 - len(PROOF_LABEL) - 1


def read_name(text: str, ours: Iterable[str]) -> str:
    """The ASCII form of a host name as somebody types it.

    Args:
        text: e.g. `Bücher.example.com` or an address copied from a browser.
        ours: domains of the platform: neither they nor what is below them is a merchant's.

    Returns:
        Lower case, without scheme, path and trailing dot, internationalised parts in their `xn--` form.

    Raises:
        InvalidInput: one sentence under the field `host`.
    """
    name = _SCHEME.sub("", text.strip()).partition("/")[0].removesuffix(".")
    try:
        host = idna.encode(name, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError:
        host = ""
    if not host or len(host) > _LONGEST:
        raise _refusal(_("This is no domain name such as loyalty.example.com."))
    if any(host == own or host.endswith(f".{own}") for own in ours):
        raise _refusal(_("This name is the platform's. Bring a domain that is yours."))
    if _suffixes().privatesuffix(host) is None:
        raise _refusal(_("Nobody owns this name alone. Bring a domain that you have registered, or a part of it."))
    return host


def show_name(host: str) -> str:
    """A host name as people read it; the ASCII form where there is no other."""
    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


def proof_name(host: str) -> str:
    """The name whose TXT record proves whose a host is."""
    return f"{PROOF_LABEL}.{host}"


def is_apex(host: str) -> bool:
    """Whether a host is a registered domain itself, which cannot have a CNAME record."""
    found: str | None = _suffixes().privatesuffix(host)
    return found == host


@cache
def _suffixes() -> PublicSuffixList:
    """The names below which anybody registers; unknown ends (`localhost`, `test`, addresses) have none."""
    return PublicSuffixList(accept_unknown=False)


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"host": sentence})
