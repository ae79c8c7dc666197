"""Tenants, their hosts, offerings, overrides and switches."""
