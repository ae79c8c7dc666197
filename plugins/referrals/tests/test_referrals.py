"""Who may bring whom, and what it gives."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.sdk import EntryDraft, Proposal, Purchase, Referral, Step
from regulars.testing.contexts import NOON, ledger_context, program_info, tenant_snapshot
from regulars_referrals.hooks import Hooks
from regulars_referrals.rules import Person, canonical, card_of, code_of, fault
from regulars_referrals.settings import ReferralSettings

HOOKS = Hooks()
DAY = timedelta(days=1)
ANNA = Person(UUID(int=1), "anna@example.com", "+352621000001", "192.0.2.1", NOON)
BEN = Person(UUID(int=2), "ben@example.com", "", "192.0.2.2", NOON + 2 * DAY)
CLEA = Person(UUID(int=3), "clea@example.com", "", "192.0.2.3", NOON + 3 * DAY)


@given(st.uuids())
def test_a_code_names_its_card(card_id):
    assert card_of(code_of(card_id)) == card_of(code_of(card_id).upper()) == card_id


@pytest.mark.parametrize("text", ["", "abc", "1" * 26, "ä" * 26, "a" * 27, "'; DROP TABLE"])
def test_anything_else_is_no_code(text):
    assert card_of(text) is None


@pytest.mark.parametrize(
    ("email", "same"),
    [
        ("Anna@Example.com", "anna@example.com"),
        ("anna+card2@example.com", "anna@example.com"),
        ("an.na+x@googlemail.com", "anna@gmail.com"),
        ("an.na@example.com", "an.na@example.com"),
    ],
)
def test_addresses_without_what_can_be_varied(email, same):
    assert canonical(email) == same


@pytest.mark.parametrize(
    ("friend", "reason"),
    [
        (CLEA, ""),
        (replace(CLEA, email="ben+2@example.com"), "oneself"),
        (replace(CLEA, member_id=BEN.member_id), "oneself"),
        (replace(CLEA, phone=ANNA.phone), "ring"),
        (replace(CLEA, email="ANNA+2@example.com"), "ring"),
        (replace(CLEA, ip=BEN.ip), ""),
        (replace(CLEA, ip=BEN.ip, enrolled_at=BEN.enrolled_at + timedelta(hours=23)), "same_place"),
        (replace(CLEA, ip=ANNA.ip, enrolled_at=ANNA.enrolled_at + timedelta(hours=1)), ""),
        (replace(CLEA, ip="", enrolled_at=BEN.enrolled_at), ""),
    ],
)
def test_oneself_rings_and_one_connection(friend, reason):
    assert fault(friend, [BEN, ANNA], DAY) == reason


def test_the_connection_may_be_no_matter():
    assert fault(replace(CLEA, ip=BEN.ip, enrolled_at=BEN.enrolled_at), [BEN], timedelta()) == ""


def test_both_sides_get_their_units():
    tenant = tenant_snapshot(enabled=frozenset({"points"}))
    program = program_info(kind="points")
    ctx = ledger_context(ReferralSettings(referrer_reward=100, friend_reward=50), tenant=tenant, program=program)
    number = uuid4()
    (given_,) = HOOKS.adjust_earn(ctx, Referral("referrer", number), [])
    step = Step("given", "You have brought a friend.", change=100)
    details = {"referral": str(number)}
    draft = EntryDraft("points", 100, "referral", details, counts_for_limits=False, steps=(step,))
    assert given_ == Proposal("referrals", draft)
    (given_,) = HOOKS.adjust_earn(ctx, Referral("friend", number), [])
    assert given_.draft.amount == 50


def test_nothing_for_other_occasions_or_without_the_unit():
    kept = [Proposal("points", EntryDraft("points", 1, "rate"))]
    assert HOOKS.adjust_earn(ledger_context(ReferralSettings()), Purchase(), kept) == kept
    assert HOOKS.adjust_earn(ledger_context(ReferralSettings()), Referral("friend", uuid4()), []) == []
    free = ledger_context(
        ReferralSettings(friend_reward=0),
        tenant=tenant_snapshot(enabled=frozenset({"points"})),
        program=program_info(kind="points"),
    )
    assert HOOKS.adjust_earn(free, Referral("friend", uuid4()), []) == []
