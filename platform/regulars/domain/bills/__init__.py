"""Bills that several members pay together."""
