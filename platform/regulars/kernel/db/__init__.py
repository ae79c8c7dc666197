"""The database: engines for three roles, sessions bound to a tenant, prepared statements, row-level security."""
