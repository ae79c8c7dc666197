"""Staff PINs: the pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.domain.staff import pins

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POLICY = pins.PinPolicy(max_failures=5, lockout=timedelta(minutes=30))
TENANT, STAFF = UUID(int=1), UUID(int=2)
PEPPER = b"p" * 32
RIGHT = pins.pin_hash(PEPPER, TENANT, STAFF, "2580")
WRONG = pins.pin_hash(PEPPER, TENANT, STAFF, "2581")


def state(failures=0, locked_until=None, status="active", pin_hash=RIGHT):
    return pins.PinState(pin_hash, failures, locked_until, status)


def test_the_hash_depends_on_pepper_tenant_person_and_pin():
    hashes = {
        pins.pin_hash(pepper, tenant, staff, pin)
        for pepper in (PEPPER, b"q" * 32)
        for tenant in (TENANT, UUID(int=3))
        for staff in (STAFF, UUID(int=4))
        for pin in ("2580", "2581")
    }
    assert len(hashes) == 16
    assert {len(value) for value in hashes} == {32}


def test_the_right_pin():
    assert pins.check_pin(state(failures=4), RIGHT, NOW, POLICY) == pins.PinOk()


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        (0, pins.PinWrong(1, 4, None)),
        (3, pins.PinWrong(4, 1, None)),
        (4, pins.PinWrong(5, 0, NOW + timedelta(minutes=30))),
    ],
)
def test_wrong_pins_count_and_the_fifth_locks(failures, expected):
    assert pins.check_pin(state(failures), WRONG, NOW, POLICY) == expected


@pytest.mark.parametrize("presented", [RIGHT, WRONG])
def test_a_locked_pin_is_not_looked_at(presented):
    until = NOW + timedelta(microseconds=1)
    assert pins.check_pin(state(5, until), presented, NOW, POLICY) == pins.PinLocked(until)


def test_after_the_lock_counting_starts_anew():
    assert pins.check_pin(state(5, NOW), WRONG, NOW, POLICY) == pins.PinWrong(1, 4, None)
    assert pins.check_pin(state(5, NOW), RIGHT, NOW, POLICY) == pins.PinOk()


@pytest.mark.parametrize("missing", [None, state(pin_hash=None), state(status="inactive")])
@pytest.mark.parametrize("presented", [RIGHT, WRONG, bytes(32)])
def test_nobody_to_check(missing, presented):
    assert pins.check_pin(missing, presented, NOW, POLICY) == pins.PinMissing()


@given(st.lists(st.booleans(), max_size=30))
def test_a_row_of_attempts_never_judges_more_than_five_wrong_ones_before_a_lock(attempts):
    current, wrong_in_a_row = state(), 0
    for right in attempts:
        verdict = pins.check_pin(current, RIGHT if right else WRONG, NOW, POLICY)
        match verdict:
            case pins.PinOk():
                current, wrong_in_a_row = state(), 0
            case pins.PinWrong(failures, attempts_left, locks_until):
                wrong_in_a_row += 1
                assert (failures, attempts_left) == (wrong_in_a_row, 5 - wrong_in_a_row)
                assert (locks_until is not None) == (wrong_in_a_row == 5)
                current = state(failures, locks_until)
            case pins.PinLocked(until):
                assert wrong_in_a_row == 5
                assert until == NOW + timedelta(minutes=30)
            case pins.PinMissing():
                pytest.fail("somebody is there")


@pytest.mark.parametrize("pin", ["0000", "7777", "1234", "6789", "4321", "9876"])
def test_trivial_pins(pin):
    assert pins.is_trivial(pin)


@pytest.mark.parametrize("pin", ["2580", "1357", "1122", "9012", "1233"])
def test_other_pins(pin):
    assert not pins.is_trivial(pin)


@pytest.mark.parametrize(
    ("text", "expected"), [("0042", True), ("042", False), ("00420", False), ("12a4", False), ("١٢٣٤", False)]
)
def test_the_form_of_a_pin(text, expected):
    assert pins.is_pin(text) is expected


def test_generated_pins_can_be_used():
    made = {pins.generate_pin() for _ in range(300)}
    assert len(made) > 200
    assert all(pins.is_pin(pin) and not pins.is_trivial(pin) for pin in made)
