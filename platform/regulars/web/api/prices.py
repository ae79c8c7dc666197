"""Money in bodies of the API: amounts as text or in minor units, read once and strictly."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Channel, Item, Purchase
from regulars.contracts.providers import UnitByAmount, UnitProvider
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import parse_amount
from regulars.web.api.models import SoldItem


class Priced(Protocol):
    """A sale or a line of it."""

    amount: str | None
    amount_minor: int | None


class PricedSale(Priced, Protocol):
    """A sale with its lines."""

    currency: str | None
    channel: Channel
    items: list[SoldItem]


def priced(provider: UnitProvider | None, purchase: Purchase, sent: PricedSale, currency: str) -> Purchase:
    """The purchase with what was paid for what.

    Args:
        provider: of the unit on whose path the sale came, `None` for a bill.
        purchase: as the provider made it.
        sent: the body.
        currency: of amounts that do not say it, ISO 4217.

    Raises:
        InvalidInput: an amount is wrong, said twice, or missing where the unit needs it.
    """
    currency = sent.currency or currency
    faults: dict[str, str] = {}
    whole = _read(sent, "amount", currency, faults)
    items = tuple(
        Item(
            line.sku, line.title, line.category, line.quantity, _read(line, f"items.{i}.amount", currency, faults) or 0
        )
        for i, line in enumerate(sent.items)
    )
    needs_amount = provider is not None and isinstance(provider, UnitByAmount)
    if whole is None and not faults and needs_amount:
        faults["amount"] = _("The amount of the sale is needed.")
    if faults:
        raise InvalidInput(" ".join(dict.fromkeys(faults.values())), fields=faults)
    return replace(
        purchase,
        amount_minor=whole,
        currency=None if whole is None else currency,
        items=items,
        channel=sent.channel,
    )


def read_money(sent: Priced, currency: str) -> int:
    """Minor units of an amount that has to be said.

    Args:
        sent: the body.
        currency: ISO 4217.

    Raises:
        InvalidInput: it is wrong, said twice, or missing.
    """
    faults: dict[str, str] = {}
    found = _read(sent, "amount", currency, faults)
    if found is None:
        faults.setdefault("amount", _("The amount of the sale is needed."))
        raise InvalidInput(faults["amount"], fields=faults)
    return found


def _read(sent: Priced, name: str, currency: str, faults: dict[str, str]) -> int | None:
    """Minor units of an amount, `None` when it was not sent or is wrong; what is wrong is put into `faults`."""
    if sent.amount is not None and sent.amount_minor is not None:
        faults[name] = _("Send the amount once, as a text or in minor units.")
        return None
    if sent.amount is None:
        return sent.amount_minor
    try:
        return parse_amount(sent.amount, currency)
    except ValueError as error:
        faults[name] = _(str(error))
        return None
