"""What is wrong with a plugin: one sentence each, collected, so that an operator sees all of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from regulars.contracts.errors import PluginLoadError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        plugin: whose fault it is.
        message: what is wrong and, where it is not obvious, how to put it right.
        fatal: leaving the plugin out is no help.
    """

    plugin: str
    message: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"plugin {self.plugin}: {self.message}"


class PartError(Exception):
    """A part of one plugin cannot be used; the text is the fault's message."""


def load_error(faults: Iterable[Fault]) -> PluginLoadError:
    """The error that refuses to start: one line per fault, sorted by plugin."""
    return PluginLoadError("\n".join(sorted(str(fault) for fault in faults)))
