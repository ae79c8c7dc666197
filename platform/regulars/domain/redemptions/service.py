"""Redeeming a reward, and carrying a redemption on: the checks of a sale up to the PIN, then the offer must be ready.

Units are taken when a redemption begins; whether the reward is handed out at once, put aside or sent is its state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import choice
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.events import RewardRedeemed
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import Refusal, RewardOffer
from regulars.domain.households.drawing import draw, lock_household
from regulars.domain.ledger.commands import Answer, Attempt
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.lots import posted
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.domain.redemptions.answers import RedemptionAnswer, redemption_answer
from regulars.domain.redemptions.life import HELD, NO_LONGER, ORDERED, Move, State, after, beginning
from regulars.domain.redemptions.moving import Moving, add_step
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that are read as one another."""
CODE_LENGTH = 8
MAX_ADDRESS = 500
BY_POST: frozenset[Move] = frozenset({"ship", "deliver", "cancel"})
"""What is done in the back office, not at a till: a permission is enough."""
WITHOUT_PIN = frozenset({"member", "system"})
"""Kinds of principals who are no staff at a till: they are known by their own session, or are ourselves."""


@dataclass(frozen=True, slots=True)
class RedeemCommand:
    """A reward to hand over.

    Attributes:
        unit: the unit that pays; its plugin's first reward is meant unless `reward` says another. `None` where `reward`
            says it all.
        reward: `<kind>` or `<kind>/<key>` of an offer.
        hold: put it aside until somebody captures it with its code, instead of handing it out now.
        is_online: the caller's key is that of a shop on the web, and nobody stands at a till: no PIN.
        ship_to: address for what is sent.
        wants_redemption: whether the caller wants to hear about the redemption, not about the unit.
    """

    attempt: Attempt
    unit: str | None
    reward: str | None = None
    hold: bool = False
    is_online: bool = False
    ship_to: str = ""
    wants_redemption: bool = False


@dataclass(frozen=True, slots=True)
class MoveCommand:
    """What is to become of a redemption.

    Attributes:
        attempt: names the redemption's own card.
        is_online: as for `RedeemCommand`.
    """

    attempt: Attempt
    redemption_id: UUID
    move: Move
    is_online: bool = False


class Redemptions:
    """Redeems rewards and carries redemptions on.

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
            NotFound, InvalidInput, IdempotencyInProgress, IdempotencyMismatch, Conflict, Raced: nothing is kept.
        """
        await lock_household(session, ctx, command.attempt.card)
        opened = await self._ledger.open(session, ctx, command.attempt, extra="lots", values={})
        if isinstance(opened, Answer):
            return opened
        found = await self.post(opened, command)
        if isinstance(found, Refusal):
            return await self.refuse(opened, found, "reward.redeem")
        redeemed, posting = found
        answer = self._answer(opened, command, redeemed, posting)
        opened.store(answer, redemption_id=redeemed.id)
        await self._ledger.write(opened, "redeem")
        return answer

    async def post(self, opened: OpenCard, command: RedeemCommand) -> tuple[Redeemed, Posting] | Refusal:
        """Add the rows of a redemption, or say why it cannot be.

        Args:
            opened: the card under its lock, and its household too.
            command: what is wanted.

        Raises:
            NotFound: there is no such reward.
            InvalidInput: no PIN where one is needed, no address for what is sent.
        """
        offer = self._offer(opened, command)
        refusal = (
            opened.standing(redeeming=True) or self.check_pin(opened, is_online=command.is_online) or _not_ready(offer)
        )
        if refusal is None and isinstance(verdict := opened.check_redemption(offer), Refusal):
            refusal = verdict
        if refusal is not None:
            return refusal
        state = beginning(offer, hold=command.hold)
        ship_to = _address(command.ship_to) if state == ORDERED else ""
        redeemed = Redeemed(new_id(), offer, state, offer.code or (new_code() if state == HELD else ""), ship_to)
        return redeemed, _post(opened, redeemed, await draw(self._ledger, opened, offer.unit, offer.cost))

    async def move(self, session: TenantSession, ctx: Context, command: MoveCommand) -> Answer:
        """Carry a redemption on, or refuse it with a reason; both are to be committed.

        Returns:
            The answer that was stored under the attempt's key.

        Raises:
            NotFound, InvalidInput, IdempotencyInProgress, IdempotencyMismatch, Conflict: nothing is kept.
        """
        values = {"redemption_id": command.redemption_id}
        opened = await self._ledger.open(session, ctx, command.attempt, extra="redemption", values=values)
        if isinstance(opened, Answer):
            return opened
        entries = opened.read["redemption"]
        if not entries:
            raise NotFound(_("We could not find this redemption."))
        found = Moving.of(entries[0]["redemption"])
        state = after(found.state, command.move)
        asks_pin = command.move not in BY_POST
        refusal = self.check_pin(opened, is_online=command.is_online) if asks_pin else None
        refusal = refusal or _paused(opened, command.move) or _too_late(found, command.move, _clock(opened))
        if refusal is None and isinstance(state, Refusal):
            refusal = state
        if refusal is not None:
            return await self.refuse(opened, refusal, f"redemption.{command.move}")
        assert isinstance(state, State)
        found.move(opened, command.move, [posted(entry) for entry in entries])
        model = redemption_answer(
            redemption_id=found.id,
            card_id=opened.card.id,
            reward=found.reward,
            title=found.title,
            unit=found.unit,
            cost=found.cost,
            state=state,
            code=found.code,
            created_at=found.created_at,
            expires_at=found.expires_at,
            captured_at=found.captured_at or (opened.now if state.status == "captured" else None),
        )
        answer = Answer(200, model.model_dump_json().encode())
        opened.store(answer, redemption_id=found.id)
        await self._ledger.write(opened, "carry_on")
        return answer

    def offers(self, opened: OpenCard) -> Sequence[RewardOffer]:
        """All rewards of the enabled plugins for a card, reachable or not."""
        return [
            offer
            for plugin, provider in self._ledger.registry.reward_providers.values()
            if plugin in opened.enabled
            for offer in provider.offers(opened.ledger_context(plugin, opened.shared()), opened.plugin_facts(plugin))
        ]

    def shown(self, opened: OpenCard) -> Sequence[RewardOffer]:
        """The rewards that people see on a card: what plugins keep from it is locked and says why, or is left out."""
        found = []
        for offer in self.offers(opened):
            verdict = opened.check_redemption(offer)
            if not isinstance(verdict, Refusal):
                found.append(offer)
            elif offer.shows_locked:
                found.append(replace(offer, is_locked=True, refusal=offer.refusal or verdict))
        return found

    def check_pin(self, opened: OpenCard, *, is_online: bool) -> Refusal | None:
        """Staff at a till say who they are; everybody else is known already, or is no person."""
        actor, source = opened.ctx.principal.kind, opened.ctx.source
        at_desk, in_web_shop = (actor, source) == ("staff", "manage"), actor == "api_key" and is_online
        return None if actor in WITHOUT_PIN or at_desk or in_web_shop else self._ledger.check_pin(opened)

    async def refuse(self, opened: OpenCard, refusal: Refusal, action: str) -> Answer:
        """Write a refusal's traces, and nothing else."""
        answer = opened.refusal_answer(refusal, action)
        opened.store(answer)
        await self._ledger.write(opened, "refuse")
        return answer

    def _offer(self, opened: OpenCard, command: RedeemCommand) -> RewardOffer:
        offers = [offer for offer in self.offers(opened) if command.unit in {None, offer.unit}]
        if command.reward is not None:
            kind, _separator, key = command.reward.partition("/")
            offers = [offer for offer in offers if offer.kind == kind and offer.key == key]
        elif command.unit is not None:
            owner = self._ledger.registry.unit_providers[command.unit][0]
            offers.sort(key=lambda offer: not offer.kind.startswith(f"{owner}."))
        if not offers:
            raise NotFound(_("There is no such reward."))
        return offers[0]

    def _answer(self, opened: OpenCard, command: RedeemCommand, redeemed: Redeemed, posting: Posting) -> Answer:
        offer = redeemed.offer
        if command.wants_redemption:
            return Answer(201, redeemed.answer(opened).model_dump_json().encode())
        plugin, provider = self._ledger.registry.unit_providers[offer.unit]
        context = opened.ledger_context(plugin, opened.shared(posting.accounts))
        model = provider.answer_redeem(context, context.account(offer.unit), offer)
        return Answer(200, model.model_dump_json().encode())


def new_code() -> str:
    """A code that nobody can guess: 40 random bits, for a reward that is put aside."""
    return "".join(choice(CODE_LETTERS) for _place in range(CODE_LENGTH))


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A redemption that begins."""

    id: UUID
    offer: RewardOffer
    state: State
    code: str
    ship_to: str

    def expires_at(self, now: datetime) -> datetime | None:
        """Until when it must be used, `None` where it is handed out or sent."""
        return now + timedelta(minutes=self.offer.hold_minutes) if self.state == HELD else None

    def answer(self, opened: OpenCard) -> RedemptionAnswer:
        """What callers are told."""
        return redemption_answer(
            redemption_id=self.id,
            card_id=opened.card.id,
            reward=(self.offer.kind, self.offer.key),
            title=self.offer.title,
            unit=self.offer.unit,
            cost=self.offer.cost,
            state=self.state,
            code=self.code,
            created_at=opened.now,
            expires_at=self.expires_at(opened.now),
            captured_at=opened.now if self.state.status == "captured" else None,
        )


def _post(opened: OpenCard, redeemed: Redeemed, posting: Posting) -> Posting:
    offer, state = redeemed.offer, redeemed.state
    posting.go_on("redemption", redemption_id=redeemed.id)
    posting.redeem(
        offer.unit,
        offer.cost,
        opened.lots,
        plugin=offer.kind.partition(".")[0],
        rule=f"{offer.kind}/{offer.key}" if offer.key else offer.kind,
        explanation={"reward": offer.title, "cost": offer.cost},
    )
    opened.add(
        "redemption",
        {
            "id": redeemed.id,
            "shop_id": opened.shop_id,
            "staff_id": opened.staff_id,
            "reward_kind": offer.kind,
            "reward_key": offer.key,
            "title": offer.title,
            "unit": offer.unit,
            "cost": offer.cost,
            "value_minor": offer.value_minor,
            "currency": opened.rules.program.currency,
            "status": state.status,
            "fulfilment": state.fulfilment,
            "steps": 1,
            "code": redeemed.code,
            "ship_to": redeemed.ship_to,
            "source": opened.ctx.source,
            "device": opened.ctx.device,
            "created_at": opened.now,
            "expires_at": redeemed.expires_at(opened.now),
            "captured_at": opened.now if state.status == "captured" else None,
        },
    )
    add_step(opened, redeemed.id, 1, state)
    opened.add_posting(posting)
    opened.add_event(
        RewardRedeemed(
            redemption_id=redeemed.id,
            card_id=opened.card.id,
            reward_kind=offer.kind,
            cost=offer.cost,
            unit=offer.unit,
        )
    )
    opened.add_outcomes("redemption_posted", offer, redeemed.id)
    details = {"reward": offer.kind, "cost": offer.cost}
    opened.add_audit(Subject("reward.redeem", "redemption", redeemed.id), outcome="done", details=details)
    return posting


def _address(text: str) -> str:
    """An address to send something to.

    Raises:
        InvalidInput: it is empty or too long.
    """
    clean = "\n".join(line.strip() for line in text.strip().splitlines() if line.strip())
    if not 0 < len(clean) <= MAX_ADDRESS:
        sentence = _("Say where we should send it, in at most %(most)s characters.", most=MAX_ADDRESS)
        raise InvalidInput(sentence, fields={"ship_to": sentence})
    return clean


def _clock(opened: OpenCard) -> datetime:
    """The moment by which holds end: while the program pauses, the one at which the pause began."""
    frozen_since: datetime | None = opened.read["frozen_since"]
    return opened.now if frozen_since is None else frozen_since


def _paused(opened: OpenCard, move: Move) -> Refusal | None:
    """A pause that keeps rewards back keeps those back, too, that are put aside; they can be had after it."""
    return opened.standing(redeeming=True) if move == "capture" and opened.pause is not None else None


def _too_late(found: Moving, move: Move, now: datetime) -> Refusal | None:
    """A hold is over at its time, whether or not the job has come by already; and not before."""
    if found.state != HELD or found.expires_at is None:
        return None
    if move == "capture" and found.expires_at <= now:
        return NO_LONGER
    if move == "expire" and found.expires_at > now:
        return Refusal("redemption.too_early", N_("This reward can still be used."))
    return None


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
