"""The customer's pages: the merchant's home, enrolment, the card."""

from regulars.web.portal import (
    account,
    card,
    catalogue,
    changes,
    code,
    home,
    household,
    join,
    legal,
    receipts,
    sign_in,
    wallets,
)
from regulars.web.portal.blueprint import blueprint
from regulars.web.portal.navigation import navigation

__all__ = [
    "account",
    "blueprint",
    "card",
    "catalogue",
    "changes",
    "code",
    "home",
    "household",
    "join",
    "legal",
    "navigation",
    "receipts",
    "sign_in",
    "wallets",
]
