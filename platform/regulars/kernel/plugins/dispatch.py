"""How the ledger's hooks are called: first refusal wins, drafts and outcomes are collected.

Every plugin is called with its own settings and facts, so the caller gives a function that makes the arguments. What a
hook returns is checked here, once, so that the ledger can rely on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from regulars.contracts.errors import PluginFault
from regulars.contracts.ledger import MAX_AMOUNT, Clearance, EntryDraft, Outcome, Proposal, Refusal
from regulars.kernel.plugins.hooks import LedgerHook

Arguments = Callable[[str], tuple[Any, ...]]
OwnerOf = Callable[[str], str | None]
"""Unit → plugin that provides it, `None` for nobody."""


def first_refusal(hooks: Iterable[LedgerHook], arguments: Arguments) -> Refusal | Clearance:
    """Ask until one refuses.

    Args:
        hooks: of `check_…`, in loading order.
        arguments: plugin → the arguments of the hook in the order of its specification.

    Returns:
        The first refusal; else a clearance with the latest of all times that were given.

    Raises:
        PluginFault: a hook raised or returned something else than a verdict.
    """
    latest: datetime | None = None
    for hook in hooks:
        verdict = hook.call(*arguments(hook.plugin))
        if isinstance(verdict, Refusal):
            if not verdict.code.startswith(f"{hook.plugin}."):
                raise PluginFault(hook.plugin, f"the refusal {verdict.code!r} lacks the plugin's prefix")
            return verdict
        if isinstance(verdict, Clearance):
            latest = _later(latest, verdict.next_at, hook.plugin)
        elif verdict is not None:
            raise PluginFault(hook.plugin, f"a verdict was expected, not {type(verdict).__name__}")
    return Clearance(latest)


def collect_drafts(hooks: Iterable[LedgerHook], arguments: Arguments, owner: OwnerOf) -> tuple[Proposal, ...]:
    """Collect what an occasion gives.

    Args:
        hooks: of `earn`, in loading order.
        arguments: plugin → the arguments of the hook in the order of its specification.
        owner: unit → plugin that provides it.

    Returns:
        The proposals in order.

    Raises:
        PluginFault: a hook raised, returned something else, or drafted in a unit that is not its own.
    """
    collected = []
    for hook in hooks:
        for draft in hook.call(*arguments(hook.plugin)) or ():
            if not isinstance(draft, EntryDraft):
                raise PluginFault(hook.plugin, f"a draft was expected, not {type(draft).__name__}")
            if owner(draft.unit) != hook.plugin:
                raise PluginFault(hook.plugin, f"the unit {draft.unit!r} is not its own")
            if type(draft.amount) is not int or not 0 <= draft.amount <= MAX_AMOUNT:
                raise PluginFault(hook.plugin, f"{draft.amount!r} cannot be earned")
            collected.append(Proposal(hook.plugin, draft))
    return tuple(collected)


def adjust_proposals(
    hooks: Iterable[LedgerHook],
    arguments: Callable[[str, tuple[Proposal, ...]], tuple[Any, ...]],
    proposals: tuple[Proposal, ...],
    owner: OwnerOf,
    enabled: frozenset[str],
) -> tuple[Proposal, ...]:
    """Hand the proposals from plugin to plugin.

    Args:
        hooks: of `adjust_earn`, in loading order.
        arguments: plugin, proposals so far → the arguments of the hook in the order of its specification.
        proposals: what was collected.
        owner: unit → plugin that provides it.
        enabled: the plugins in force.

    Returns:
        What the last one returned.

    Raises:
        PluginFault: a hook raised, returned something else, or added units that nobody enabled provides.
    """
    for hook in hooks:
        changed = tuple(hook.call(*arguments(hook.plugin, proposals)))
        for proposal in changed:
            if not isinstance(proposal, Proposal):
                raise PluginFault(hook.plugin, f"a proposal was expected, not {type(proposal).__name__}")
            draft = proposal.draft
            if owner(draft.unit) not in enabled or proposal.plugin not in enabled:
                raise PluginFault(hook.plugin, f"nobody here provides the unit {draft.unit!r}")
            if type(draft.amount) is not int or not 0 <= draft.amount <= MAX_AMOUNT:
                raise PluginFault(hook.plugin, f"{draft.amount!r} cannot be earned")
        proposals = changed
    return proposals


def cap_proposals(
    hooks: Iterable[LedgerHook],
    arguments: Callable[[str, tuple[Proposal, ...]], tuple[Any, ...]],
    proposals: tuple[Proposal, ...],
) -> tuple[Proposal, ...]:
    """Let plugins lower the proposals to their limits.

    Args:
        hooks: of `cap_earn`, in loading order.
        arguments: plugin, proposals so far → the arguments of the hook in the order of its specification.
        proposals: what is to be given.

    Returns:
        What is left, in the same order.

    Raises:
        PluginFault: a hook raised, returned other proposals, or raised an amount.
    """
    for hook in hooks:
        capped = tuple(hook.call(*arguments(hook.plugin, proposals)))
        same = len(capped) == len(proposals) and all(map(_is_lowered, capped, proposals))
        if not same:
            raise PluginFault(hook.plugin, "a limit may only lower what is given")
        proposals = capped
    return proposals


def _is_lowered(capped: Any, before: Proposal) -> bool:
    return (
        isinstance(capped, Proposal)
        and (capped.plugin, capped.draft.unit, capped.draft.rule)
        == (before.plugin, before.draft.unit, before.draft.rule)
        and type(capped.draft.amount) is int
        and 0 <= capped.draft.amount <= before.draft.amount
    )


def collect_outcomes(hooks: Iterable[LedgerHook], arguments: Arguments) -> list[tuple[str, Outcome]]:
    """Collect what plugins write with a unit of work.

    Args:
        hooks: of `…_posted`, in loading order.
        arguments: plugin → the arguments of the hook in the order of its specification.

    Returns:
        `(plugin, outcome)` in order, without those that have nothing to write.

    Raises:
        PluginFault: a hook raised or returned something else than an outcome.
    """
    collected = []
    for hook in hooks:
        outcome = hook.call(*arguments(hook.plugin))
        if isinstance(outcome, Outcome):
            collected.append((hook.plugin, outcome))
        elif outcome is not None:
            raise PluginFault(hook.plugin, f"an outcome was expected, not {type(outcome).__name__}")
    return collected


def _later(latest: datetime | None, at: datetime | None, plugin: str) -> datetime | None:
    if at is None:
        return latest
    if at.tzinfo is None:
        raise PluginFault(plugin, "a time without time zone was returned")
    return at if latest is None or at > latest else latest
