"""Sign-up: how a stranger becomes a merchant, without an operator's help."""
