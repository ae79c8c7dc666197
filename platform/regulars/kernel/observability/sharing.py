"""How the processes of one machine keep their metrics in one place, so that one address can tell the sum of them.

Each process holds a *slot* of a folder that all of them share: memory-mapped files of prometheus_client's, named after
the slot. The slot of a process that has ended goes to the next one, which counts on where the other stopped: counters
never fall, and there are never more files than there were processes at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil
from prometheus_client import values

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Variable by which prometheus_client finds the folder; set before a command imports what counts."""
_MOST = 1024
_LENGTH = 160


class _Slot(NamedTuple):
    """A slot's name, the open file whose lock holds it, and when its holder was started."""

    name: str
    descriptor: int
    started: float


_held: dict[int, _Slot] = {}
_shared: list[Path] = []
"""The folder, when there is one."""


@dataclass(frozen=True, slots=True)
class Sharer:
    """A process that lives and shares its metrics.

    Attributes:
        slot: names its files.
        pid: its process id.
        role: `web`, `worker`, or `stopping`.
        turn: when its event loop last came round, by the machine's monotonic clock.
    """

    slot: str
    pid: int
    role: str
    turn: float


def share_in(folder: Path, environ: MutableMapping[str, str]) -> None:
    """Make processes with this environment share their metrics in a folder.

    Args:
        folder: on this machine.
        environ: of this process or of one to be started.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    environ[FOLDER_VARIABLE] = str(folder)


def install(environ: Mapping[str, str]) -> None:
    """Let prometheus_client name files after slots; without a folder it counts in this process's memory alone.

    Args:
        environ: of this process.
    """
    if environ.get(FOLDER_VARIABLE):
        folder = Path(environ[FOLDER_VARIABLE])
        _shared[:] = [folder]
        values.ValueClass = values.MultiProcessValue(lambda: _own_slot(folder).name)  # type: ignore[no-untyped-call]


def come_round(role: str) -> None:
    """Write down that this process's event loop comes round; nothing where metrics are not shared.

    Args:
        role: see `Sharer`.
    """
    for folder in _shared:
        _write(_own_slot(folder), role)


def sharers(folder: Path) -> Iterator[Sharer]:
    """All processes that live and came round at least once, by slot."""
    for path in sorted(folder.glob("slot-*.json")):
        with suppress(OSError, ValueError, psutil.Error):
            told = json.loads(path.read_text("utf-8"))
            process = psutil.Process(told["pid"])
            is_alive = process.create_time() == told["started"] and process.status() != psutil.STATUS_ZOMBIE
            if is_alive and told["role"]:
                yield Sharer(path.stem.removeprefix("slot-"), told["pid"], told["role"], told["turn"])


def _own_slot(folder: Path) -> _Slot:
    """The slot of this process, taken at the first call; a fork takes one of its own."""
    pid = os.getpid()
    if pid not in _held:
        _held.clear()
        _held[pid] = _take(folder)
    return _held[pid]


def _take(folder: Path) -> _Slot:
    """Take the first slot that nobody holds: the kernel gives its lock back however the holder ends."""
    for number in range(1, _MOST):
        descriptor = os.open(folder / f"slot-{number}.json", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            continue
        slot = _Slot(str(number), descriptor, psutil.Process().create_time())
        _write(slot, "")
        for stale in folder.glob(f"gauge_live*_{number}.db"):
            stale.unlink(missing_ok=True)
        return slot
    raise RuntimeError(f"more than {_MOST} processes share {folder}")


def _write(slot: _Slot, role: str) -> None:
    told = {"pid": os.getpid(), "started": slot.started, "role": role, "turn": time.monotonic()}
    os.pwrite(slot.descriptor, json.dumps(told).ljust(_LENGTH).encode(), 0)  # of one length: never half an old one
