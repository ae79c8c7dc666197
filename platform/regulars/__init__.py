"""Regulars: turns customers into regulars. White-label, multi-tenant, plugin-based loyalty."""

__version__ = "1.0.0"
