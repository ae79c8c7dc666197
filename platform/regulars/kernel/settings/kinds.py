"""What is known of a plugin's settings before anybody has set any: model, scope, secrets, defaults, environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from regulars.contracts.errors import ConfigurationError
from regulars.contracts.manifest import SettingsScope
from regulars.kernel.plugins.parts import LoadedPlugin

Environment = Callable[[Sequence[str]], str | None]
"""Names of variables → value of the first that is set."""


@dataclass(frozen=True, slots=True)
class SettingsKind:
    """The settings of one plugin.

    Attributes:
        version: of the model.
        secrets: fields that are encrypted.
        operators: fields that only the environment sets.
        environment: field → value of a variable that is set.
        defaults: what holds where a tenant has set nothing.
    """

    plugin: str
    model: type[BaseModel]
    scope: SettingsScope
    version: int
    secrets: frozenset[str]
    operators: frozenset[str]
    environment: Mapping[str, str]
    defaults: BaseModel


@dataclass(frozen=True, slots=True)
class SettingDefault:
    """One line of the list of settings that the environment can change.

    Attributes:
        names: variables, in the order of their precedence.
        value: the effective default; empty for secrets.
    """

    plugin: str
    field: str
    names: tuple[str, ...]
    value: str
    source: Literal["default", "environment"]


def field_extra(info: FieldInfo) -> Mapping[str, Any]:
    """The `json_schema_extra` of a field."""
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def is_operators(info: FieldInfo) -> bool:
    """Whether only the environment sets a field: `json_schema_extra={"operator": True}`."""
    return bool(field_extra(info).get("operator"))


def make_kind(plugin: LoadedPlugin, environment: Environment) -> SettingsKind:
    """Look at a plugin's settings model.

    Args:
        plugin: one that has settings.
        environment: the process's variables.

    Raises:
        ConfigurationError: a variable's value does not fit its field, or a secret is nested in another model.
    """
    model = plugin.settings_model
    assert model is not None
    for name, info in model.model_fields.items():
        if not _is_secret(info) and _has_nested_secret(info.annotation):
            raise ConfigurationError(f"plugin {plugin.name}: the secret in its setting {name} must stand at the top")
    set_by = {name: environment(variable_names(info)) for name, info in model.model_fields.items()}
    given = {name: value for name, value in set_by.items() if value is not None}
    try:
        defaults = model.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_sentences(plugin.name, model, error))) from None
    return SettingsKind(
        plugin=plugin.name,
        model=model,
        scope=plugin.manifest.settings_scope,
        version=plugin.manifest.settings_version,
        secrets=frozenset(name for name, info in model.model_fields.items() if _is_secret(info)),
        operators=frozenset(name for name, info in model.model_fields.items() if is_operators(info)),
        environment=given,
        defaults=defaults,
    )


def describe_defaults(kind: SettingsKind) -> Iterator[SettingDefault]:
    """The settings of a plugin that the environment can change."""
    for name, info in kind.model.model_fields.items():
        names = variable_names(info)
        if names:
            value = "" if name in kind.secrets else str(getattr(kind.defaults, name))
            source: Literal["default", "environment"] = "environment" if name in kind.environment else "default"
            yield SettingDefault(kind.plugin, name, names, value, source)


def variable_names(info: FieldInfo) -> tuple[str, ...]:
    """The variables that give a field its default: `json_schema_extra={"env": […]}`."""
    return tuple(field_extra(info).get("env", ()))


def _is_secret(info: FieldInfo) -> bool:
    return info.annotation is SecretStr or SecretStr in get_args(info.annotation)


def _has_nested_secret(annotation: Any) -> bool:
    if annotation is SecretStr:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_has_nested_secret(info.annotation) for info in annotation.model_fields.values())
    return any(_has_nested_secret(part) for part in get_args(annotation))


def _sentences(plugin: str, model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        variables = variable_names(model.model_fields[name]) if name else ()
        yield f"{' or '.join(variables) or 'the environment'} does not fit {plugin}.{name}: {fault['msg']}"
