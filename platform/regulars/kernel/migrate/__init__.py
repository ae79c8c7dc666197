"""Migrations: one linear history and one version table per target (host, each plugin) in the target's own schema."""

from regulars.kernel.migrate.runner import Target, TargetStatus, check, current, downgrade, host_target, upgrade

__all__ = ["Target", "TargetStatus", "check", "current", "downgrade", "host_target", "upgrade"]
