"""What the till sends with a sale: the fields of the unit provider's own model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Purchase
from regulars.contracts.providers import UnitByAmount, UnitProvider
from regulars.kernel.i18n import gettext as _
from regulars.kernel.validation import field_errors
from regulars.web.money import typed_amount

QUANTITY, AMOUNT = "quantity", "amount"


@dataclass(frozen=True, slots=True)
class EarnField:
    """A field of the form that gives units.

    Attributes:
        kind: `stepper` for the quantity and fields with this widget, `money` for the amount, else the kind of input
            (`number`, `text`).
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
    """The fields of a provider's model, as its JSON schema describes them, and the amount where the unit needs it."""
    properties: Mapping[str, Mapping[str, Any]] = provider.earn_body.model_json_schema().get("properties", {})
    own = [_field(name, schema) for name, schema in properties.items()]
    money = [EarnField(AMOUNT, _("Amount"), "money", "", None, None)] if isinstance(provider, UnitByAmount) else []
    return [*money, *own]


def read_purchase(provider: UnitProvider, sent: Mapping[str, str], currency: str) -> tuple[Purchase, Mapping[str, str]]:
    """The occasion in a form.

    Args:
        provider: whose fields.
        sent: field → text; what the provider does not know is left out.
        currency: of the program, ISO 4217.

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
    purchase = provider.purchase(body)
    if not isinstance(provider, UnitByAmount):
        return purchase, known
    text = sent.get(AMOUNT, "")
    minor = typed_amount(text, currency, AMOUNT)
    return replace(purchase, amount_minor=minor, currency=currency), {**known, AMOUNT: text.strip()}


def _field(name: str, schema: Mapping[str, Any]) -> EarnField:
    is_number = schema.get("type") in {"integer", "number"}
    default = schema.get("default")
    return EarnField(
        name=name,
        label=_("How many") if name == QUANTITY else _(str(schema.get("title", name))),
        kind="stepper" if schema.get("widget", name) in {"stepper", QUANTITY} else "number" if is_number else "text",
        value="" if default is None else str(default),
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
    )
