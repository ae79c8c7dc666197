"""Operators of the platform and their sessions."""
