"""Pages of the reference on what plugins work with: hooks, slots, events, providers."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from describe import about, code, codes, fields, head, methods, python, returns, section, signature, table, value_class
from pydantic import BaseModel

from regulars.contracts import events, hookspecs, ledger, providers, slots, wallets
from regulars.domain.messaging.jobs import SUBSCRIPTIONS
from regulars.kernel.plugins.registry import PluginRegistry


def hooks_page(plugins: PluginRegistry) -> str:
    """Hooks, and the values that they take and give."""
    text = head("Hooks", "`platform/regulars/contracts/hookspecs.py`", inspect.getdoc(hookspecs) or "")
    for hook in methods(hookspecs.HookSpecs):
        users = [one.name for one in plugins.plugins if hasattr(one.hooks, hook.__name__)]
        arguments = [(code(name), meaning) for name, meaning in section(hook, "Args").items()]
        text += f"\n## `{hook.__name__}`\n\n{python(signature(hook))}\n{about(hook)}\n\n"
        text += table(("argument", "meaning"), arguments) + f"\nReturns: {returns(hook)}\n\nUsed by: {codes(users)}\n"
    text += f"\n## What they speak of\n\n{inspect.getdoc(ledger)}\n"
    text += "".join(f"\n{value_class(kind)}" for kind in _dataclasses(ledger))
    return text


def _dataclasses(module: Any) -> Iterator[type]:
    return (
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "__dataclass_fields__")
    )


def slots_page(plugins: PluginRegistry) -> str:
    """Slots with their data."""
    text = head("Slots", "`platform/regulars/contracts/slots.py`", inspect.getdoc(slots) or "") + "\n"
    meanings = slot_meanings()
    rows = [
        (code(f"Slot.{slot.name}"), code(slot.value), meanings[slot.name], codes(one.plugin for one in found))
        for slot, found in plugins.slots.items()
    ]
    text += table(("slot", "in templates", "where, and its data", "used by"), rows)
    renderer = "async def render(slot: SlotContext, data: CardSlot | ProgramSlot) -> Markup"
    text += f"\n## A renderer\n\n{python(renderer)}\n{about(slots.SlotContext)}\n\n"
    properties = {n: p.fget for n, p in vars(slots.SlotContext).items() if isinstance(p, property)}
    text += table(
        ("`slot.`", "meaning"),
        [
            *((code(name), about(get)) for name, get in properties.items()),
            *((code(signature(one).removeprefix("async ")[4:]), about(one)) for one in methods(slots.SlotContext)),
        ],
    )
    return text + "\n## Data\n" + "".join(f"\n{value_class(kind)}" for kind in _dataclasses(slots))


def slot_meanings() -> dict[str, str]:
    """Slot → the sentence below it in the source: members of an enum have no docstring of their own."""
    tree = ast.parse(inspect.getsource(slots.Slot)).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    name = ""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[name] = str(node.value.value)
    return found


def events_page(plugins: PluginRegistry) -> str:
    """Events of host and plugins, with their payloads and subscribers."""
    text = head("Events", "`platform/regulars/contracts/events.py` and the manifests", inspect.getdoc(events) or "")
    subscribers = {name: [f"core.{one.job}" for one in SUBSCRIPTIONS if one.event == name] for name in event_payloads()}
    for name, found in plugins.subscriptions.items():
        subscribers[name] = [*subscribers.get(name, ()), *found]
    for name, (payload, version, whose) in event_payloads(plugins).items():
        rows = [(code(field), code(kind)) for field, kind in fields(payload).items()]
        text += f"\n## `{name}`\n\n{about(payload)}\n\n"
        text += (
            f"Version {version}, of {whose}. Jobs that run for it: {codes(subscribers.get(name, ())) or 'none'}.\n\n"
        )
        text += table(("field", "type"), rows)
    return text


def event_payloads(plugins: PluginRegistry | None = None) -> dict[str, tuple[type[BaseModel], int, str]]:
    """Full name → (payload, version, whose)."""
    found: dict[str, tuple[type[BaseModel], int, str]] = {
        name: (kind, kind.version, "the host")
        for name, kind in events.EVENT_TYPES.items()
        if kind.__module__ == events.__name__
    }
    for name, one in (plugins.events if plugins else {}).items():
        found[name] = (one.payload, one.declared.version, f"the plugin `{name.partition('.')[0]}`")
    return found


PROVIDERS = (
    providers.UnitProvider,
    providers.UnitWords,
    providers.UnitLife,
    providers.UnitExpiry,
    providers.UnitOfProgram,
    providers.UnitFamily,
    providers.UnitWithoutButton,
    providers.RewardProvider,
    providers.SegmentProvider,
    wallets.WalletProvider,
    wallets.WalletDesk,
)


def providers_page(plugins: PluginRegistry) -> str:
    """Provider Protocols and who implements them."""
    about_page = inspect.getdoc(providers) or ""
    text = head("Providers", "`platform/regulars/contracts/providers.py`", about_page) + "\n"
    rows = [("unit", code(unit), code(name)) for unit, (name, _) in plugins.unit_providers.items()]
    rows += [("reward", code(kind), code(name)) for kind, (name, _) in plugins.reward_providers.items()]
    rows += [("segment", code(provider.kind), code(name)) for name, provider in plugins.segment_providers]
    rows += [("wallet", code(wallet), code(name)) for wallet, (name, _) in plugins.wallet_providers.items()]
    text += table(("kind", "key", "plugin"), rows)
    for kind in PROVIDERS:
        text += f"\n{value_class(kind, '##')}\n"
        text += table(
            ("method", "what it does"),
            [(code(signature(one).removeprefix("async ")[4:]), about(one)) for one in methods(kind)],
        )
    return text + f"\n{value_class(providers.Progress, '##')}"
