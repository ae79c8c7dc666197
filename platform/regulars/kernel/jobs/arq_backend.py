"""The executor: arq. The only file that knows it.

arq runs a job at least once, forgets everything when Redis does, stops when the connection drops, and would pickle.
So it only ever sees the ids of job rows, as JSON; PostgreSQL decides whether a job runs; and it is started again here.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from regulars.contracts.errors import Unavailable
from regulars.kernel.jobs.ports import Handover, QueueDownError, Timing

log = structlog.get_logger(__name__)

QUEUE = "regulars:jobs"
_FUNCTION = "run"
_LOOK_EVERY = 0.05
_SECONDS_PER_JOB = 300
_SOCKET_TIMEOUT = 5.0
RunJob = Callable[[UUID, UUID], Awaitable[object]]


class ArqExecutor:
    """Takes job ids from Redis and runs them in this process; also the `Queue` that puts them there.

    Args:
        redis_url: `redis://…`.
        run: runs one job by tenant id and job id; decides itself whether it may.
        at_once: jobs at the same time.
        timing: how often Redis is tried while it is away, and how often a job may be handed over.
    """

    def __init__(self, redis_url: str, run: RunJob, *, at_once: int, timing: Timing) -> None:
        pool = ConnectionPool.from_url(
            redis_url, socket_timeout=_SOCKET_TIMEOUT, socket_connect_timeout=_SOCKET_TIMEOUT
        )
        self._redis = ArqRedis(pool, job_serializer=_to_bytes, job_deserializer=json.loads, default_queue_name=QUEUE)
        self._run = run
        self._at_once = at_once
        self._timing = timing
        self._worker: Worker | None = None

    async def push(self, handovers: Sequence[Handover]) -> None:
        """Put jobs into the queue. One that lies there already is not put there twice.

        The time is part of arq's id, so that an entry that a killed worker has left does not stand in the way for ever.

        Raises:
            QueueDownError: Redis does not answer.
        """
        period = int(time.time() // self._timing.resend)
        end = time.monotonic() + _SOCKET_TIMEOUT
        try:
            for tenant_id, job_id, attempts in handovers:
                name = f"{tenant_id}:{job_id}:{attempts}:{period}"
                await self._redis.enqueue_job(_FUNCTION, str(tenant_id), str(job_id), _job_id=name)
                if time.monotonic() > end:  # not cancelled half-way: redis-py would lose the connection
                    raise QueueDownError("Redis is too slow")
        except (RedisError, OSError) as error:
            raise QueueDownError(str(error)) from error

    async def serve(self) -> None:
        """Run jobs until cancelled; whatever happens to Redis, begin again when it is back."""
        while True:
            await self._until_redis_answers()
            log.info("executor_started")
            self._worker = self._new_worker()
            try:
                await self._worker.async_run()
            except (RedisError, OSError) as error:
                log.warning("executor_lost_redis", reason=str(error))
            finally:
                await _discard(self._worker)

    async def pause(self) -> None:
        """Take no more jobs from the queue; those that were taken go on.

        arq cannot be asked to end, only cancelled; after its current look at the queue it merely sleeps, so that no
        command to Redis is cancelled half-way.
        """
        if self._worker is not None:
            self._worker.allow_pick_jobs = False
            await asyncio.sleep(2 * _LOOK_EVERY)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    def _new_worker(self) -> Worker:
        return Worker(
            functions=[func(self._perform, name=_FUNCTION, keep_result=0, timeout=_SECONDS_PER_JOB)],
            queue_name=QUEUE,
            redis_pool=self._redis,
            handle_signals=False,
            max_jobs=self._at_once,
            poll_delay=_LOOK_EVERY,
            job_serializer=_to_bytes,
            job_deserializer=json.loads,
        )

    async def _perform(self, ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
        try:
            tenant_id, job_id = map(UUID, args)
            await self._run(tenant_id, job_id)
        except Unavailable as error:
            log.warning("job_not_run", arguments=args, reason=str(error.__cause__ or error))
        except Exception:  # PostgreSQL remembers the job, so arq must not
            log.exception("job_not_run", arguments=args)

    async def _until_redis_answers(self) -> None:
        told = False
        while True:
            try:
                await self._redis.ping()
            except (RedisError, OSError) as error:
                if not told:
                    log.warning("executor_waits_for_redis", reason=str(error))
                told = True
                await asyncio.sleep(self._timing.poll)
            else:
                return


async def _discard(worker: Worker) -> None:
    """End what arq itself still does; the jobs go on, they are not arq's."""
    tasks = list(worker.tasks.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _to_bytes(value: Any) -> bytes:
    return json.dumps(value, default=str).encode()
