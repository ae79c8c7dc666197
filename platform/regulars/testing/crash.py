"""Killing a process between any two statements, to show that what it did can be taken up again.

`python -m regulars.testing.crash` imports everything once, then forks a child for each order that it reads, and the
child kills itself with SIGKILL right before its n-th statement or commit. `Crasher` is the test's side of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.engine import Engine

from regulars.domain.jobs import make_job_registry
from regulars.domain.messaging.office import PostOffice
from regulars.kernel.config import Config, load_config
from regulars.kernel.db.database import Database
from regulars.kernel.events.relay import Relay
from regulars.kernel.jobs import JobRegistry
from regulars.kernel.jobs.clockwork import Clockwork
from regulars.kernel.jobs.runner import JobRunner
from regulars.kernel.observability import configure_logging
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.jobs import FreshSnapshots
from regulars.web.rendering import make_post_office


class Killer:
    """Counts statements and commits of this process, and kills it.

    Args:
        at: number of the statement or commit that is not reached any more, 1 for the first.
    """

    def __init__(self, at: int) -> None:
        self._left = at

    def install(self) -> None:
        """From now on every engine counts."""
        event.listen(Engine, "before_cursor_execute", self._count)
        event.listen(Engine, "commit", self._count)

    def _count(self, *_given: Any) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Victim:
    """What a forked child works with; made once, before the forks, and connected to nothing."""

    config: Config
    plugins: PluginRegistry
    jobs: JobRegistry
    office: PostOffice

    @classmethod
    def from_environment(cls) -> Victim:
        """Everything that a worker has."""
        config = load_config(dict(os.environ))
        plugins = load_plugins(allowed=config.plugins)
        return cls(config, plugins, make_job_registry(plugins), make_post_office(config, plugins))

    async def carry_out(self, order: Mapping[str, Any]) -> None:
        """Do once what a worker does again and again: run a job, hand on events, look at the clock."""
        database = Database(self.config)
        snapshots = FreshSnapshots(database, self.plugins)
        if order["do"] == "job":
            runner = JobRunner(database, self.jobs, snapshots, services={PostOffice: self.office})
            await runner.run(UUID(order["tenant"]), UUID(order["job"]))
        elif order["do"] == "relay":
            await Relay(database, self.jobs, snapshots).run()
        else:
            await Clockwork(database, self.jobs).run()
        await database.close()


def main() -> None:
    """Read orders from standard input, one JSON object per line; answer each with `killed` or `ended`."""
    configure_logging("warning", json_lines=True)
    victim = Victim.from_environment()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            Killer(order["at"]).install()
            asyncio.run(victim.carry_out(order))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        answer = "killed" if was_killed else f"ended {os.waitstatus_to_exitcode(status)}"
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


class Crasher:
    """Gives orders to the process that forks."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def job(self, tenant_id: UUID, job_id: UUID, at: int) -> bool:
        """Run a job and kill it.

        Args:
            tenant_id: whose job.
            job_id: which.
            at: before which statement or commit, counted from 1.

        Returns:
            Whether it got that far; False: it ended before, everything has been tried.
        """
        return await self._order(do="job", tenant=str(tenant_id), job=str(job_id), at=at)

    async def relay(self, at: int) -> bool:
        """As `job`, for handing on events."""
        return await self._order(do="relay", at=at)

    async def clock(self, at: int) -> bool:
        """As `job`, for what runs by the clock."""
        return await self._order(do="clock", at=at)

    async def _order(self, **order: Any) -> bool:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{json.dumps(order)}\n".encode())
        answer = (await stdout.readline()).decode().strip()
        assert answer in {"killed", "ended 0"}, answer
        return answer == "killed"


@asynccontextmanager
async def crasher(environ: Mapping[str, str]) -> AsyncIterator[Crasher]:
    """Start the process that forks, and end it.

    Args:
        environ: whole environment, with the configuration of the test installation.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "regulars.testing.crash", stdin=PIPE, stdout=PIPE, env=dict(environ)
    )
    try:
        yield Crasher(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def kill_everywhere(
    prepare: Callable[[], Awaitable[Any]],
    kill: Callable[[Any, int], Awaitable[bool]],
    check: Callable[[Any], Awaitable[None]],
) -> int:
    """Kill before each statement and commit in turn, and check what is left each time; once also without a kill.

    Args:
        prepare: makes a fresh case.
        kill: carries the case out and kills it at a number; False when it ended before that.
        check: takes the case up again and asserts how it ends.

    Returns:
        How many kills there were.
    """
    at = 0
    killed = True
    while killed:
        at += 1
        case = await prepare()
        killed = await kill(case, at)
        await check(case)
    return at - 1


if __name__ == "__main__":
    main()
