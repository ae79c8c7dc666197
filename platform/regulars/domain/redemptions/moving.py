"""A redemption on its way from one state to the next, under its card's lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from regulars.contracts.events import RedemptionMoved, RedemptionUndone
from regulars.contracts.ledger import Refusal
from regulars.domain.ledger.lots import Posted, read_time
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.domain.redemptions.life import Move, State, after

_ACTIONS: Mapping[Move, str] = {"undo": "redemption.undo"}


@dataclass(frozen=True, slots=True)
class Moving:
    """A redemption as it was read under the lock.

    Attributes:
        reward: kind and key.
        steps: how many states it has been in.
    """

    id: UUID
    title: str
    unit: str
    cost: int
    reward: tuple[str, str]
    state: State
    steps: int
    code: str
    ship_to: str
    created_at: datetime
    expires_at: datetime | None
    captured_at: datetime | None

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read it from its JSON form."""
        return cls(
            id=UUID(value["id"]),
            title=value["title"],
            unit=value["unit"],
            cost=value["cost"],
            reward=(value["reward_kind"], value["reward_key"]),
            state=State(value["status"], value["fulfilment"]),
            steps=value["steps"],
            code=value["code"],
            ship_to=value["ship_to"],
            created_at=datetime.fromisoformat(value["created_at"]),
            expires_at=read_time(value["expires_at"]),
            captured_at=read_time(value["captured_at"]),
        )

    def move(self, opened: OpenCard, move: Move, entries: Sequence[Posted]) -> Posting:
        """Add the rows of a move that is allowed; where it gives units back, those of the reversal too.

        Args:
            opened: the card.
            move: what is done.
            entries: of the redemption.

        Returns:
            The entries that gave units back; none where nothing is given back.
        """
        state = self.change(opened, move)
        posting = opened.posting("undo", redemption_id=self.id)
        if state.gives_back:
            self._give_back(opened, posting, entries, move)
        subject = Subject(_ACTIONS.get(move, f"redemption.{move}"), "redemption", self.id)
        opened.add_audit(subject, outcome="done", details={"reward": self.title})
        return posting

    def change(self, opened: OpenCard, move: Move) -> State:
        """Add the rows of a move that is allowed, without those of a reversal.

        Returns:
            The state after it.
        """
        state = after(self.state, move)
        assert not isinstance(state, Refusal), "ask `after` first"
        gone = state.fulfilment in {"delivered", "cancelled"}
        captured_at = self.captured_at or (opened.now if state.status == "captured" else None)
        opened.add(
            "redemption_move",
            {
                "id": self.id,
                "status": state.status,
                "fulfilment": state.fulfilment,
                "steps": self.steps + 1,
                "ship_to": "" if gone else self.ship_to,
                "captured_at": captured_at,
                "undone_at": opened.now if state.gives_back else None,
            },
        )
        add_step(opened, self.id, self.steps + 1, state)
        opened.add_event(
            RedemptionMoved(
                redemption_id=self.id, card_id=opened.card.id, status=state.status, fulfilment=state.fulfilment
            )
        )
        return state

    def _give_back(self, opened: OpenCard, posting: Posting, entries: Iterable[Posted], move: Move) -> None:
        entries = tuple(entries)
        for posted in entries:
            posting.reverse(posted, reason="undo" if move == "undo" else "redemption")
        opened.add_posting(posting, is_activity=move != "expire")
        opened.add_event(RedemptionUndone(redemption_id=self.id, card_id=opened.card.id))
        opened.add_outcomes(
            "reversal_posted", tuple(posting.entries), tuple(posted.entry for posted in entries), self.id, None
        )


def add_step(opened: OpenCard, redemption_id: UUID, number: int, state: State) -> None:
    """Keep that a redemption came to be in a state."""
    opened.add(
        "redemption_step",
        {
            "redemption_id": redemption_id,
            "number": number,
            "status": state.status,
            "fulfilment": state.fulfilment,
            "created_at": opened.now,
        },
    )


def moving_of(entries: Sequence[Mapping[str, Any]]) -> Moving | None:
    """The redemption whose entries these are, `None` when they are of a sale."""
    found = next((entry["redemption"] for entry in entries if entry["redemption"]), None)
    return Moving.of(found) if found else None
