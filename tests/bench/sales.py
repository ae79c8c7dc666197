"""The requests of the load: sales of many tills, and pages of customers and staff."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, cycle, islice
from typing import Any

from regulars.kernel import ids
from tests.bench.seed import PIN, STAFF, Card, Merchant

STORE = "/api/v1/store/loyalty"
_keys = count(1)


def sale(merchant: Merchant, staff: int, card: Card) -> bytes:
    """A sale with PIN, under a key of its own.

    Args:
        merchant: whose.
        staff: which of the merchant's staff members.
        card: which card.
    """
    return post(merchant, merchant.path, {**body_of(merchant, staff, card), **merchant.purchase})


def body_of(merchant: Merchant, staff: int, card: Card) -> dict[str, Any]:
    """Who and where, as every action at a till says it."""
    world = merchant.world
    content = {"card": card.number, "staff": ids.show(ids.STAFF, world.staff[staff].id), "pin": PIN}
    return {**content, "shop": ids.show(ids.SHOP, world.shop_id)}


def post(merchant: Merchant, path: str, content: Mapping[str, Any]) -> bytes:
    """A request of a till, under a key of its own."""
    world, body = merchant.world, json.dumps(content).encode()
    head = (
        f"POST {STORE}/{path} HTTP/1.1\r\nHost: {world.host}\r\nAuthorization: Bearer {world.api_key}\r\n"
        f"User-Agent: till/1.0\r\nIdempotency-Key: bench-{next(_keys)}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Tills:
    """Tills of all merchants, shared out by their size; no card is used twice."""

    def __init__(self, merchants: Sequence[Merchant]) -> None:
        self._cards = {id(merchant): iter(merchant.cards) for merchant in merchants}
        self._merchants = merchants

    def queues(self, connections: int) -> list[Iterator[bytes]]:
        """For each connection its sales, as long as there are cards; each is a till with a staff member of its own."""
        return [self._till(merchant, number) for number, merchant in enumerate(self._shares(connections))]

    def line(self, amount: int) -> Iterator[bytes]:
        """Sales in the order in which they are due, of as many tills as there are staff members."""
        return iter([next(till) for till in islice(cycle(self.queues(STAFF)), amount)])

    def _till(self, merchant: Merchant, number: int) -> Iterator[bytes]:
        staff = number % len(merchant.world.staff)
        return (sale(merchant, staff, card) for card in self._cards[id(merchant)])

    def _shares(self, tills: int) -> list[Merchant]:
        """The merchant of each till: as many tills as a merchant has cards, one at least."""
        total = sum(len(merchant.cards) for merchant in self._merchants)
        shared = [m for m in self._merchants for _ in range(max(1, round(tills * len(m.cards) / total)))]
        return (shared + [self._merchants[0]] * tills)[:tills]


def get(host: str, path: str, *headers: str) -> bytes:
    """A request for a page."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: browser/1.0", "Accept-Encoding: gzip", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def card_pages(merchants: Sequence[Merchant]) -> list[bytes]:
    """Members who open their card."""
    return [get(m.world.host, "/card", f"Cookie: rg_member={token}") for m in merchants for token in m.members]


def scan_pages(merchants: Sequence[Merchant]) -> list[bytes]:
    """Staff who have scanned a card: the customer's page on the terminal."""
    return [
        get(m.world.host, f"/terminal/cards/{ids.show(ids.CARD, card.id)}", f"Cookie: rg_staff={token}")
        for m in merchants
        for token, card in zip(m.tills, m.cards, strict=False)
    ]
