"""What the till sends with a sale: the fields of the unit provider's own model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Purchase
from regulars.contracts.providers import UnitProvider
from regulars.kernel.i18n import gettext as _
from regulars.kernel.validation import field_errors

QUANTITY = "quantity"


@dataclass(frozen=True, slots=True)
class EarnField:
    """A field of the form that gives units.

    Attributes:
        kind: `stepper` for the quantity, else the kind of input (`number`, `text`).
        value: at first.
        minimum, maximum: of numbers, `None` for no bound.
    """

    name: str
    label: str
    kind: str
    value: str
    minimum: int | None
    maximum: int | None


def earn_fields(provider: UnitProvider) -> Sequence[EarnField]:
    """The fields of a provider's model, as its JSON schema describes them."""
    properties: Mapping[str, Mapping[str, Any]] = provider.earn_body.model_json_schema().get("properties", {})
    return [_field(name, schema) for name, schema in properties.items()]


def read_purchase(provider: UnitProvider, sent: Mapping[str, str]) -> tuple[Purchase, Mapping[str, str]]:
    """The occasion in a form.

    Args:
        provider: whose fields.
        sent: field → text; what the provider does not know is left out.

    Returns:
        The occasion, and the fields that made it, for sending them again.

    Raises:
        InvalidInput: field by field.
    """
    known = {name: sent[name] for name in provider.earn_body.model_fields if sent.get(name, "").strip()}
    try:
        body: BaseModel = provider.earn_body.model_validate_strings(known)
    except ValidationError as error:
        faults = field_errors(error)
        raise InvalidInput(" ".join(faults.values()), fields=faults) from None
    return provider.purchase(body), known


def _field(name: str, schema: Mapping[str, Any]) -> EarnField:
    is_number = schema.get("type") in {"integer", "number"}
    default = schema.get("default")
    return EarnField(
        name=name,
        label=_("How many") if name == QUANTITY else _(str(schema.get("title", name))),
        kind="stepper" if name == QUANTITY else "number" if is_number else "text",
        value="" if default is None else str(default),
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
    )
