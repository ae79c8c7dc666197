"""Which plugins are installed, and which of them this host wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from packaging.utils import canonicalize_name

from regulars.kernel.plugins.faults import Fault

GROUP = "regulars.plugins"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that could be loaded; nothing of it is imported yet.

    Attributes:
        name: of the entry point.
        package: import package that holds the manifest, empty for a plugin made in a test.
        distribution, version: what the package manager calls it.
        load: imports and gives the manifest.
    """

    name: str
    package: str
    distribution: str
    version: str
    load: Callable[[], object]

    @property
    def ours(self) -> bool:
        """Whether it is bundled with the host: its distribution is `regulars-<name>`."""
        return canonicalize_name(self.distribution) == canonicalize_name(f"regulars-{self.name}")


def discover() -> list[Candidate]:
    """All installed plugins, sorted by name; two of one name are both in the list."""
    found = [_candidate(point) for point in entry_points(group=GROUP)]
    return sorted(found, key=lambda candidate: (candidate.name, candidate.distribution))


def _candidate(point: EntryPoint) -> Candidate:
    return Candidate(
        name=point.name,
        package=point.module.split(".", maxsplit=1)[0],
        distribution=point.dist.name if point.dist else "",
        version=point.dist.version if point.dist else "",
        load=point.load,
    )


def select(
    candidates: Sequence[Candidate], allowed: Sequence[str] | None, blocked: Sequence[str]
) -> tuple[list[Candidate], list[Fault]]:
    """Choose those that are allowed and not blocked, one for each name.

    Args:
        candidates: what is installed.
        allowed: names to load, `None` for all.
        blocked: names never to load.

    Returns:
        The chosen ones, and a fault for each name that is allowed but not installed or installed twice. Of two with
        one name the bundled one stays, so that nobody takes its place.
    """
    wanted = [c for c in candidates if (allowed is None or c.name in allowed) and c.name not in blocked]
    counts = Counter(candidate.name for candidate in wanted)
    chosen: list[Candidate] = []
    faults: list[Fault] = []
    for candidate in wanted:
        if counts[candidate.name] > 1 and not candidate.ours:
            message = f"the distribution {candidate.distribution} uses a name that another one has as well"
            faults.append(Fault(candidate.name, f"{message}; uninstall one of them"))
        else:
            chosen.append(candidate)
    installed = {candidate.name for candidate in candidates}
    missing = sorted(set(allowed or ()) - installed - set(blocked))
    faults += [Fault(name, "it is listed in REGULARS_PLUGINS but not installed", fatal=True) for name in missing]
    return chosen, faults
