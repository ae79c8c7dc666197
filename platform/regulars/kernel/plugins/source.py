"""Where a plugin's code lies and what it is, so that an operator can tell two builds of one version apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Source:
    """The code of a plugin.

    Attributes:
        folder: of its package.
        fingerprint: first digits of the SHA-256 over names and contents of all its files; compiled ones do not count.
    """

    folder: Path
    fingerprint: str


@lru_cache(maxsize=256)
def source_of(package: str) -> Source | None:
    """The code of an installed package, as it was when this process first asked.

    Args:
        package: import name.

    Returns:
        `None` where there is no such package (a plugin made in a test).
    """
    spec = find_spec(package) if package else None
    if spec is None or spec.origin is None:
        return None
    folder, found = Path(spec.origin).parent, sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            found.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return Source(folder, found.hexdigest()[:SHOWN])
