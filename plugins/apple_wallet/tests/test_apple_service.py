"""Phones with our passes: they get one, register, are pushed, ask what has changed, fetch it, and go."""

import asyncio
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from regulars.kernel.hook_tokens import HookTokens
from regulars.testing.jobs import hurry

PASS = "SELECT copies, installed_at, removed_at, failures, fault, version, delivered_version FROM core.wallet_pass"
DEVICES = "SELECT push_token, quiet_until FROM plg_apple_wallet.device ORDER BY push_token"
LINES = "SELECT fault FROM core.wallet_line"
OPEN = "UPDATE core.wallet_line SET closed_until = now()"


class Phone:
    """A simulated phone with one pass."""

    def __init__(self, visitor, name, content):
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            self.document = json.loads(bundle.read("pass.json"))
        self.visitor, self.name, self.token, self.tag = visitor, name, f"{name}{name}{name}{name}", ""
        self.path = "/" + self.document["webServiceURL"].split("/", 3)[3]
        self.key = {"Authorization": f"ApplePass {self.document['authenticationToken']}"}
        self.type, self.serial = self.document["passTypeIdentifier"], self.document["serialNumber"]
        self.place = f"/v1/devices/{name}/registrations/{self.type}"

    async def call(self, method, path, **options):
        return await self.visitor.client.request(method, self.path + path, **options)

    async def register(self, **options):
        sent = {"json": {"pushToken": self.token}, "headers": self.key, **options}
        return await self.call("POST", f"{self.place}/{self.serial}", **sent)

    async def remove(self):
        return await self.call("DELETE", f"{self.place}/{self.serial}", headers=self.key)

    async def ask(self):
        """Ask what has changed and fetch it; what the pass says now, `None` where nothing changed."""
        answer = await self.call("GET", self.place, params={"passesUpdatedSince": self.tag} if self.tag else {})
        if answer.status_code == 204:
            return None
        assert answer.json()["serialNumbers"] == [self.serial]
        self.tag = answer.json()["lastUpdated"]
        return (await self.fetch())[1]

    async def fetch(self, **headers):
        got = await self.call("GET", f"/v1/passes/{self.type}/{self.serial}", headers={**self.key, **headers})
        if got.status_code != 200:
            return got, None
        with zipfile.ZipFile(io.BytesIO(got.content)) as bundle:
            fields = json.loads(bundle.read("pass.json"))["storeCard"]
        return got, fields["headerFields"][0]["value"]


@pytest.fixture
def phone(visit, web, config):
    async def make(world, name="aa11"):
        member = await visit(world, "member")
        got = await member.get("/card/wallet/apple")
        assert got.headers["Content-Type"] == "application/vnd.apple.pkpass"
        return Phone(web.at(config.base_domain), name, got.content)

    return make


@pytest.fixture
async def till(make_till, cafe):
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=1000)
    await cafe.set_settings("stamps", milestones=[], welcome_stamps=0)
    return make_till(cafe)


async def test_a_phone_registers_hears_of_a_sale_fetches_the_pass_and_goes(phone, till, cafe, server, run_jobs, sql):
    one = await phone(cafe)
    assert one.document["webServiceURL"].startswith("https://")
    assert [(await one.register()).status_code for _twice in range(2)] == [201, 200]
    assert await one.ask() == "0/10"
    assert await one.ask() is None
    await till.sale(3)
    await run_jobs()
    assert server.pushed == [one.token]
    assert await one.ask() == "3/10"
    assert (await sql.fetchrow(PASS))["copies"] == 1
    assert (await one.remove()).status_code == 200
    assert (await one.remove()).status_code == 200
    row = await sql.fetchrow(PASS)
    assert (row["copies"], row["removed_at"] is not None) == (0, True)
    assert await sql.fetch(DEVICES) == []
    await till.sale(1)
    await run_jobs()
    assert server.pushed == [one.token]
    assert await one.ask() is None


async def test_no_change_is_lost_through_fifty_updates(phone, till, cafe, server, run_jobs, sql):
    """Sales, pushes and questions of the phone at the same time; at last it shows the last state."""
    one = await phone(cafe)
    await one.register()
    seen = [await one.ask()]

    async def sell():
        for _each in range(10):
            await asyncio.gather(*(till.sale(1) for _five in range(5)))

    async def follow(selling):
        while not selling.done():
            await run_jobs()

    async def listen():
        while await server.heard.get():
            seen.append(await one.ask())

    selling, listening = asyncio.create_task(sell()), asyncio.create_task(listen())
    await follow(selling)
    await selling
    server.heard.put_nowait("")
    await listening
    await run_jobs()
    seen.append(await one.ask())
    counts = [int(value.split("/")[0]) for value in seen if value is not None]
    assert counts == sorted(counts)
    assert counts[-1] == 50
    assert await one.ask() is None
    row = await sql.fetchrow(PASS)
    assert row["delivered_version"] == row["version"]


async def test_strangers_learn_nothing(phone, cafe, pizza, visit, web, config):
    """D7: a wrong token, an unknown pass and a neighbour's pass are one answer, and cost nothing."""
    mine, theirs = await phone(cafe), await phone(pizza)
    right, serial = dict(mine.key), mine.serial
    wrong = []
    for key, asked, kind in (
        ({"Authorization": "ApplePass wrong"}, serial, mine.type),
        ({}, serial, mine.type),
        ({"Authorization": right["Authorization"].removeprefix("ApplePass ")}, serial, mine.type),
        (right, "0" * 32, mine.type),
        (right, theirs.serial, mine.type),
        (theirs.key, theirs.serial, mine.type),
        (right, serial, "pass.example.other"),
    ):
        mine.key, mine.serial, mine.type = key, asked, kind
        mine.place = f"/v1/devices/{mine.name}/registrations/{kind}"
        wrong += [(await mine.fetch())[0], await mine.register(), await mine.remove()]
    assert {(answer.status_code, answer.content) for answer in wrong} == {(401, b"")}
    for path in ("/v1/devices/unknown/registrations/pass.example.regulars", f"/v1/devices/{mine.name}/registrations/x"):
        answer = await mine.call("GET", path)
        assert (answer.status_code, answer.content) == (204, b"")
    token = HookTokens(config.encryption_key).of("apple_wallet", pizza.tenant.id)
    elsewhere = f"/hooks/apple_wallet/{token}/v1/passes/{theirs.type}/{serial}"
    assert (await mine.visitor.client.get(elsewhere, headers=right)).status_code == 401


async def test_registering_again_and_again_is_one_registration(phone, cafe, sql):
    one = await phone(cafe)
    codes = [(await one.register()).status_code for _each in range(30)]
    assert codes == [201, *[200] * 29]
    one.token = "ff" * 16
    others = [await phone(cafe, f"bb{number:02}") for number in range(3)]
    await asyncio.gather(one.register(), *(other.register() for other in others))
    assert (await sql.fetchrow(PASS))["copies"] == 4
    assert one.token in [row["push_token"] for row in await sql.fetch(DEVICES)]


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"pushToken": 7}', b'{"pushToken": "../x"}', b"\xff"])
async def test_what_is_no_registration_changes_nothing(phone, cafe, sql, body):
    one = await phone(cafe)
    answer = await one.register(json=None, content=body)
    assert (answer.status_code, answer.content) == (400, b"")
    assert await sql.fetch(DEVICES) == []


async def test_a_tag_that_is_none_of_ours_gets_everything(phone, cafe):
    one = await phone(cafe)
    await one.register()
    for tag in ("never", "-1", "9" * 400, "1.5", "²", "2026-01-01T00:00:00Z"):
        one.tag = tag
        assert await one.ask() == "0/10", tag
    one.tag = str(2**62)
    assert await one.ask() is None


async def test_a_pass_that_the_phone_has_already_is_not_sent_again(phone, cafe, till, run_jobs):
    one = await phone(cafe)
    await one.register()
    modified = (await one.fetch())[0].headers["Last-Modified"]
    assert (await one.fetch(**{"If-Modified-Since": modified}))[0].status_code == 304
    await till.sale(1)
    await run_jobs()
    got, value = await one.fetch(**{"If-Modified-Since": modified})
    assert (got.status_code, value) == (200, "1/10")
    assert got.headers["Last-Modified"] != modified


async def test_phones_that_are_gone_are_forgotten_unless_they_came_again(phone, cafe, till, server, run_jobs, sql):
    gone, again, never = await phone(cafe, "aa11"), await phone(cafe, "bb22"), await phone(cafe, "cc33")
    for one in (gone, again, never):
        await one.register()
    now = datetime.now(UTC)
    stamp = {at: int((now + timedelta(minutes=at)).timestamp() * 1000) for at in (-5, 5)}
    server.answers = {
        gone.token: (410, {"reason": "Unregistered", "timestamp": stamp[5]}, {}),
        again.token: (410, {"reason": "Unregistered", "timestamp": stamp[-5]}, {}),
        never.token: (400, {"reason": "BadDeviceToken"}, {}),
    }
    await till.sale(1)
    await run_jobs()
    assert [row["push_token"] for row in await sql.fetch(DEVICES)] == [again.token]
    row = await sql.fetchrow(PASS)
    assert (row["copies"], row["fault"]) == (1, "")


async def test_a_phone_that_was_told_too_often_is_told_later_and_others_at_once(
    phone, cafe, till, server, run_jobs, sql, database
):
    busy, other = await phone(cafe, "aa11"), await phone(cafe, "bb22")
    for one in (busy, other):
        await one.register()
    server.answers = {busy.token: (429, {"reason": "TooManyRequests"}, {"retry-after": "60"})}
    await till.sale(1)
    await run_jobs()
    assert sorted(server.pushed) == [busy.token, other.token]
    assert [row["quiet_until"] is not None for row in await sql.fetch(DEVICES)] == [True, False]
    await till.sale(1)
    await run_jobs()
    assert sorted(server.pushed) == [busy.token, other.token, other.token]
    server.answers = {}
    await sql.execute("UPDATE plg_apple_wallet.device SET quiet_until = now()")
    await hurry(database)
    await run_jobs()
    assert server.pushed.count(busy.token) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((503, {"reason": "Shutdown"}, {"retry-after": "9"}), "Apple's push service does not answer: Shutdown"),
        ((403, {"reason": "BadCertificate"}, {}), "Apple refuses the certificate: BadCertificate"),
    ],
)
async def test_a_service_that_fails_is_left_alone_and_told_of_the_last_state_later(
    phone, cafe, till, server, run_jobs, sql, database, answer, said
):
    """D6: selling goes on; nothing piles up."""
    one = await phone(cafe)
    await one.register()
    server.answers = {one.token: answer}
    for _each in range(3):
        assert (await till.sale(1)).status == 200
        await run_jobs()
    assert server.pushed == [one.token]
    assert [row["fault"] for row in await sql.fetch(LINES)] == [said]
    server.answers = {}
    await sql.execute(OPEN)
    await hurry(database)
    await run_jobs()
    assert server.pushed == [one.token] * 2
    assert await one.ask() == "3/10"


async def test_a_phones_log_is_bounded_and_tells_no_secrets(phone, cafe, capsys):
    one = await phone(cafe)
    secret = one.document["authenticationToken"]
    lines = [f"ApplePass {secret} was refused\nfor me", *("x" * 1500 for _each in range(30))]
    assert (await one.call("POST", "/v1/log", json={"logs": lines})).status_code == 200
    told = [line for line in capsys.readouterr().out.splitlines() if "apple_wallet_phone" in line]
    assert len(told) == 20
    assert all(len(line) < 800 for line in told)
    assert secret not in "".join(told)
    for body in (b"", b'{"logs": "no list"}', b"x" * 70_000):
        assert (await one.call("POST", "/v1/log", content=body)).status_code in (400, 413)
    codes = [(await one.call("POST", "/v1/log", json={"logs": ["x"]})).status_code for _each in range(20)]
    assert codes[-1] == 429
