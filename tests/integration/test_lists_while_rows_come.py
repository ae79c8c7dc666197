"""Lists that are read on while rows come (E14): nothing twice, nothing missed, for files and for callers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count

import pytest
from coin_bank import Bank

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import InvalidInput
from regulars.contracts.paging import PageRequest
from regulars.domain.adjustments.lists import all_corrections
from regulars.domain.adjustments.service import AdjustCommand, Adjustments, page_of
from regulars.domain.ledger.commands import CardRef, Claim
from regulars.kernel.db import listing

OpenBank = Callable[..., Awaitable[Bank]]
_keys = count(1)


def manager(bank: Bank) -> Context:
    person = bank.world.staff[0]
    who = Principal("staff", person.id, person.name, "manager", frozenset({"members.adjust"}))
    return bank.world.context("manage", principal=who)


async def correct(bank: Bank, amount: int) -> None:
    command = AdjustCommand(
        Claim("staff:test", f"k{next(_keys)}", b"x"), CardRef("id", bank.world.card.id), "coins", amount, "a test"
    )
    async with bank.database.tenant(bank.world.tenant.id) as session:
        await Adjustments(bank.ledger).adjust(session, manager(bank), command)


async def test_a_file_is_whole_though_rows_come_while_it_is_read(
    open_bank: OpenBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BATCH", 2)
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    await correct(pizza, 99)
    for amount in (1, 2, 3, 4, 5):
        await correct(cafe, amount)
    read = []
    async for row in all_corrections(cafe.database, manager(cafe)):
        read.append(row.correction.amount)
        await correct(cafe, 100 + len(read))
    assert read == [5, 4, 3, 2, 1]


async def test_a_caller_goes_on_after_the_last_row_it_has(open_bank: OpenBank) -> None:
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    for amount in (1, 2, 3, 4, 5):
        await correct(cafe, amount)
    read, after = [], None
    while True:
        async with cafe.database.tenant(cafe.world.tenant.id) as session:
            paged = await page_of(session, manager(cafe), PageRequest(size=2, after=after))
        if not paged.items:
            break
        read += [one.amount for one in paged.items]
        after = paged.items[-1].id
        await correct(cafe, 100 + len(read))
    assert (read, paged.total) == ([5, 4, 3, 2, 1], 8)
    async with pizza.database.tenant(pizza.world.tenant.id) as session:
        with pytest.raises(InvalidInput, match="no such row"):
            await page_of(session, manager(pizza), PageRequest(size=2, after=after))
