"""The till: each unit's path and its `/redeem`, registered at start from the providers; taking back the last action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, create_model
from quart import Blueprint, Response

from regulars.contracts.errors import (
    ConfigurationError,
    Conflict,
    IdempotencyInProgress,
    IdempotencyKeyMissing,
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    PluginFault,
)
from regulars.contracts.providers import UnitFamily, UnitProvider
from regulars.domain.ledger.commands import Answer, Attempt, CardRef
from regulars.domain.redemptions.service import RedeemCommand
from regulars.domain.sales.service import SaleCommand
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.web.api.models import BenefitAnswer, EarnSent, OfFamily, RedeemSent, TillSent, UndoAnswer
from regulars.web.api.prices import priced
from regulars.web.api.toolkit import ApiWork, Operation, api

TAG = "Till"
PROBLEMS = (
    NotFound,
    Conflict,
    IdempotencyInProgress,
    IdempotencyKeyMissing,
    IdempotencyMismatch,
    PluginFault,
)
_ApiRoute = Callable[..., Awaitable[Response]]


def add_routes(blueprint: Blueprint, registry: PluginRegistry) -> None:
    """Add the routes of every unit, and undo.

    Args:
        blueprint: of the store's API.
        registry: with the unit providers.

    Raises:
        ConfigurationError: a provider's body has a field that belongs to the host.
    """
    for path, (plugin, provider) in registry.unit_by_path.items():
        blueprint.add_url_rule(f"/{path}", f"{path}_earn", _earn_route(plugin, provider), methods=["POST"])
        blueprint.add_url_rule(f"/{path}/redeem", f"{path}_redeem", _redeem_route(plugin, provider), methods=["POST"])
    blueprint.add_url_rule("/sales/undo", "undo", undo, methods=["POST"])


def earn_body(plugin: str, provider: UnitProvider) -> type[BaseModel]:
    """What a unit's path reads: what every till says, and what the provider wants besides.

    Raises:
        ConfigurationError: the provider's body has a field that belongs to the host.
    """
    clashes = set(provider.earn_body.model_fields) & set(EarnSent.model_fields)
    if clashes:
        raise ConfigurationError(f"plugin {plugin}: its body has the host's fields {', '.join(sorted(clashes))}")
    name = f"{provider.earn_body.__name__}AtTill"
    about = f"A sale that earns {provider.unit}."
    return create_model(name, __base__=(*_sent(EarnSent, provider), provider.earn_body), __doc__=about)


def _redeem_body(provider: UnitProvider) -> type[BaseModel]:
    bases = _sent(RedeemSent, provider)
    return RedeemSent if len(bases) == 1 else create_model(f"RedeemOf{provider.unit.capitalize()}", __base__=bases)


def _sent(body: type[BaseModel], provider: UnitProvider) -> tuple[type[BaseModel], ...]:
    """What every till says; which unit it means, too, where a program may have several of them."""
    return (OfFamily, body) if isinstance(provider, UnitFamily) else (body,)


def _meant(work: ApiWork, provider: UnitProvider, body: Any) -> UnitProvider:
    """The unit that a till means; whether the program has it is for the sale to say.

    Raises:
        InvalidInput: it is not of this family.
    """
    unit = getattr(body, "unit", None) or provider.unit
    found = work.services.plugins.unit_providers.get(unit)
    if found is None or found[1].path != provider.path:
        sentence = _("There is no such unit here.")
        raise InvalidInput(sentence, fields={"unit": sentence})
    return found[1]


def earn_answer(provider: UnitProvider) -> type[BaseModel]:
    """What a unit's path answers: the provider's words, and what the till takes off or hands over, if anything."""
    benefits: Any = Field(
        default_factory=list, description="What to take off the bill or to hand over; missing when there is nothing."
    )
    model = provider.earn_answer
    return create_model(model.__name__, __base__=model, __doc__=model.__doc__, benefits=(list[BenefitAnswer], benefits))


def _earn_route(plugin: str, provider: UnitProvider) -> _ApiRoute:
    operation = Operation(
        door="store",
        permission="sales.record",
        body=earn_body(plugin, provider),
        answers={200: earn_answer(provider)},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )

    @api(operation)
    async def earn(work: ApiWork, body: Any) -> Answer:
        """Record a sale.

        It gives whatever the program's plugins give; the answer speaks of this path's unit.
        """
        meant = _meant(work, provider, body)
        purchase = priced(meant, meant.purchase(body), body, work.ctx.tenant.currency)
        command = SaleCommand(attempt_of(work, body), meant.unit, purchase, body.external_ref, body.occurred_at)
        return await work.services.sales.record(work.session, work.ctx, command)

    return earn


def _redeem_route(plugin: str, provider: UnitProvider) -> _ApiRoute:
    operation = Operation(
        door="store",
        permission="sales.redeem",
        body=_redeem_body(provider),
        answers={200: provider.redeem_answer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )

    @api(operation)
    async def redeem(work: ApiWork, body: Any) -> Answer:
        """Hand over a reward."""
        command = RedeemCommand(attempt_of(work, body), _meant(work, provider, body).unit, body.reward)
        return await work.services.redemptions.redeem(work.session, work.ctx, command)

    return redeem


@api(
    Operation(
        door="store",
        permission="sales.undo",
        body=TillSent,
        answers={200: UndoAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def undo(work: ApiWork, body: TillSent) -> Answer:
    """Take back the card's last sale or redemption.

    Only the person who recorded it can, and only for ten minutes.
    """
    return await work.services.sales.undo(work.session, work.ctx, attempt_of(work, body))


def attempt_of(work: ApiWork, sent: TillSent) -> Attempt:
    """What a till said, as the ledger reads it.

    Raises:
        NotFound: the card cannot be one.
        InvalidInput: staff or shop cannot be an id.
    """
    staff_id, shop_id = staff_and_shop(sent.staff, sent.shop)
    return Attempt(work.required_claim(), CardRef.parse(sent.card), staff_id, sent.pin, shop_id)


def staff_and_shop(staff: str | None, shop: str | None) -> tuple[UUID | None, UUID | None]:
    """The ids of who acts and where, as they were sent.

    Raises:
        InvalidInput: one of them cannot be an id.
    """
    faults = {}
    staff_id = ids.read(ids.STAFF, staff) if staff is not None else None
    shop_id = ids.read(ids.SHOP, shop) if shop is not None else None
    if staff is not None and staff_id is None:
        faults["staff"] = _("This is no id of a staff member.")
    if shop is not None and shop_id is None:
        faults["shop"] = _("This is no id of a shop.")
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    return staff_id, shop_id
