"""Merging two members a second time, as plainly as possible: what comes along, and what goes back."""

from __future__ import annotations

from datetime import datetime

from plain_rules import rank
from plain_shop import PlainMember

from regulars.testing.plain_ledger import bring, send_back


def merge(source: PlainMember, target: PlainMember, now: datetime) -> None:
    """Bring all that is on the card, parts of points, uses and the higher tier to the card that stays."""
    for unit, account in source.accounts.items():
        if account.balance or account.lifetime:
            source.brought[unit] = bring(account, target.accounts[unit], now)
    target.carried += source.carried
    target.uses += source.uses
    target.tier = max(target.tier, source.tier, key=rank)
    target.granted = max(target.granted, source.granted, key=rank)
    target.raise_tier()


def unmerge(source: PlainMember, target: PlainMember, now: datetime) -> None:
    """Give back what is left of it; each has the tier that is then reached."""
    for unit, brought in source.brought.items():
        send_back(brought, target.accounts[unit], source.accounts[unit], now)
    source.brought = {}
    target.carried -= source.carried
    target.uses -= source.uses
    target.recheck()
    source.recheck()
