"""Receipts: purchases without a card that a shop's system sent, to be claimed for one."""
