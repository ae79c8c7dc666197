"""Pushes on a real line: HTTP/2 with the pass's certificate, one line for many, and what each answer means."""

import asyncio
from datetime import UTC, datetime

import pytest

from regulars_apple_wallet.push import Answer, PushService
from regulars_apple_wallet.settings import AppleWalletSettings


@pytest.fixture
def settings(server):
    return AppleWalletSettings(push_server=server.address, push_authority_path=server.authority_path)


@pytest.fixture
async def service():
    made = PushService()
    yield made
    await made.close()


async def test_many_pushes_share_one_line(server, settings, service, identity):
    tokens = {number: f"{number:064x}" for number in range(150)}
    answers = await service.tell(settings, identity, tokens)
    assert answers == {number: Answer(200) for number in tokens}
    assert sorted(server.pushed) == sorted(tokens.values())
    await service.tell(settings, identity, {"again": "ab" * 32})
    assert server.lines == 1


async def test_each_answer_is_read(server, settings, service, identity):
    server.answers = {
        "aa": (410, {"reason": "Unregistered", "timestamp": 1700000000123}, {}),
        "bb": (400, {"reason": "BadDeviceToken"}, {}),
        "cc": (429, {"reason": "TooManyRequests"}, {"retry-after": "17"}),
        "dd": (503, {"reason": "Shutdown"}, {}),
        "ee": (403, {"reason": "BadCertificate"}, {}),
    }
    answers = await service.tell(settings, identity, {token: token for token in server.answers})
    ended = datetime.fromtimestamp(1700000000.123, UTC)
    assert answers == {
        "aa": Answer(410, "Unregistered", ended),
        "bb": Answer(400, "BadDeviceToken"),
        "cc": Answer(429, "TooManyRequests", None, 17.0),
        "dd": Answer(503, "Shutdown"),
        "ee": Answer(403, "BadCertificate"),
    }
    assert [token for token, answer in answers.items() if answer.is_gone] == ["aa", "bb"]


async def test_a_line_that_broke_is_made_anew_and_a_service_that_is_down_is_named(server, settings, service, identity):
    await service.tell(settings, identity, {1: "aa"})
    server.is_down = True
    answers = await service.tell(settings, identity, {1: "aa"})
    assert answers[1].status == 0
    server.is_down = False
    assert await service.tell(settings, identity, {1: "bb"}) == {1: Answer(200)}
    assert server.pushed == ["aa", "bb"]


async def test_another_certificate_has_a_line_of_its_own(server, settings, service, identity, authority):
    from regulars_apple_wallet.identity import read_identity

    other = authority.pass_certificate("pass.example.other")
    theirs = read_identity(other.certificate_pem, other.key_pem, authority.intermediate.certificate_pem, "")
    both = await asyncio.gather(service.tell(settings, identity, {1: "aa"}), service.tell(settings, theirs, {2: "bb"}))
    assert both == [{1: Answer(200)}, {2: Answer(200)}]
    assert server.lines == 2
