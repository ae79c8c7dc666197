"""Forms and queries: text as people type it, read into a pydantic model, faults told field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.datastructures import MultiDict

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Form(Generic[Model]):
    """What a visitor sent, for showing the page again, and the model when all of it is right.

    Attributes:
        values: field → what was sent, as text (the last one where there are several).
        errors: field → sentence; the key is empty for what concerns the whole form.
        data: the model, `None` when there are errors.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    data: Model | None = None

    def require(self) -> Model:
        """The model.

        Raises:
            InvalidInput: there are errors.
        """
        if self.data is None:
            raise InvalidInput(" ".join(self.errors.values()), fields=self.errors)
        return self.data

    def with_errors(self, errors: Mapping[str, str]) -> Form[Model]:
        """The same form with faults that a service has found."""
        return Form(self.values, {**self.errors, **errors}, None)


def read_form(model: type[Model], sent: MultiDict[str, str]) -> Form[Model]:
    """Read a form or query.

    Fields that the model does not know are left out, whatever they are called. An empty text counts as not sent unless
    the field is a text.

    Args:
        model: what is wanted.
        sent: field → texts.
    """
    given: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        texts = sent.getlist(info.alias or name)
        if _is_list(info.annotation):
            given[info.alias or name] = texts
        elif texts and (texts[-1] or info.annotation is str):
            given[info.alias or name] = texts[-1]
    values = {name: sent.getlist(name)[-1] for name in sent}
    try:
        return Form(values, {}, model.model_validate(given))
    except ValidationError as error:
        return Form(values, field_errors(error))


def field_errors(error: ValidationError) -> dict[str, str]:
    """Sentences for people from pydantic's findings, by dotted field name; the first of each field."""
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in fault["loc"])
        found.setdefault(name, sentence(fault))
    return found


def sentence(fault: ErrorDetails) -> str:
    """One finding of pydantic as a sentence."""
    limits = {name: str(value) for name, value in fault.get("ctx", {}).items()}
    kind = fault["type"]
    if kind in {"value_error", "assertion_error"}:
        return _(fault["msg"].split(", ", 1)[-1])
    if kind in _plain():
        return _plain()[kind]
    if kind in _limited() and limits:
        return _limited()[kind] % limits
    return _(fault["msg"])


def _plain() -> dict[str, str]:
    return {
        "missing": _("Please fill this in."),
        "extra_forbidden": _("This is not known here."),
        "int_parsing": _("A whole number is needed."),
        "int_type": _("A whole number is needed."),
        "int_from_float": _("A whole number is needed."),
        "int_parsing_size": _("This number is too large."),
        "float_parsing": _("A number is needed."),
        "finite_number": _("A number is needed."),
        "bool_parsing": _("Please choose yes or no."),
        "bool_type": _("True or false is needed."),
        "string_type": _("A text is needed."),
        "dict_type": _("An object is needed."),
        "model_type": _("An object is needed."),
        "list_type": _("A list is needed."),
        "date_from_datetime_parsing": _("A date such as 1990-12-31 is needed."),
        "date_parsing": _("A date such as 1990-12-31 is needed."),
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
        "literal_error": _("Choose one of: %(expected)s."),
    }


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in {list, tuple, set, frozenset, Sequence}
