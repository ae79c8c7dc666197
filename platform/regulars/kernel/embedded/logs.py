"""Log files of child processes."""

import io
import os
from pathlib import Path

_LIMIT = 20_000_000


def open_log(path: Path) -> io.FileIO:
    """Open a log for appending; what has grown beyond 20 MB is set aside as `<name>.1` first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    file = path.open("ab", buffering=0)
    file.seek(0, os.SEEK_END)
    return file


def tail(path: Path, begin: int = 0, lines: int = 8) -> str:
    """Give the last lines that were written after byte `begin`."""
    with path.open("rb") as file:
        file.seek(begin)
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.strip().splitlines()[-lines:])
