"""Upkeep: what is no longer needed goes."""
