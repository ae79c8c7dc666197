"""The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header): quoted, as the draft has it, or bare."""

from __future__ import annotations

import re

from werkzeug.datastructures import Headers

from regulars.contracts.errors import IdempotencyKeyMissing, MalformedRequest
from regulars.kernel.i18n import gettext as _

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_LENGTH = 255
_QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE = re.compile(r"[\x21\x23-\x7e]+")


def read_key(headers: Headers) -> str:
    """The key of a request; quoted and bare spellings of one key are the same.

    Raises:
        IdempotencyKeyMissing: there is none.
        MalformedRequest: there are two, or it is empty, too long or has characters that no key may have.
    """
    values = headers.getlist(HEADER)
    if not values:
        raise IdempotencyKeyMissing(_("Send a new key for each new write, and the same one when you try again."))
    text = values[0].strip()
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if len(values) > 1 or not 1 <= len(key) <= MAX_LENGTH or not (quoted or _BARE.fullmatch(text)):
        raise MalformedRequest(_("An Idempotency-Key has 1 to %(count)s visible ASCII characters.", count=MAX_LENGTH))
    return key
