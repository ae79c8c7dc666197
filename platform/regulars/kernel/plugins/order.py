"""The order of loading: what a plugin requires or wants to come after comes before it, ties by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from regulars.kernel.plugins.faults import Fault


def sort_plugins(
    requires: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]
) -> tuple[list[str], list[Fault]]:
    """Order plugins.

    Args:
        requires: plugin → plugins that it requires.
        after: plugin → plugins that come before it where they are there at all.

    Returns:
        All that can be ordered, and a fault for each missing requirement and for each member of a cycle. A plugin
        behind a cycle is in neither.
    """
    faults = list(_missing(requires))
    known = {
        name: {other for other in (*others, *after.get(name, ())) if other in requires}
        for name, others in requires.items()
    }
    ordered: list[str] = []
    while ready := sorted(name for name, others in known.items() if not others):
        first = ready[0]
        ordered.append(first)
        del known[first]
        for others in known.values():
            others.discard(first)
    for name in sorted(known):
        path = _cycle(name, known)
        if path:
            faults.append(Fault(name, f"it requires itself: {' → '.join(path)}"))
    return ordered, faults


def _missing(requires: Mapping[str, tuple[str, ...]]) -> Iterator[Fault]:
    for name, others in sorted(requires.items()):
        for other in others:
            if other not in requires:
                yield Fault(name, f"it requires {other!r}, which is not installed, not allowed or faulty")


def _cycle(start: str, requires: Mapping[str, set[str]]) -> list[str]:
    """The shortest way from a plugin back to itself, empty when there is none."""
    paths = [[start]]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for other in sorted(requires.get(path[-1], ())):
            if other == start:
                return [*path, start]
            if other not in seen:
                seen.add(other)
                paths.append([*path, other])
    return []
