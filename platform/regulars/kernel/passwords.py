"""Passwords: argon2id, never on the event loop.

A hash takes tens of milliseconds and tens of megabytes, so at most two are computed at a time in this process; whoever
comes third waits in the queue of the pool and blocks nobody.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 256
_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """Hash a password for storage.

    Args:
        password: as it was typed.

    Returns:
        An argon2id string that carries its own salt and parameters.
    """
    return await asyncio.get_running_loop().run_in_executor(_POOL, _HASHER.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Compare a password with what is stored, in the same time whether or not something is stored.

    Args:
        stored: the hash, `None` when there is no such person or password: the answer is then no, after the same work.
        password: as it was typed.

    Returns:
        Whether they belong together.
    """
    return await asyncio.get_running_loop().run_in_executor(_POOL, _verify, stored, password)


def needs_rehash(stored: str) -> bool:
    """Whether a stored hash was made with other parameters than today's and should be renewed at the next log-in."""
    return _HASHER.check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    if len(password) > MAX_LENGTH:
        return False
    try:
        matches = _HASHER.verify(stored or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored is not None


@cache
def _nobody() -> str:
    """A hash that belongs to nobody, so that an unknown address costs what a known one costs."""
    return _HASHER.hash("nobody has this password")
