"""Places in a plugin's code, named as `"module:attribute"`."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from regulars.kernel.plugins.faults import PartError


def load_module(name: str) -> ModuleType:
    """Import a module of a plugin.

    Raises:
        PartError: whatever its import raised.
    """
    try:
        return import_module(name)
    except Exception as error:  # whatever a plugin's module raises is that plugin's fault
        raise PartError(f"its module {name} cannot be imported: {type(error).__name__}: {error}") from error


def resolve(target: str) -> Any:
    """The object that a `"module:attribute"` string names.

    Raises:
        PartError: the module cannot be imported or lacks the attribute.
    """
    module, _, attribute = target.partition(":")
    loaded = load_module(module)
    try:
        return getattr(loaded, attribute)
    except AttributeError:
        raise PartError(f"its module {module} has no {attribute}") from None


def build(target: str) -> Any:
    """The instance of a class that a string names; an instance is given as it is.

    Raises:
        PartError: it cannot be found or not be made without arguments.
    """
    found = resolve(target)
    if not isinstance(found, type):
        return found
    try:
        return found()
    except Exception as error:  # whatever a plugin's constructor raises is that plugin's fault
        raise PartError(f"{target} cannot be made: {type(error).__name__}: {error}") from error
