"""Moving units from one card to another."""
