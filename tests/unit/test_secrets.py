"""Passwords, keys and signed tokens."""

import hashlib
import re
from datetime import timedelta
from uuid import UUID

import pytest

from regulars.kernel.keys import digest, new_key, new_token, shown_part
from regulars.kernel.passwords import hash_password, needs_rehash, verify_password
from regulars.kernel.tokens import InvalidToken, sign, verify

SECRET = "s" * 32
ONE, OTHER = UUID(int=1), UUID(int=2)


async def test_a_password_fits_its_own_hash_only() -> None:
    stored = await hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert await verify_password(stored, "correct horse") is True
    assert await verify_password(stored, "correct horse ") is False
    assert needs_rehash(stored) is False


async def test_nobody_has_any_password() -> None:
    assert await verify_password(None, "nobody has this password") is False
    assert await verify_password("damaged", "x") is False


async def test_an_endless_password_is_refused_without_work() -> None:
    stored = await hash_password("x")
    assert await verify_password(stored, "x" * 1_000_000) is False


def test_keys_have_one_length_and_differ() -> None:
    keys = {new_key("rk_live_") for _ in range(200)}
    assert len(keys) == 200
    assert all(re.fullmatch(r"rk_live_[0-9A-Za-z]{43}", key) for key in keys)
    assert new_token() != new_token()


def test_a_list_shows_the_start_of_a_key_only() -> None:
    assert shown_part("rk_ops_0123456789abcdef", "rk_ops_") == "rk_ops_012345"
    assert digest("rk_ops_x") == hashlib.sha256(b"rk_ops_x").digest()


def test_a_token_opens_what_it_was_made_for() -> None:
    token = sign(SECRET, purpose="card_link", tenant_id=ONE, subject="c1", lifetime=timedelta(days=1))
    assert verify(SECRET, token, purpose="card_link", tenant_id=ONE) == "c1"


@pytest.mark.parametrize(
    ("secret", "purpose", "tenant"),
    [("t" * 32, "card_link", ONE), (SECRET, "log_in", ONE), (SECRET, "card_link", OTHER)],
)
def test_a_token_opens_nothing_else(secret: str, purpose: str, tenant: UUID) -> None:
    token = sign(SECRET, purpose="card_link", tenant_id=ONE, subject="c1", lifetime=timedelta(days=1))
    with pytest.raises(InvalidToken):
        verify(secret, token, purpose=purpose, tenant_id=tenant)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-2], lambda t: "", lambda t: "a.b.c", lambda t: t + "x", lambda t: "é"]
)
def test_a_damaged_token_opens_nothing(change) -> None:
    token = sign(SECRET, purpose="card_link", tenant_id=ONE, subject="c1", lifetime=timedelta(days=1))
    with pytest.raises(InvalidToken):
        verify(SECRET, change(token), purpose="card_link", tenant_id=ONE)


def test_an_expired_token_opens_nothing() -> None:
    token = sign(SECRET, purpose="card_link", tenant_id=ONE, subject="c1", lifetime=timedelta(seconds=-1))
    with pytest.raises(InvalidToken):
        verify(SECRET, token, purpose="card_link", tenant_id=ONE)
