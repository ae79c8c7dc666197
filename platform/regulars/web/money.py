"""Amounts as people type them into forms."""

from __future__ import annotations

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import parse_amount


def typed_amount(text: str, currency: str, field: str = "amount") -> int:
    """Minor units of an amount.

    Args:
        text: as it was typed, `25,00` or `25.00`.
        currency: ISO 4217.
        field: which field is at fault when it cannot be read.

    Raises:
        InvalidInput: it is empty or no amount.
    """
    try:
        return parse_amount(text, currency)
    except ValueError as error:
        sentence = _(str(error)) if text.strip() else _("Enter the amount first.")
        raise InvalidInput(sentence, fields={field: sentence}) from None
