"""What the plugin shows and answers."""
