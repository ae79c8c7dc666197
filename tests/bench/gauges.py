"""What is read off the machine and the database before and after a load."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
from asyncpg import Connection

from regulars.testing.installation import Process

_MIB = 1024 * 1024
WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
SIZES = """
SELECT sum(pg_table_size(c.oid)) AS tables, sum(pg_indexes_size(c.oid)) AS indexes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|bench)'
"""
SETTINGS = """
SELECT name, setting FROM pg_settings WHERE name IN
('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'shared_buffers', 'wal_level')
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What the database has written so far, in bytes."""

    wal: float
    tables: float
    indexes: float

    @classmethod
    async def now(cls, connection: Connection) -> Self:
        """Read it."""
        sizes = await connection.fetchrow(SIZES)
        return cls(float(await connection.fetchval(WAL)), float(sizes["tables"]), float(sizes["indexes"]))


def workers(process: Process) -> list[psutil.Process]:
    """The processes of a web server that answer requests."""
    _parent, *children = process.children()
    return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """CPU time that processes have used, their own and the kernel's for them."""
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def memory(processes: Sequence[psutil.Process]) -> tuple[float, float]:
    """Memory of the largest of some processes, in MiB: with its share of common pages, and with all of them."""
    infos = [process.memory_full_info() for process in processes]
    return max(info.pss for info in infos) / _MIB, max(info.rss for info in infos) / _MIB


async def machine(connection: Connection) -> dict[str, str]:
    """On what it was measured."""
    settings = {row["name"]: row["setting"] for row in await connection.fetch(SETTINGS)}
    pages = int(settings["shared_buffers"]) * 8192 // _MIB
    return {
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores, "
        f"{psutil.virtual_memory().total // _MIB} MiB, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": f"{settings['server_version']}, fsync {settings['fsync']}, synchronous_commit "
        f"{settings['synchronous_commit']}, full_page_writes {settings['full_page_writes']}, checksums "
        f"{settings['data_checksums']}, shared_buffers {pages} MiB, wal_level {settings['wal_level']}",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
