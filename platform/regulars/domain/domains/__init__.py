"""Domains that merchants bring along."""
