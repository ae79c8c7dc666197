"""Redeeming a reward: the same checks as a sale up to the PIN, then the offer must be ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.events import RewardRedeemed
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import Refusal, RewardOffer
from regulars.domain.ledger.commands import Answer, Attempt
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class RedeemCommand:
    """A reward to hand over.

    Attributes:
        unit: the unit that pays; its plugin's first reward is meant unless `reward` says another.
        reward: `<kind>` or `<kind>/<key>` of an offer.
    """

    attempt: Attempt
    unit: str
    reward: str | None = None


class Redemptions:
    """Redeems rewards.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def redeem(self, session: TenantSession, ctx: Context, command: RedeemCommand) -> Answer:
        """Redeem a reward, or refuse it with a reason; both are to be committed.

        Returns:
            The answer that was stored under the attempt's key.

        Raises:
            NotFound, InvalidInput, IdempotencyInProgress, IdempotencyMismatch, Conflict: nothing is kept.
        """
        opened = await self._ledger.open(session, ctx, command.attempt, extra="lots", values={})
        if isinstance(opened, Answer):
            return opened
        offer = self._offer(opened, command)
        refusal = opened.standing(redeeming=True) or self._ledger.check_pin(opened) or _not_ready(offer)
        if refusal is None and isinstance(verdict := opened.check_redemption(offer), Refusal):
            refusal = verdict
        if refusal is not None:
            answer = opened.refusal_answer(refusal, "reward.redeem")
            opened.store(answer)
            await self._ledger.write(opened, "refuse")
            return answer
        redemption_id = new_id()
        posting = self._post(opened, offer, redemption_id)
        plugin, provider = self._ledger.registry.unit_providers[offer.unit]
        context = opened.ledger_context(plugin, posting.accounts)
        model = provider.answer_redeem(context, context.account(offer.unit), offer)
        answer = Answer(200, model.model_dump_json().encode())
        opened.store(answer, redemption_id=redemption_id)
        await self._ledger.write(opened, "redeem")
        return answer

    def offers(self, opened: OpenCard) -> Sequence[RewardOffer]:
        """All rewards of the enabled plugins for a card, reachable or not."""
        return [
            offer
            for plugin, provider in self._ledger.registry.reward_providers.values()
            if plugin in opened.enabled
            for offer in provider.offers(opened.ledger_context(plugin), opened.plugin_facts(plugin))
        ]

    def _offer(self, opened: OpenCard, command: RedeemCommand) -> RewardOffer:
        offers = [offer for offer in self.offers(opened) if offer.unit == command.unit]
        if command.reward is not None:
            kind, _separator, key = command.reward.partition("/")
            offers = [offer for offer in offers if offer.kind == kind and offer.key == key]
        if not offers:
            raise NotFound(_("There is no such reward."))
        return offers[0]

    @staticmethod
    def _post(opened: OpenCard, offer: RewardOffer, redemption_id: UUID) -> Posting:
        posting = opened.posting("redemption", redemption_id=redemption_id)
        posting.redeem(
            offer.unit,
            offer.cost,
            opened.lots,
            plugin=offer.kind.partition(".")[0],
            rule=offer.kind,
            explanation={"reward": offer.title, "cost": offer.cost},
        )
        opened.add(
            "redemption",
            {
                "id": redemption_id,
                "shop_id": opened.shop_id,
                "staff_id": opened.staff_id,
                "reward_kind": offer.kind,
                "reward_key": offer.key,
                "title": offer.title,
                "unit": offer.unit,
                "cost": offer.cost,
                "value_minor": offer.value_minor,
                "currency": opened.rules.program.currency,
                "status": "captured",
                "source": opened.ctx.source,
                "device": opened.ctx.device,
                "created_at": opened.now,
            },
        )
        opened.add_posting(posting)
        opened.add_event(
            RewardRedeemed(
                redemption_id=redemption_id,
                card_id=opened.card.id,
                reward_kind=offer.kind,
                cost=offer.cost,
                unit=offer.unit,
            )
        )
        opened.add_outcomes("redemption_posted", offer, redemption_id)
        details = {"reward": offer.kind, "cost": offer.cost}
        opened.add_audit(Subject("reward.redeem", "redemption", redemption_id), outcome="done", details=details)
        return posting


def _not_ready(offer: RewardOffer) -> Refusal | None:
    if offer.refusal is not None:
        return offer.refusal
    if offer.ready:
        return None
    return Refusal(
        "reward.not_ready",
        N_("Not yet: {missing} more needed for {reward}."),
        {"missing": offer.missing, "reward": offer.title},
    )
