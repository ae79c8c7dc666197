"""What every tenant has, one package per concept: `models` (tables), `repository` (all SQL), `service` (all rules)."""
