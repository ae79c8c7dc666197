"""Settings of plugins: one pydantic model → form, validation, storage; secrets are encrypted apart."""

from regulars.kernel.settings.differences import Difference, differences
from regulars.kernel.settings.forms import Choice, FormField, FormGroup, SettingsForm, describe_form
from regulars.kernel.settings.kinds import SettingDefault
from regulars.kernel.settings.parsing import ParsedForm, parse_form
from regulars.kernel.settings.store import NEW, Edition, SettingsStore

__all__ = [
    "NEW",
    "Choice",
    "Difference",
    "Edition",
    "FormField",
    "FormGroup",
    "ParsedForm",
    "SettingDefault",
    "SettingsForm",
    "SettingsStore",
    "describe_form",
    "differences",
    "parse_form",
]
