"""The life of a redemption: one table says what can follow what.

Units leave the balance when it begins, whatever becomes of it: a hold is spent already and can be spent no second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from regulars.contracts.i18n import N_
from regulars.contracts.ledger import Refusal, RewardOffer

Status = Literal["held", "captured", "released", "expired", "undone"]
Delivery = Literal["", "ordered", "shipped", "delivered", "cancelled"]
Move = Literal["capture", "release", "expire", "undo", "refund", "ship", "deliver", "cancel"]


class State(NamedTuple):
    """Where a redemption is.

    Attributes:
        status: whether its units are put aside, spent for good, or given back.
        fulfilment: where the parcel is; empty when nothing is sent.
    """

    status: Status
    fulfilment: Delivery = ""

    @property
    def gives_back(self) -> bool:
        """Whether the units are on the card again."""
        return self.status in GIVEN_BACK


GIVEN_BACK = frozenset({"released", "expired", "undone"})
HELD, CAPTURED = State("held"), State("captured")
ORDERED, SHIPPED, DELIVERED = State("held", "ordered"), State("captured", "shipped"), State("captured", "delivered")
CANCELLED, RETURNED = State("released", "cancelled"), State("undone", "cancelled")
BEGINNINGS = frozenset({HELD, CAPTURED, ORDERED})
MOVES: Mapping[tuple[State, Move], State] = MappingProxyType(
    {
        (HELD, "capture"): CAPTURED,
        (HELD, "release"): State("released"),
        (HELD, "expire"): State("expired"),
        (HELD, "undo"): State("released"),
        (CAPTURED, "undo"): State("undone"),
        (ORDERED, "ship"): SHIPPED,
        (ORDERED, "deliver"): DELIVERED,
        (ORDERED, "cancel"): CANCELLED,
        (ORDERED, "release"): CANCELLED,
        (ORDERED, "undo"): CANCELLED,
        (SHIPPED, "deliver"): DELIVERED,
        (SHIPPED, "cancel"): RETURNED,
        (HELD, "refund"): State("released"),
        (CAPTURED, "refund"): State("undone"),
        (ORDERED, "refund"): CANCELLED,
        (SHIPPED, "refund"): RETURNED,
        (DELIVERED, "refund"): RETURNED,
    }
)
"""(State, what is done) → the state after; everything else is refused."""
TITLES: Mapping[State, str] = MappingProxyType(
    {
        HELD: N_("Put aside"),
        CAPTURED: N_("Handed out"),
        ORDERED: N_("To be sent"),
        SHIPPED: N_("On its way"),
        DELIVERED: N_("Delivered"),
        CANCELLED: N_("Cancelled"),
        RETURNED: N_("Came back"),
        State("released"): N_("Given back"),
        State("expired"): N_("Not used in time"),
        State("undone"): N_("Taken back"),
    }
)
"""Every state there is, for people."""
_WHY_NOT: Mapping[Status, str] = MappingProxyType(
    {
        "held": N_("This reward is still put aside: hand it out or give it back first."),
        "captured": N_("This reward was handed out already."),
        "released": N_("This reward was given back already."),
        "expired": N_("This reward was not used in time; what it cost is on the card again."),
        "undone": N_("This reward was taken back already."),
    }
)
NO_LONGER = Refusal("redemption.too_late", N_("This reward was not used in time."))


def beginning(offer: RewardOffer, *, hold: bool) -> State:
    """How a redemption begins.

    Args:
        offer: what is wanted.
        hold: to be handed out later, for a code.
    """
    if offer.fulfilment == "shipping":
        return ORDERED
    return HELD if hold and not offer.code else CAPTURED  # a code of somebody else's is all there is to hand out


def after(state: State, move: Move) -> State | Refusal:
    """The state that a move leads to, or why it cannot be made."""
    return MOVES.get((state, move)) or Refusal("redemption.not_possible", _WHY_NOT[state.status])
