"""The units of this process, and those that a program has of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from regulars.contracts.providers import UnitFamily, UnitOfProgram, UnitProvider


class NoSettings(BaseModel):
    """What providers and hooks of a plugin without settings get."""


NO_SETTINGS = NoSettings()


@dataclass(frozen=True, slots=True)
class ProgramUnit:
    """A unit that a program has.

    Attributes:
        plugin: that provides it.
        provider: as the program's settings make it.
        settings: of the plugin.
    """

    unit: str
    plugin: str
    provider: UnitProvider
    settings: BaseModel


class Units(Mapping[str, tuple[str, UnitProvider]]):
    """Unit → (plugin, provider). Members of families (`stamps.lunch`) are found, but only what is declared is listed.

    Args:
        declared: unit → (plugin, provider), in loading order.
    """

    def __init__(self, declared: Mapping[str, tuple[str, UnitProvider]]) -> None:
        self._declared = dict(declared)
        self._families = {
            unit: (plugin, provider)
            for unit, (plugin, provider) in declared.items()
            if isinstance(provider, UnitFamily)
        }

    def __getitem__(self, unit: str) -> tuple[str, UnitProvider]:
        found = self._declared.get(unit)
        if found is not None:
            return found
        family, _dot, key = unit.partition(".")
        plugin, provider = self._families[family]
        member = provider.member(key)
        if member is None:
            raise KeyError(unit)
        return plugin, member

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)

    def owner(self, unit: str) -> str | None:
        """The plugin that provides a unit, `None` for nobody."""
        found = self.get(unit)
        return None if found is None else found[0]

    def of_program(self, settings: Mapping[str, BaseModel], plugins: Collection[str]) -> Iterator[ProgramUnit]:
        """The units that a program has, in loading order.

        Args:
            settings: plugin → its settings for the program.
            plugins: those in force there.
        """
        for plugin, provider in self._declared.values():
            if plugin not in plugins:
                continue
            given = settings.get(plugin, NO_SETTINGS)
            for one in _of_program(provider, given):
                yield ProgramUnit(one.unit, plugin, one, given)


def _of_program(provider: UnitProvider, settings: BaseModel) -> Collection[UnitProvider]:
    if isinstance(provider, UnitFamily):
        return provider.units(settings)
    return (provider.of_program(settings) if isinstance(provider, UnitOfProgram) else provider,)
