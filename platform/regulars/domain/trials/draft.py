"""Rules as somebody would have them: what is in force, with settings that are not saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _
from regulars.kernel.validation import field_errors

Changes = Mapping[str, Mapping[str, Any]]
"""Plugin → field → the value that is tried."""


def changes_of(live: Mapping[str, BaseModel], draft: Mapping[str, BaseModel]) -> Changes:
    """What differs, as JSON values; secrets decide nothing and are left out.

    Args:
        live: plugin → settings in force.
        draft: plugin → settings to be tried; plugins that are left out stay as they are.
    """
    found = {}
    for plugin, settings in draft.items():
        before = dict(live[plugin])
        names = {name for name, value in settings if before[name] != value and not isinstance(value, SecretStr)}
        if names:
            found[plugin] = settings.model_dump(mode="json", include=names)
    return found


def with_changes(live: Mapping[str, BaseModel], changes: Changes) -> Mapping[str, BaseModel]:
    """The settings that are to be tried.

    Args:
        live: plugin → settings in force.
        changes: as somebody sent them.

    Returns:
        All settings, changed or not.

    Raises:
        InvalidInput: there is no such plugin or field here, or a value does not fit; fields are `settings.<plugin>.…`.
    """
    settings = dict(live)
    for plugin, values in changes.items():
        if plugin not in live:
            sentence = _("There are no settings of “%(plugin)s” here.", plugin=plugin)
            raise InvalidInput(sentence, fields={f"settings.{plugin}": sentence})
        try:
            settings[plugin] = type(live[plugin]).model_validate({**dict(live[plugin]), **values})
        except ValidationError as error:
            fields = {f"settings.{plugin}.{name}": text for name, text in field_errors(error).items()}
            raise InvalidInput(_("Some settings cannot be tried."), fields=fields) from None
    return settings
