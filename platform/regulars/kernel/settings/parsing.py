"""What a person sent in a settings form, read into the settings model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import parse_money
from regulars.kernel.settings.forms import PLACE, REMOVE, Shape, sent_rows, shape_of
from regulars.kernel.settings.kinds import is_operators
from regulars.kernel.validation import field_errors

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ParsedForm(Generic[Model]):
    """The result of reading a form.

    Attributes:
        settings: the present settings with what was sent, `None` when something is wrong.
        values: field → value that was read, for `SettingsStore.save`; an empty secret is left out and so stays.
        errors: full field name → sentence; the bare prefix (or the empty name) is for the whole form.
    """

    settings: Model | None
    values: Mapping[str, Any]
    errors: Mapping[str, str]


def parse_form(
    current: Model,
    sent: Mapping[str, str],
    *,
    prefix: str = "",
    only: Collection[str] | None = None,
    currency: str = "EUR",
) -> ParsedForm[Model]:
    """Read a settings form.

    Args:
        current: present settings; what the form does not show stays as it is.
        sent: name → text; names without the prefix belong to others.
        prefix, only: as the form was described.
        currency: of amounts of money.

    Returns:
        The settings or sentences about what is wrong, in the current language.
    """
    model = type(current)
    fields = ((name, info) for name, info in model.model_fields.items() if not is_operators(info))
    shown = [name for name, _info in fields if only is None or name in only]
    reader = _Reader(sent, currency)
    values = {}
    for name in shown:
        found = reader.read(prefix + name, model.model_fields[name])
        if found is not _ABSENT:
            values[name] = found
    errors = {**_unknown(model, sent, prefix), **reader.errors}
    kept = {name: value for name, value in current if name not in values}
    try:
        settings = model.model_validate({**kept, **values})
    except ValidationError as error:
        renamed = {_sent_name(prefix, name, reader.row_numbers): text for name, text in field_errors(error).items()}
        return ParsedForm(None, values, {**renamed, **errors})
    return ParsedForm(None if errors else settings, values, errors)


_ABSENT = object()
_CHOSEN = frozenset({"checkbox", "select", "tiles"})


class _Reader:
    """Turns texts into what the model accepts; gathers what is not even readable."""

    def __init__(self, sent: Mapping[str, str], currency: str) -> None:
        self._sent = sent
        self._currency = currency
        self.errors: dict[str, str] = {}
        self.row_numbers: dict[str, list[int]] = {}

    def read(self, name: str, info: FieldInfo) -> Any:
        """The value of a field, `_ABSENT` when it was not sent and so stays."""
        shape = shape_of(name, info)
        if shape.kind == "checkbox":
            return bool(self._sent.get(name))
        if shape.kind == "list":
            return self._rows(name, shape)
        if shape.kind == "i18n":
            return dict(self._texts(name))
        if name not in self._sent:
            return _ABSENT
        return self._plain(name, shape, self._sent[name])

    def _plain(self, name: str, shape: Shape, text: str) -> Any:
        if shape.kind == "secret":
            return text or _ABSENT
        if shape.kind not in {"text", "textarea"}:
            text = text.strip()
        if text == "" and shape.optional:
            return None
        if shape.kind == "words":
            return tuple(word.strip() for word in text.split(",") if word.strip())
        return self._money(name, text) if shape.kind == "money" else text

    def _money(self, name: str, text: str) -> Any:
        try:
            return parse_money(text, self._currency)
        except ValueError:
            self.errors[name] = _("An amount such as 4.50 is needed.")
            return 0

    def _texts(self, name: str) -> Iterator[tuple[str, str]]:
        start = f"{name}."
        for key, text in self._sent.items():
            if key.startswith(start) and text.strip():
                yield key.removeprefix(start), text

    def _rows(self, name: str, shape: Shape) -> list[dict[str, Any]]:
        """The rows of a list in which something was typed, and that are not to go, each in its place."""
        assert shape.item is not None
        item = shape.item
        starts = ((number, f"{name}.{number}.") for number in range(sent_rows(self._sent, name)))
        wanted = [
            (self._place(start, number), number, start)
            for number, start in starts
            if self._is_filled(start, item) and not self._sent.get(start + REMOVE)
        ]
        self.row_numbers[name] = [number for _place, number, _start in sorted(wanted)]
        return [self._row(start, item) for _place, _number, start in sorted(wanted)]

    def _row(self, start: str, item: type[BaseModel]) -> dict[str, Any]:
        """A row; what is left empty there has its default."""
        shown = {
            part: info for part, info in item.model_fields.items() if not self._is_left_to_default(start + part, info)
        }
        parts = ((part, self.read(start + part, info)) for part, info in shown.items())
        return {part: value for part, value in parts if value is not _ABSENT}

    def _is_left_to_default(self, name: str, info: FieldInfo) -> bool:
        shape = shape_of(name, info)
        can_be = shape.kind in {"number", "money", "select", "tiles"} and not shape.optional and not info.is_required()
        return can_be and not self._sent.get(name, "").strip()

    def _place(self, start: str, number: int) -> float:
        """Where a row is wanted: what was moved up to a place comes before the one that is there."""
        text = self._sent.get(start + PLACE, "").strip()
        if not (text.isascii() and text.isdecimal() and len(text) <= 3) or int(text) == number + 1:
            return number + 1
        return int(text) + (0.5 if int(text) > number + 1 else -0.5)

    def _is_filled(self, start: str, item: type[BaseModel]) -> bool:
        """Whether anything was typed in a row; choices and ticks alone are there in an empty row too."""
        ticks = {part for part, info in item.model_fields.items() if shape_of(part, info).kind in _CHOSEN}
        sent = ((key.removeprefix(start), text) for key, text in self._sent.items() if key.startswith(start))
        return any(text.strip() for part, text in sent if part not in {*ticks, PLACE, REMOVE})


def _unknown(model: type[BaseModel], sent: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Names with the prefix that the model does not have; without a prefix other names cannot be told apart."""
    if not prefix:
        return {}
    names = (name for name in sent if name.startswith(prefix))
    known = model.model_fields.keys()
    return {
        name: _("This is not known here.") for name in names if name.removeprefix(prefix).partition(".")[0] not in known
    }


def _sent_name(prefix: str, name: str, row_numbers: Mapping[str, list[int]]) -> str:
    """The name of a field as it was sent: empty rows of lists were left out and count here."""
    if not name:
        return prefix.rstrip(".")
    first, _dot, rest = name.partition(".")
    numbers = row_numbers.get(prefix + first)
    index, _dot, part = rest.partition(".")
    if numbers is None or not index.isdecimal() or int(index) >= len(numbers):
        return prefix + name
    return f"{prefix}{first}.{numbers[int(index)]}.{part}".rstrip(".")
