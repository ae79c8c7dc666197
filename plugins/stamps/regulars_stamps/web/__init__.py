"""What the plugin shows."""
