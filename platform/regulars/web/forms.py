"""Forms and queries: text as people type it, read into a pydantic model, faults told field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _
from regulars.kernel.validation import field_errors

Model = TypeVar("Model", bound=BaseModel)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that the database's texts cannot hold."""


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


def read_form(model: type[Model], sent: MultiDict[str, str], *, only_known: bool = False) -> Form[Model]:
    """Read a form or query.

    An empty text counts as not sent unless the field is a text.

    Args:
        model: what is wanted.
        sent: field → texts.
        only_known: whether a field that the model does not know is an error; otherwise it is left out, whatever it is
            called.
    """
    given: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        texts = sent.getlist(info.alias or name)
        if _is_list(info.annotation):
            given[info.alias or name] = texts
        elif texts and (texts[-1] or info.annotation is str):
            given[info.alias or name] = texts[-1]
    values = {name: sent.getlist(name)[-1] for name in sent}
    unstorable = [name for name, text in values.items() if UNSTORABLE.search(text)]
    errors = {name: _("This text has characters that cannot be stored.") for name in unstorable}
    if only_known:
        given |= {name: text for name, text in values.items() if name not in given and text}
    try:
        data = model.model_validate(given)
    except ValidationError as error:
        return Form(values, {**field_errors(error), **errors})
    return Form(values, errors, None if errors else data)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in {list, tuple, set, frozenset, Sequence}
