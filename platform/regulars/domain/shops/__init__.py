"""Shops: the places where a tenant sells."""
