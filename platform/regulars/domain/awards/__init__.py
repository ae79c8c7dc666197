"""Giving without a sale."""
