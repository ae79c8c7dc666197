"""Redemptions: rewards handed over, and undone."""
