"""What a plugin's migrations need beyond Alembic: every tenant table is protected by row-level security."""

from regulars.kernel.db.rls import protect

__all__ = ["protect"]
