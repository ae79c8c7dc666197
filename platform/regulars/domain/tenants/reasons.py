"""Operators say why."""

from __future__ import annotations

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _

MAX_REASON = 500


def require_reason(reason: str) -> str:
    """The reason without surrounding space.

    Args:
        reason: in the operator's words; it goes into the audit log.

    Raises:
        InvalidInput: it is empty or too long, under the field `reason`.
    """
    text = reason.strip()
    if not text:
        sentence = _("Please say why; it goes into the audit log.")
        raise InvalidInput(sentence, fields={"reason": sentence})
    if len(text) > MAX_REASON:
        sentence = _("Please be brief: at most %(most)s characters.", most=MAX_REASON)
        raise InvalidInput(sentence, fields={"reason": sentence})
    return text
