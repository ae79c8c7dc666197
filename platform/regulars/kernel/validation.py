"""What pydantic finds wrong, as sentences for people: translated by the type of a finding, not by its English text."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from regulars.contracts.errors import BadValue
from regulars.kernel.i18n import gettext as _

OWN_TYPES = frozenset({"value_error", "assertion_error"})
"""Findings of validators that the host or a plugin wrote; their text is marked for translation where it stands."""


def field_errors(error: ValidationError) -> dict[str, str]:
    """Sentences by dotted field name, the first of each field; the empty name is for the whole.

    Args:
        error: what pydantic raised.
    """
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_input=False):
        found.setdefault(".".join(str(part) for part in fault["loc"]), sentence(fault))
    return found


def sentence(fault: ErrorDetails) -> str:
    """One finding as a sentence."""
    kind = fault["type"]
    own = fault.get("ctx", {}).get("error")
    if isinstance(own, BadValue):
        return _(own.message) % own.values
    if kind in OWN_TYPES:
        own_text = fault["msg"].split(", ", 1)[-1]
        return _(own_text)
    limits = {name: str(value) for name, value in fault.get("ctx", {}).items()}
    is_empty = kind == "string_too_short" and limits["min_length"] == "1"
    plain = _plain().get("missing" if is_empty else kind)
    if plain is not None:
        return plain
    limited = _limited().get(kind)
    return limited % limits if limited is not None and limits else _("This value cannot be accepted.")


def _plain() -> dict[str, str]:
    whole, number, choice = _("A whole number is needed."), _("A number is needed."), _("Please choose yes or no.")
    date = _("A date such as 1990-12-31 is needed.")
    return {
        "missing": _("Please fill this in."),
        "extra_forbidden": _("This is not known here."),
        "int_parsing": whole,
        "int_type": whole,
        "int_from_float": whole,
        "int_parsing_size": _("This number is too large."),
        "float_parsing": number,
        "float_type": number,
        "decimal_parsing": number,
        "decimal_type": number,
        "finite_number": number,
        "bool_parsing": choice,
        "bool_type": _("True or false is needed."),
        "string_type": _("A text is needed."),
        "dict_type": _("An object is needed."),
        "model_type": _("An object is needed."),
        "list_type": _("A list is needed."),
        "tuple_type": _("A list is needed."),
        "date_from_datetime_parsing": date,
        "date_parsing": date,
        "uuid_parsing": _("This is not an identifier."),
        "string_pattern_mismatch": _("This does not have the right form."),
        "string_unicode": _("This text has characters that cannot be stored."),
    }


def _limited() -> dict[str, str]:
    return {
        "string_too_short": _("At least %(min_length)s characters are needed."),
        "string_too_long": _("At most %(max_length)s characters are possible."),
        "too_short": _("At least %(min_length)s are needed."),
        "too_long": _("At most %(max_length)s are possible."),
        "greater_than": _("More than %(gt)s is needed."),
        "greater_than_equal": _("At least %(ge)s is needed."),
        "less_than": _("Less than %(lt)s is needed."),
        "less_than_equal": _("At most %(le)s is possible."),
        "multiple_of": _("A multiple of %(multiple_of)s is needed."),
        "literal_error": _("Choose one of: %(expected)s."),
        "enum": _("Choose one of: %(expected)s."),
    }
