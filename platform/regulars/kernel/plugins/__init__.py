"""The plugin system: discovery, validation, the frozen registry, the dispatcher of hooks."""
