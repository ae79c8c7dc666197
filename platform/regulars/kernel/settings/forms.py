"""A settings model as a form: what the macro of the components folder needs to draw every field.

Kinds are those of the component `field`, and more: `tiles` (a choice with icons), `list` (rows of a model), and `words`
(several short texts, typed with commas between them).
Names are dotted: `stamps.target`, `stamps.milestones.0.at`.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from regulars.contracts.conditions import Conditions
from regulars.contracts.errors import ConfigurationError
from regulars.kernel.i18n import gettext as _
from regulars.kernel.settings.kinds import field_extra, is_operators

FieldKind = Literal[
    "text",
    "textarea",
    "number",
    "money",
    "checkbox",
    "select",
    "tiles",
    "colour",
    "image",
    "i18n",
    "secret",
    "list",
    "date",
    "time",
    "words",
]
PLACE, REMOVE = "__place", "__remove"
"""Fields of a long row besides the model's own: where it stands, from 1, and that it goes."""
LONG_ROW = 4
"""Rows with more fields than that can be moved and removed by these."""
BLANK_ROWS = 1
"""Empty rows at the end of a list: that is how one is added without JavaScript."""
_LONG_TEXT = 200
_WIDGETS: Mapping[str, FieldKind] = {
    "textarea": "textarea",
    "money": "money",
    "icon": "tiles",
    "tiles": "tiles",
    "color": "colour",
    "colour": "colour",
    "image": "image",
    "i18n": "i18n",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select or of tiles; `icon` is set where the values are names of icons."""

    value: str
    label: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field.

    Attributes:
        name: as it is sent.
        label, help, unit: in the reader's language; the unit of the value that is shown.
        value: a bool for a checkbox, minor units or a typed text for money, `{locale: text}` for i18n, else a text.
        required: an empty value is refused.
        minimum, maximum, step: of a number, as text.
        is_set: of a secret: whether one is stored; its value is never shown.
        rows: of a list: fields of each row, with empty rows at its end.
        attributes: further HTML attributes, for the live preview.
        error: sentence, empty when there is nothing wrong.
    """

    name: str
    kind: FieldKind
    label: str
    help: str = ""
    unit: str = ""
    value: Any = ""
    required: bool = False
    minimum: str | None = None
    maximum: str | None = None
    step: str | None = None
    max_length: int | None = None
    choices: tuple[Choice, ...] = ()
    is_set: bool = False
    rows: tuple[tuple[FormField, ...], ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The choices as (value, label)."""
        return tuple((choice.value, choice.label) for choice in self.choices)


@dataclass(frozen=True, slots=True)
class FormGroup:
    """Fields that belong together; `title` is empty for the first group of models that name none."""

    name: str
    title: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """A form.

    Attributes:
        errors: (field name, sentence) of everything that is wrong; an empty name is for the whole form.
    """

    groups: tuple[FormGroup, ...]
    errors: tuple[tuple[str, str], ...] = ()

    def fields(self) -> Iterator[FormField]:
        """All fields, those in rows of lists included."""
        for group in self.groups:
            for one in group.fields:
                yield from _with_rows(one)


def _with_rows(one: FormField) -> Iterator[FormField]:
    yield one
    for row in one.rows:
        for part in row:
            yield from _with_rows(part)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field's annotation says.

    Attributes:
        kind: how it is shown.
        base: the annotation without `Optional`.
        optional: whether `None` is possible.
        item: model of a list's rows.
    """

    kind: FieldKind
    base: Any
    optional: bool
    item: type[BaseModel] | None = None


def shape_of(name: str, info: FieldInfo) -> Shape:
    """Find out how a field is shown and read.

    Raises:
        ConfigurationError: there is no kind of field for its annotation.
    """
    base, optional = _without_none(info.annotation)
    widget = field_extra(info).get("widget", "")
    if widget:
        if widget not in _WIDGETS:
            raise ConfigurationError(f"the setting {name} has an unknown widget {widget!r}")
        return Shape(_WIDGETS[widget], base, optional)
    origin = get_origin(base)
    if origin in {list, tuple, Sequence} and _is_model(get_args(base)[0]):
        return Shape("list", base, optional, item=get_args(base)[0])
    if origin is tuple and get_args(base) == (str, ...):
        return Shape("words", base, optional)
    if origin is Literal or (isinstance(base, type) and issubclass(base, Enum)):
        return Shape("select", base, optional)
    plain: dict[Any, FieldKind] = {bool: "checkbox", int: "number", float: "number", Decimal: "number"}
    plain |= {date: "date", time: "time"}
    plain |= {SecretStr: "secret", str: "textarea" if (_bound(info, "max_length") or 0) > _LONG_TEXT else "text"}
    if base not in plain:
        raise ConfigurationError(f"the setting {name} cannot be a form field: {base!r}")
    return Shape(plain[base], base, optional)


def describe_form(
    settings: BaseModel,
    *,
    prefix: str = "",
    only: Collection[str] | None = None,
    sent: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> SettingsForm:
    """Describe the form of some settings, in the current language.

    Args:
        settings: present values.
        prefix: put before every name, `stamps.`, so that several models fit into one HTML form.
        only: names of the fields to show, in the model's order; by default all that are not the operator's.
        sent: what was typed, to be shown again after a refusal.
        errors: full field name → sentence.

    Raises:
        ConfigurationError: the model has a field that cannot be shown.
    """
    writer = _Writer(sent, errors or {})
    groups: dict[str, list[FormField]] = {}
    for name, info in type(settings).model_fields.items():
        if (only is None or name in only) and not is_operators(info):
            group = str(field_extra(info).get("group", ""))
            groups.setdefault(group, []).append(writer.field(prefix + name, info, getattr(settings, name)))
    titles = _group_titles(type(settings))
    return SettingsForm(
        tuple(
            FormGroup(name, _(titles[name]) if name in titles else "", tuple(found)) for name, found in groups.items()
        ),
        tuple((errors or {}).items()),
    )


class _Writer:
    """Fields of one form."""

    def __init__(self, sent: Mapping[str, str] | None, errors: Mapping[str, str]) -> None:
        self._sent = sent
        self._errors = errors

    def field(self, name: str, info: FieldInfo, value: Any) -> FormField:
        """Describe one field with its present or typed value."""
        shape = shape_of(name, info)
        extra, shown = field_extra(info), self._value(name, shape, value)
        return FormField(
            name=name,
            kind=shape.kind,
            label=_(info.title) if info.title else name.rpartition(".")[2].replace("_", " ").capitalize(),
            help=_(info.description) if info.description else "",
            unit=_unit(extra, shown),
            value=shown,
            required=_is_required(shape, info),
            minimum=_text(_bound(info, "ge", "gt")),
            maximum=_text(_bound(info, "le", "lt")),
            step=_text(_bound(info, "multiple_of")) or ("any" if shape.base in {float, Decimal} else None),
            max_length=_bound(info, "max_length") if shape.kind in {"text", "textarea"} else None,
            choices=_choices(shape, extra),
            is_set=shape.kind == "secret" and value is not None and bool(value.get_secret_value()),
            rows=self._rows(name, shape.item, value) if shape.item else (),
            attributes={f"data-preview-{kind}": str(target) for kind, target in extra.get("preview", {}).items()},
            error=self._errors.get(name, ""),
        )

    def _value(self, name: str, shape: Shape, value: Any) -> Any:
        if shape.kind == "checkbox":
            return value is True if self._sent is None else bool(self._sent.get(name))
        if shape.kind == "i18n":
            return self._texts(name, value or {})
        if shape.kind in {"secret", "list"}:
            return ""
        if self._sent is not None:
            return self._sent.get(name, "")
        return _shown(shape, value)

    def _texts(self, name: str, value: Mapping[str, str]) -> Mapping[str, str]:
        if self._sent is None:
            return value
        start = f"{name}."
        return {key.removeprefix(start): text for key, text in self._sent.items() if key.startswith(start)}

    def _rows(
        self, name: str, item: type[BaseModel], value: Sequence[BaseModel] | None
    ) -> tuple[tuple[FormField, ...], ...]:
        given = value or ()
        filled = len(given) if self._sent is None else sent_rows(self._sent, name)
        rows = []
        for index in range(filled + BLANK_ROWS):
            present = dict(given[index]) if self._sent is None and index < filled else {}
            parts = [self._part(f"{name}.{index}.{part}", info, present.get(part)) for part, info in _in_order(item)]
            if index < filled:
                parts += self._tools(f"{name}.{index}.", index) if len(parts) > LONG_ROW else ()
            else:
                parts = [replace(part, required=False) for part in parts]
            rows.append(tuple(parts))
        return tuple(rows)

    def _part(self, name: str, info: FieldInfo, value: Any) -> FormField:
        """A field of a row: no live preview shows what one of several rows says."""
        return replace(self.field(name, info, value), attributes={})

    def _tools(self, start: str, index: int) -> tuple[FormField, ...]:
        sent = self._sent or {}
        place = sent.get(start + PLACE, str(index + 1))
        return (
            FormField(start + PLACE, "number", _("Place"), value=place, minimum="1", maximum="999"),
            FormField(start + REMOVE, "checkbox", _("Remove"), value=bool(sent.get(start + REMOVE))),
        )


def _in_order(item: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """A row's fields: its conditions, if it has any, come after what the row is about."""
    return sorted(item.model_fields.items(), key=lambda part: part[0] in Conditions.model_fields)


def _unit(extra: Mapping[str, Any], shown: Any) -> str:
    """What a number counts: `days`, and `day` for one where the field says so."""
    word = extra.get("one" if str(shown) == "1" else "unit", extra.get("unit", ""))
    return _(str(word)) if word else ""


def _shown(shape: Shape, value: Any) -> Any:
    if value is None:
        return ""
    if shape.kind == "money":
        return value
    if shape.kind == "words":
        return ", ".join(value)
    if isinstance(value, time):
        return value.isoformat("minutes")
    return str(value.value if isinstance(value, Enum) else value)


def sent_rows(sent: Mapping[str, str], name: str) -> int:
    """How many rows of a list were sent: one more than the highest number in a name."""
    start = f"{name}."
    numbers = (key.removeprefix(start).partition(".")[0] for key in sent if key.startswith(start))
    return 1 + max((int(number) for number in numbers if number.isdecimal() and len(number) <= 3), default=-1)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in {Union, types.UnionType}:
        parts = [part for part in get_args(annotation) if part is not type(None)]
        if len(parts) == 1:
            return parts[0], True
    return annotation, False


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_required(shape: Shape, info: FieldInfo) -> bool:
    if shape.optional or shape.kind in {"checkbox", "list", "secret", "words"}:
        return False
    return shape.base is not str or bool(_bound(info, "min_length"))


def _bound(info: FieldInfo, *names: str) -> Any:
    """The first of some limits that a field has: `ge`, `le`, `max_length`."""
    found = (getattr(one, name, None) for one in info.metadata for name in names)
    return next((limit for limit in found if limit is not None), None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _choices(shape: Shape, extra: Mapping[str, Any]) -> tuple[Choice, ...]:
    if shape.kind not in {"select", "tiles"}:
        return ()
    if get_origin(shape.base) is Literal:
        values = [str(value) for value in get_args(shape.base)]
    else:
        values = [str(member.value) for member in shape.base]
    labels: Mapping[str, str] = extra.get("choices", {})
    none = [Choice("", _("None"))] if shape.optional else []
    has_icons = extra.get("widget") == "icon"
    icons: Mapping[str, str] = extra.get("icons", {})
    return (
        *none,
        *(Choice(value, _(labels.get(value, value)), icons.get(value, value) if has_icons else "") for value in values),
    )


def _group_titles(model: type[BaseModel]) -> Mapping[str, str]:
    extra = model.model_config.get("json_schema_extra")
    titles = extra.get("groups") if isinstance(extra, dict) else None
    return {str(name): str(title) for name, title in titles.items()} if isinstance(titles, dict) else {}
