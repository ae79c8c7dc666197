"""Several rewards at once: all of them or none, under one key.

Each is decided as if it were the only one, after those before it were written: what they took of the balance, of stocks
and of limits counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from regulars.contracts.context import Context
from regulars.contracts.ledger import Refusal
from regulars.domain.households.drawing import lock_household
from regulars.domain.ledger.commands import Answer
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.redemptions.answers import RedemptionAnswer
from regulars.domain.redemptions.service import RedeemCommand, Redemptions
from regulars.kernel.db.database import TenantSession

MOST = 20


class RewardsAnswer(BaseModel):
    """Rewards that were taken together."""

    redemptions: list[RedemptionAnswer] = Field(description="In the order in which they were asked for.")
    balances: dict[str, int] = Field(description="Unit → what is on the card now.")


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class SeveralRewards:
    """Redeems several rewards of one card.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._redemptions = Redemptions(ledger)

    async def redeem(self, session: TenantSession, ctx: Context, commands: Sequence[RedeemCommand]) -> Answer:
        """Redeem all, or refuse all with the reason of the first that cannot be had; both are to be committed.

        Args:
            session: the transaction.
            ctx: who acts.
            commands: one for each reward, all with the same attempt; a reward may come several times.

        Returns:
            The answer that was stored under the attempt's key.

        Raises:
            NotFound, InvalidInput, IdempotencyInProgress, IdempotencyMismatch, Conflict, Raced: nothing is kept.
        """
        await lock_household(session, ctx, commands[0].attempt.card)
        opened = await self._open(session, ctx, commands[0])
        if isinstance(opened, Answer):
            return opened
        try:
            async with session.all_or_nothing():
                return await self._redeem(session, ctx, commands, opened)
        except _Refused as refused:
            opened.rows.clear()  # what the first one had added was taken back
            pin = self._redemptions.check_pin(opened, is_online=commands[0].is_online)
            return await self._redemptions.refuse(opened, pin or refused.refusal, "reward.redeem")

    async def _redeem(
        self, session: TenantSession, ctx: Context, commands: Sequence[RedeemCommand], first: OpenCard
    ) -> Answer:
        told: list[RedemptionAnswer] = []
        ids = []
        for place, command in enumerate(commands, 1):
            opened = await self._open(session, ctx, command) if told else first
            assert isinstance(opened, OpenCard)  # the answer is stored with the last one
            found = await self._redemptions.post(opened, command)
            if isinstance(found, Refusal):
                raise _Refused(found)
            redeemed, posting = found
            told.append(redeemed.answer(opened))
            ids.append(redeemed.id)
            if place == len(commands):
                balances = {unit: state.balance for unit, state in opened.shared(posting.accounts).items()}
                content = RewardsAnswer(redemptions=told, balances=balances)
                answer = Answer(201, content.model_dump_json().encode())
                opened.store(answer, redemption_id=ids[0])
            await self._ledger.write(opened, "redeem")
        return answer

    async def _open(self, session: TenantSession, ctx: Context, command: RedeemCommand) -> OpenCard | Answer:
        return await self._ledger.open(session, ctx, command.attempt, extra="lots", values={})
