"""Staff PINs: pure rules.

Ten thousand values are protected by counting failures, not by a slow hash. The counter is in the staff member's row and
is changed in the transaction that locks this row, so it holds across processes, restarts and addresses.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from uuid import UUID

PIN_LENGTH = 4
_PIN = re.compile(rf"[0-9]{{{PIN_LENGTH}}}")
_NO_HASH = bytes(sha256().digest_size)


@dataclass(frozen=True, slots=True)
class PinPolicy:
    """When a PIN locks.

    Attributes:
        max_failures: wrong PINs in a row after which it is locked, at least 1.
        lockout: for how long.
    """

    max_failures: int = 5
    lockout: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class PinState:
    """The PIN columns of a staff row, read under its lock.

    Attributes:
        pin_hash: `None` for somebody without a PIN.
        failures: wrong PINs in a row so far.
        locked_until: end of the last lock, past or future.
        status: `active` or `inactive`.
    """

    pin_hash: bytes | None
    failures: int
    locked_until: datetime | None
    status: str


@dataclass(frozen=True, slots=True)
class PinOk:
    """The PIN is right: the caller sets failures to 0, the lock to null and the time of use to now."""


@dataclass(frozen=True, slots=True)
class PinWrong:
    """The PIN is wrong: the caller stores `failures` and `locks_until`.

    Attributes:
        failures: wrong PINs in a row, this one included.
        attempts_left: how many more may be wrong before it locks.
        locks_until: set when this one locked it.
    """

    failures: int
    attempts_left: int
    locks_until: datetime | None


@dataclass(frozen=True, slots=True)
class PinLocked:
    """The PIN is locked: right or wrong was not looked at, and nothing is counted."""

    until: datetime


@dataclass(frozen=True, slots=True)
class PinMissing:
    """There is nobody who could use a PIN: unknown, dismissed, or without one. Nothing is counted."""


PinVerdict = PinOk | PinWrong | PinLocked | PinMissing


def pin_hash(pepper: bytes, tenant_id: UUID, staff_id: UUID, pin: str) -> bytes:
    """HMAC-SHA-256 of a PIN, bound to tenant and staff member, so that equal PINs do not look equal.

    Args:
        pepper: the installation's secret, kept outside the database.
        tenant_id: the tenant.
        staff_id: the person that was named, known or not.
        pin: what was typed, any text.

    Returns:
        32 bytes.
    """
    return hmac.digest(pepper, tenant_id.bytes + staff_id.bytes + pin.encode("utf-8", "surrogatepass"), "sha256")


def check_pin(state: PinState | None, presented: bytes, now: datetime, policy: PinPolicy) -> PinVerdict:
    """Judge a presented PIN.

    The comparison is made in every case, so that unknown, locked and wrong take the same time; the caller computes the
    hash in every case too.

    Args:
        state: the staff row under its lock, `None` when there is no such person.
        presented: `pin_hash` of what was typed for the staff member that was named.
        now: the database's clock (`core.now()`).
        policy: when it locks.

    Returns:
        What it is, with what must be stored.
    """
    stored = state.pin_hash if state is not None else None
    equal = hmac.compare_digest(stored or _NO_HASH, presented)
    if state is None or stored is None or state.status != "active":
        return PinMissing()
    if state.locked_until is not None and now < state.locked_until:
        return PinLocked(state.locked_until)
    if equal:
        return PinOk()
    before = 0 if state.locked_until is not None else state.failures
    failures = before + 1
    left = max(0, policy.max_failures - failures)
    return PinWrong(failures, left, now + policy.lockout if left == 0 else None)


def is_pin(text: str) -> bool:
    """Whether a text has the form of a PIN: four digits."""
    return _PIN.fullmatch(text) is not None


def is_trivial(pin: str) -> bool:
    """Whether a PIN is among the first that anybody tries: one digit repeated, or digits in order (1234, 4321)."""
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    return steps in ({0}, {1}, {-1})


def generate_pin() -> str:
    """A random PIN that is not trivial."""
    while True:
        pin = f"{secrets.randbelow(10**PIN_LENGTH):0{PIN_LENGTH}d}"
        if not is_trivial(pin):
            return pin
