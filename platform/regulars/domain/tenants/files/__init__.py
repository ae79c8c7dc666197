"""Tenants and offerings as files: read, compared with the database, applied."""
