"""Two versions of some settings side by side, in the words of their form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from regulars.kernel.i18n import format_money
from regulars.kernel.i18n import gettext as _
from regulars.kernel.settings.forms import BLANK_ROWS, PLACE, REMOVE, FormField, describe_form

_KEY = "key"
"""Field by which rows of a list are told apart, where they have it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that changed; an empty text is what was not there."""

    label: str
    before: str
    after: str


def differences(before: BaseModel, after: BaseModel, currency: str) -> Sequence[Difference]:
    """What is not the same in two settings of one model, in the current language.

    Args:
        before, after: the settings; secrets are not looked at.
        currency: of amounts of money.
    """
    old, new = dict(_texts(before, currency)), dict(_texts(after, currency))
    labels = {name: label for found in (old, new) for name, (label, _text) in found.items()}
    pairs = ((label, old.get(name, ("", ""))[1], new.get(name, ("", ""))[1]) for name, label in labels.items())
    return [Difference(label, was, now) for label, was, now in pairs if was != now]


def _texts(settings: BaseModel, currency: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """(name, (label, what it says)) of each field, and of each row of a list."""
    for group in describe_form(settings).groups:
        for field in group.fields:
            if field.kind == "secret":
                continue
            if field.kind != "list":
                yield field.name, (field.label, _said(field, currency))
                continue
            for number, row in enumerate(field.rows[:-BLANK_ROWS]):
                key = next((str(part.value) for part in row if part.name.endswith(f".{_KEY}") and part.value), "")
                yield f"{field.name}.{key or number}", (field.label, _row(row, currency))


def _row(row: Sequence[FormField], currency: str) -> str:
    """What a row says, without its key, its place, and what is not ticked."""
    told = [part for part in row if part.name.rpartition(".")[2] not in {_KEY, PLACE, REMOVE}]
    parts = [(part.label, _rows(part, currency) if part.kind == "list" else _said(part, currency)) for part in told]
    is_off = {part.label for part in told if part.kind == "checkbox" and not part.value}
    return ", ".join(f"{label}: {said}" for label, said in parts if said and label not in is_off)


def _rows(field: FormField, currency: str) -> str:
    return "; ".join(f"({_row(row, currency)})" for row in field.rows[:-BLANK_ROWS])


def _said(field: FormField, currency: str) -> str:
    value = field.value
    if field.kind == "checkbox":
        return _("yes") if value else _("no")
    if value in {"", None} if not isinstance(value, Mapping) else not value:
        return ""
    if field.kind == "money" and isinstance(value, int):
        return format_money(value, currency)
    if isinstance(value, Mapping):
        return " / ".join(value.values())
    text = dict(field.options).get(str(value), str(value))
    return f"{text} {field.unit}".strip()
