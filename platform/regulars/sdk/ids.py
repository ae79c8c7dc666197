"""Identifiers as addresses and answers show them: `card_0190c3…`; `show(CARD, id)` and `read(CARD, text)`."""

from regulars.kernel.ids import CARD, ENTRY, MEMBER, PROGRAM, REDEMPTION, SALE, SHOP, STAFF, read, show

__all__ = ["CARD", "ENTRY", "MEMBER", "PROGRAM", "REDEMPTION", "SALE", "SHOP", "STAFF", "read", "show"]
