"""Corrections of balances by hand: with a reason, and above a limit only with a second person."""
