"""Tickets that hand a card to a phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from regulars.domain.cards.handover import LENGTH, LIFETIME, make_ticket, read_ticket

NOW = datetime(2026, 3, 10, 11, tzinfo=UTC)
TENANT, CARD, SECRET = UUID(int=5), UUID(int=9), "s" * 40
TICKET = make_ticket(SECRET, TENANT, CARD, now=NOW)


def test_a_ticket_names_its_card_until_it_is_too_old() -> None:
    assert len(TICKET) == LENGTH
    assert read_ticket(SECRET, TENANT, TICKET, now=NOW) == CARD
    assert read_ticket(SECRET, TENANT, TICKET, now=NOW + LIFETIME) == CARD
    assert read_ticket(SECRET, TENANT, TICKET, now=NOW + LIFETIME + timedelta(seconds=1)) is None


def test_a_ticket_of_another_tenant_or_secret_is_worth_nothing() -> None:
    assert read_ticket(SECRET, UUID(int=6), TICKET, now=NOW) is None
    assert read_ticket("t" * 40, TENANT, TICKET, now=NOW) is None


@pytest.mark.parametrize("place", range(LENGTH))
def test_every_changed_character_spoils_it(place: int) -> None:
    other = "A" if TICKET[place] != "A" else "B"
    assert read_ticket(SECRET, TENANT, TICKET[:place] + other + TICKET[place + 1 :], now=NOW) is None


@pytest.mark.parametrize("text", ["", "x", "é" * LENGTH, "!" * LENGTH, TICKET + "A", TICKET[:-1]])
def test_what_is_no_ticket(text: str) -> None:
    assert read_ticket(SECRET, TENANT, text, now=NOW) is None
