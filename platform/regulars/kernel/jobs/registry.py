"""All jobs, crons and subscriptions of this process, gathered once at start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Protocol

from regulars.contracts.errors import ConfigurationError
from regulars.contracts.manifest import Subscription
from regulars.kernel.jobs.cron import CronDefinition
from regulars.kernel.jobs.definitions import JobDefinition

HOST = "core"


class PluginWithJobs(Protocol):
    """The part of a loaded plugin that is needed here."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def job_modules(self) -> Sequence[ModuleType]:
        """Its modules with `@job` functions."""


class PluginsWithJobs(Protocol):
    """The part of the plugin registry that is needed here."""

    @property
    def plugins(self) -> Sequence[PluginWithJobs]:
        """In loading order."""

    @property
    def subscriptions(self) -> Mapping[str, Sequence[str]]:
        """Full event name → full names of the jobs that run for it."""


@dataclass(frozen=True, slots=True)
class RegisteredJob:
    """A job under its full name.

    Attributes:
        plugin: the plugin it belongs to, `None` for the host.
    """

    name: str
    plugin: str | None
    definition: JobDefinition


class JobRegistry:
    """What can run here. Built from host modules and the plugin registry; never changes.

    Args:
        jobs: all jobs.
        crons: (full name, definition) of the platform's own tasks.
        subscriptions: full event name → full names of the jobs that run for it.

    Raises:
        ConfigurationError: two of one name, or a subscription to a job that does not exist.
    """

    def __init__(
        self,
        jobs: Iterable[RegisteredJob],
        crons: Iterable[tuple[str, CronDefinition]] = (),
        subscriptions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._jobs: dict[str, RegisteredJob] = {}
        for entry in jobs:
            if entry.name in self._jobs:
                raise ConfigurationError(f"two jobs are named {entry.name}")
            self._jobs[entry.name] = entry
        self.crons: Mapping[str, CronDefinition] = _unique(crons)
        self._subscribers = {
            event: tuple(self._subscriber(event, name) for name in names)
            for event, names in (subscriptions or {}).items()
        }

    @classmethod
    def build(
        cls,
        host_modules: Sequence[str],
        host_subscriptions: Sequence[Subscription] = (),
        plugins: PluginsWithJobs | None = None,
    ) -> JobRegistry:
        """Gather the jobs of host and plugins.

        Args:
            host_modules: names of the host's modules with `@job` and `@cron` functions.
            host_subscriptions: which host jobs run for which events.
            plugins: the loaded plugins.

        Raises:
            ConfigurationError: see above, or a plugin has a cron (it must use `@job(schedule=…)`).
        """
        modules = [import_module(name) for name in host_modules]
        jobs = [RegisteredJob(f"{HOST}.{d.name}", None, d) for module in modules for d in _jobs_of(module)]
        crons = [(f"{HOST}.{d.name}", d) for module in modules for d in _crons_of(module)]
        subscriptions: dict[str, tuple[str, ...]] = {}
        for subscription in host_subscriptions:
            names = subscriptions.get(subscription.event, ())
            subscriptions[subscription.event] = (*names, f"{HOST}.{subscription.job}")
        for plugin in plugins.plugins if plugins else ():
            for module in plugin.job_modules:
                if _crons_of(module):
                    raise ConfigurationError(f"the plugin {plugin.name} has a @cron: use @job(schedule=…)")
                jobs += [RegisteredJob(f"{plugin.name}.{d.name}", plugin.name, d) for d in _jobs_of(module)]
        for event, found in (plugins.subscriptions if plugins else {}).items():
            subscriptions[event] = (*subscriptions.get(event, ()), *found)
        return cls(jobs, crons, subscriptions)

    def find(self, name: str) -> RegisteredJob | None:
        """The job of that full name, `None` when this process does not know it."""
        return self._jobs.get(name)

    def subscribers(self, event: str) -> tuple[RegisteredJob, ...]:
        """The jobs that run for an event, host first, then plugins in loading order."""
        return self._subscribers.get(event, ())

    def scheduled(self) -> tuple[RegisteredJob, ...]:
        """The jobs that run by the clock, once per slot for every active tenant."""
        return tuple(entry for entry in self._jobs.values() if entry.definition.schedule is not None)

    def _subscriber(self, event: str, name: str) -> RegisteredJob:
        if name not in self._jobs:
            raise ConfigurationError(f"{name} subscribes to {event}, but there is no such job")
        return self._jobs[name]


def _jobs_of(module: ModuleType) -> list[JobDefinition]:
    """The jobs that a module declares; what it only imports is not its own."""
    return [
        item
        for item in vars(module).values()
        if isinstance(item, JobDefinition) and item.handler.__module__ == module.__name__
    ]


def _crons_of(module: ModuleType) -> list[CronDefinition]:
    return [
        item
        for item in vars(module).values()
        if isinstance(item, CronDefinition) and item.handler.__module__ == module.__name__
    ]


def _unique(crons: Iterable[tuple[str, CronDefinition]]) -> dict[str, CronDefinition]:
    found: dict[str, CronDefinition] = {}
    for name, definition in crons:
        if name in found:
            raise ConfigurationError(f"two crons are named {name}")
        found[name] = definition
    return found
