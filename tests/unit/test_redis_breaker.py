"""The circuit breaker in front of Redis, and the shape of keys."""

from uuid import UUID

from regulars.kernel.ratelimit.limiter import subject_digest
from regulars.kernel.redis import CircuitBreaker, scoped_key

TENANT = UUID("01890000-0000-7000-8000-000000000001")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_slow_answers_open_it_after_three_in_a_row() -> None:
    breaker = CircuitBreaker(clock=Clock())
    for _ in range(2):
        breaker.failed(certain=False)
    assert breaker.allows()
    breaker.succeeded()
    for _ in range(2):
        breaker.failed(certain=False)
    assert breaker.allows()
    breaker.failed(certain=False)
    assert not breaker.allows()


def test_a_refused_connection_opens_it_at_once_and_one_caller_tries_again() -> None:
    clock = Clock()
    breaker = CircuitBreaker(pause=2.0, clock=clock)
    breaker.failed(certain=True)
    assert not breaker.allows()
    clock.now += 2.0
    assert breaker.allows()
    assert not breaker.allows(), "the others wait for how the first fares"
    breaker.succeeded()
    assert breaker.allows()


def test_keys_carry_the_tenant() -> None:
    assert scoped_key("rl", TENANT, "lookup", "abc") == f"rl:{TENANT}:lookup:abc"
    assert scoped_key("rl", None) == "rl:platform"


def test_a_subject_is_kept_as_a_digest() -> None:
    assert subject_digest("ada@example.com") == subject_digest("ada@example.com")
    assert len(subject_digest("x" * 10_000)) == 32
    assert "ada" not in subject_digest("ada@example.com")
