"""Settings of plugins: one pydantic model → form, validation, storage; secrets are encrypted apart."""

from regulars.kernel.settings.store import NEW, SettingsStore

__all__ = ["NEW", "SettingsStore"]
