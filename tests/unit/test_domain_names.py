"""Names that merchants bring: how they are read, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from regulars.contracts.errors import InvalidInput
from regulars.domain.domains.naming import is_apex, read_name, show_name
from regulars.domain.domains.service import Domain
from regulars.domain.domains.settling import GRACE, LONGEST_WAIT, RECHECK, STEADY, Found, Verdict, decide

OURS = ("shops.example.com", "console.example.net")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "host", "shown"),
    [
        ("loyalty.cafe.lu", "loyalty.cafe.lu", "loyalty.cafe.lu"),
        ("  HTTPS://Loyalty.Cafe.LU./join?a=b ", "loyalty.cafe.lu", "loyalty.cafe.lu"),
        ("bücher.de", "xn--bcher-kva.de", "bücher.de"),
        ("xn--bcher-kva.de", "xn--bcher-kva.de", "bücher.de"),
        ("faß.de", "xn--fa-hia.de", "faß.de"),
        ("a.b.c.cafe.co.uk", "a.b.c.cafe.co.uk", "a.b.c.cafe.co.uk"),
        ("sub.someone.github.io", "sub.someone.github.io", "sub.someone.github.io"),
        ("example.com", "example.com", "example.com"),
    ],
)
def test_a_name_is_read(typed: str, host: str, shown: str) -> None:
    assert read_name(typed, OURS) == host
    assert show_name(host) == shown


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "cafe",
        "*.cafe.lu",
        "*",
        "_dmarc.cafe.lu",
        "a b.lu",
        "cafe..lu",
        ".cafe.lu",
        "-cafe.lu",
        "cafe.lu:443",
        "user@cafe.lu",
        "127.0.0.1",
        "[::1]",
        "::1",
        "2130706433",
        "0x7f.1",
        "xn--zz.lu",
        "cafe.lu\0",
        "localhost",
        "cafe.localhost",
        "cafe.local",
        "cafe.internal",
        "cafe.test",
        "cafe.example",
        "lu",
        "co.uk",
        "github.io",
        "shops.example.com",
        "cafe.shops.example.com",
        "a.cafe.SHOPS.example.com",
        "console.example.net",
        f"{'x' * 64}.lu",
        ".".join(["xxxxxxxxx"] * 25) + ".lu",
    ],
)
def test_a_name_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_name(typed, OURS)
    assert list(refused.value.fields) == ["host"]


def test_what_is_registered_has_addresses_and_what_is_below_it_a_name() -> None:
    assert [is_apex(host) for host in ("cafe.lu", "www.cafe.lu", "cafe.co.uk", "xn--bcher-kva.de")] == [
        True,
        False,
        True,
        True,
    ]


def domain(status: str = "waiting", **values: object) -> Domain:
    given = {"problem": "", "tries": 0, "checked_at": None, "failing_since": None, **values}
    return Domain(host="cafe.lu", proof="x", status=status, **given)  # type: ignore[arg-type]


def test_who_waits_is_looked_at_ever_more_seldom() -> None:
    waits = [decide(domain(tries=tries), Found("proof"), NOW).wait for tries in range(12)]
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert waits[-1] == LONGEST_WAIT
    assert decide(domain(tries=10**6), Found("proof"), NOW).wait == LONGEST_WAIT


def test_records_that_are_there_are_proof() -> None:
    assert decide(domain(tries=7), Found(""), NOW) == Verdict("verified", "", 1, None, timedelta(minutes=1))
    assert decide(domain("verified"), Found("", certificate=True), NOW) == Verdict("live", "", 0, None, STEADY)
    assert decide(domain("lost"), Found("", certificate=True), NOW) == Verdict("live", "", 0, None, STEADY)


def test_records_that_are_missed_are_waited_for() -> None:
    first = decide(domain("live"), Found("proof"), NOW)
    assert first == Verdict("live", "proof", 1, NOW, RECHECK)
    failing = domain("live", failing_since=NOW, problem="proof", tries=1)
    just = decide(failing, Found("address"), NOW + GRACE - timedelta(seconds=1))
    assert (just.status, just.failing_since, just.takes_out) == ("live", NOW, False)
    over = decide(failing, Found("address"), NOW + GRACE)
    assert (over.status, over.problem, over.takes_out) == ("lost", "address", True)
    assert decide(failing, Found("", certificate=True), NOW + GRACE) == Verdict("live", "", 0, None, STEADY)


def test_a_silent_name_server_takes_nothing_away() -> None:
    for since in (None, NOW - GRACE * 10):
        verdict = decide(domain("live", failing_since=since), Found("silent"), NOW)
        assert (verdict.status, verdict.failing_since, verdict.takes_out) == ("live", since, False)
