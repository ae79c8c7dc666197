"""The dispatcher: hooks of all plugins, compiled once into tables per set of enabled plugins.

pluggy keeps the markers and validates signatures; it never calls anything. Each registry has its own plugin manager.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

import pluggy

from regulars.contracts.errors import PluginFault
from regulars.contracts.hookspecs import LEDGER_HOOKS, PROJECT, HookSpecs
from regulars.kernel.plugins.faults import PartError

_ENABLED_SETS = 4096
LATE_SECONDS = 1.0
"""A ledger hook that takes longer is at fault; the work that it was asked for goes on."""
_KEPT = 100


class LedgerHook(NamedTuple):
    """A ledger hook of one plugin.

    Attributes:
        call: takes the arguments of the specification by position, all of them and in its order, whatever the plugin's
            own function asks for; whatever it raises becomes a `PluginFault` that names the plugin.
    """

    plugin: str
    call: Callable[..., Any]


class LateHook(NamedTuple):
    """A ledger hook that held a card's lock for too long; a plain function cannot be interrupted, only blamed."""

    plugin: str
    tenant_id: UUID
    hook: str
    seconds: float


def new_manager(specs: type = HookSpecs) -> pluggy.PluginManager:
    """A plugin manager of its own with the hook specifications."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    return manager


def check_hooks(plugin: str, instance: object, specs: type = HookSpecs) -> None:
    """Is an instance's every hook one that the host can call, gate and isolate?

    Args:
        plugin: whose hooks they are.
        instance: of its hooks class.
        specs: the specifications.

    Raises:
        PartError: an unknown hook or argument, a wrapper, a wish for another order, `async` where a plain function is
            needed or the reverse.
    """
    manager = new_manager(specs)
    try:
        manager.register(instance, plugin)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PartError(f"its hooks are refused: {' '.join(str(error).split())}") from error
    for caller in manager.get_hookcallers(instance) or ():
        for implementation in caller.get_hookimpls():
            _check_implementation(caller.name, implementation)


def _check_implementation(hook: str, implementation: pluggy.HookImpl) -> None:
    if implementation.wrapper or implementation.hookwrapper:
        raise PartError(f"its hook {hook} is a wrapper; wrappers are refused")
    if implementation.tryfirst or implementation.trylast:
        raise PartError(f"its hook {hook} asks for a place in the order; the order is that of requires")
    is_async = inspect.iscoroutinefunction(implementation.function)
    if hook in LEDGER_HOOKS and is_async:
        raise PartError(f"its ledger hook {hook} must be a plain function without I/O, not async")
    if hook not in LEDGER_HOOKS and not is_async:
        raise PartError(f"its hook {hook} must be async")


class HookTable:
    """The hooks of a registry.

    Args:
        instances: plugin → instance of its hooks class, in loading order; each has passed `check_hooks`.
        specs: the specifications.
    """

    def __init__(self, instances: Mapping[str, object], specs: type = HookSpecs) -> None:
        self._manager = new_manager(specs)
        self._late: deque[LateHook] = deque(maxlen=_KEPT)
        for plugin, instance in instances.items():
            self._manager.register(instance, plugin)
        order = {plugin: position for position, plugin in enumerate(instances)}
        self._all = {hook: self._compile(hook, specs, order) for hook in LEDGER_HOOKS if hasattr(specs, hook)}
        self.ledger = lru_cache(maxsize=_ENABLED_SETS)(self._enabled)
        """`ledger(hook, enabled)`: the hooks of the enabled plugins in loading order; cached by its arguments."""

    def _compile(self, hook: str, specs: type, order: Mapping[str, int]) -> tuple[LedgerHook, ...]:
        names = tuple(inspect.signature(getattr(specs, hook)).parameters)[1:]
        implementations = sorted(
            getattr(self._manager.hook, hook).get_hookimpls(), key=lambda found: order[found.plugin_name]
        )
        return tuple(
            LedgerHook(found.plugin_name, self._guarded(found.plugin_name, found.function, found.argnames, names))
            for found in implementations
        )

    def _enabled(self, hook: str, enabled: frozenset[str]) -> tuple[LedgerHook, ...]:
        return tuple(found for found in self._all[hook] if found.plugin in enabled)

    def take_late(self) -> list[LateHook]:
        """The hooks that were late since this was last asked."""
        late = list(self._late)
        self._late.clear()
        return late

    def _guarded(
        self, plugin: str, function: Callable[..., Any], wanted: Sequence[str], given: Sequence[str]
    ) -> Callable[..., Any]:
        """Wrap a hook: pick the arguments that it asks for, name the plugin when it raises or is late."""
        positions = tuple(given.index(name) for name in wanted)

        def call(*arguments: Any) -> Any:
            begun = perf_counter()
            try:
                return function(*[arguments[position] for position in positions])
            except Exception as error:
                raise PluginFault(plugin, f"{type(error).__name__} in {function.__name__}") from error
            finally:
                seconds = perf_counter() - begun
                if seconds > LATE_SECONDS:
                    self._late.append(LateHook(plugin, arguments[0].tenant.id, function.__name__, seconds))

        return call
