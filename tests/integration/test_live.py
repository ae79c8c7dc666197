"""Live updates: who hears what, who is refused, how much one process holds, and that nobody waits for them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from asyncpg import Connection
from redis.asyncio import Redis
from visitors import led_to, member_at, read, staff_at

from regulars.app import create_app
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.live import Hub, Limits, Pace
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.sockets import Refused, Socket, opened
from regulars.testing.web import Browser, WebServer, serving
from regulars.testing.world import TestCard, World

AJAR = Limits(process=5, tenant=4, address=100, session=2)
CALM, QUICK = Pace(ping=60, answer=60, gap=0, check=60), Pace(ping=0.05, answer=1.0, gap=0.0, check=0.05)
FEED, TILL = "/manage/socket", "/terminal/socket"
PATIENCE = 10


@pytest.fixture
async def busy(config: Config, registry: PluginRegistry) -> AsyncIterator[tuple[WebServer, Hub]]:
    """An application whose sockets live fast."""
    hub = Hub(AJAR, QUICK)
    async with serving(create_app(config, registry=registry, hub=hub)) as server:
        yield server, hub


def socket_of(card: TestCard) -> str:
    return f"/card/socket?card={ids.show(ids.CARD, card.id)}"


def url_of(card: TestCard) -> str:
    """The card among the members."""
    return f"/manage/members/{ids.show(ids.MEMBER, card.member_id)}/cards/{ids.show(ids.CARD, card.id)}"


async def sell(web: WebServer, world: World, key: str, card: TestCard | None = None) -> None:
    """A sale in another shop's or this tenant's name, by API."""
    till = web.at(
        world.host, authorization=f"Bearer {world.api_key}"
    ).client  # nobody holds it against the API's document
    answer = await till.post(
        "/api/v1/store/loyalty/stamp",
        json={
            "card": (card or world.card).number,
            "staff": ids.show(ids.STAFF, world.anna.id),
            "pin": world.anna.pin,
            "shop": ids.show(ids.SHOP, world.shop_id),
        },
        headers={"Idempotency-Key": key},
    )
    assert answer.status_code == 200, answer.text


async def expect_on(socket: Socket) -> None:
    """Wait until changes are heard of."""
    async with asyncio.timeout(PATIENCE):
        while await socket.hear() != "on":
            pass


async def expect_change(socket: Socket) -> None:
    async with asyncio.timeout(PATIENCE):
        assert await socket.hear() == "changed"


async def refusal(visitor: Browser, path: str, **how: str | None) -> int:
    """Status with which a socket is refused."""
    with pytest.raises(Refused) as caught:
        async with opened(visitor, path, **how):
            pass
    return caught.value.status


async def test_a_sale_is_heard_by_the_card_the_till_and_the_dashboard_of_its_own_tenant(
    config: Config, web: WebServer, cafe: World, pizza: World, sql: Connection
) -> None:
    other = await cafe.add_card("otto@other.example", name="Otto Weber")
    mia, otto = await member_at(web, sql, cafe), await member_at(web, sql, cafe, other)
    staff, strangers = await staff_at(web, sql, cafe), await staff_at(web, sql, pizza)
    async with (
        opened(mia, socket_of(cafe.card)) as card,
        opened(otto, socket_of(other)) as other_card,
        opened(staff, TILL) as till,
        opened(staff, FEED) as feed,
        opened(strangers, FEED) as foreign_feed,
        opened(strangers, TILL) as foreign_till,
    ):
        heard = [card, other_card, till, feed, foreign_feed, foreign_till]
        for socket in heard:
            await expect_on(socket)
        async with Redis.from_url(config.redis_url) as others:
            for channel in ("live:platform", f"live:{cafe.tenant.id}:more", "live:"):
                assert await others.publish(channel, b"\xff activity") > 0
        await sell(web, cafe, "one")
        for socket in (card, till, feed):
            await expect_change(socket)
        await sell(web, pizza, "two")
        for socket in (foreign_feed, foreign_till):
            await expect_change(socket)
        await sell(web, cafe, "three", other)  # the first that this card hears: nothing of the other sales came
        await expect_change(other_card)
        silent = [asyncio.ensure_future(socket.hear()) for socket in (card, foreign_feed, foreign_till)]
        await expect_change(feed)
        assert [task.done() for task in silent] == [False, False, False]
        for task in silent:
            task.cancel()


async def test_a_block_is_heard_and_shown(web: WebServer, cafe: World, sql: Connection) -> None:
    mia, staff = await member_at(web, sql, cafe), await staff_at(web, sql, cafe)
    asked = re.search(r'hx-get="([^"]+)"', (await mia.get("/card")).text)
    assert asked
    live, block = asked[1].replace("&amp;", "&"), f"{url_of(cafe.card)}/block"
    async with opened(mia, socket_of(cafe.card)) as socket:
        await expect_on(socket)
        assert (await mia.get(live)).status_code == 204
        assert (await staff.submit(block, {})).status_code == 303
        await expect_change(socket)
    shown = await mia.get(live)
    assert 'class="stack is-off" id="live"' in shown.text
    assert read(shown).text.count("This card is not active. Please ask the team.") == 2  # seen, and heard


async def test_who_may_not_hear_is_refused(web: WebServer, cafe: World, pizza: World, sql: Connection) -> None:
    mia, staff, nobody = await member_at(web, sql, cafe), await staff_at(web, sql, cafe), web.at(cafe.host)
    own = socket_of(cafe.card)
    for path in (own, FEED, TILL):
        assert await refusal(nobody, path) == 401
    assert await refusal(staff, own) == 401
    assert await refusal(mia, FEED) == 401
    assert await refusal(mia, socket_of(pizza.card)) == 404
    assert await refusal(mia, "/card/socket") == 404
    assert await refusal(await staff_at(web, sql, cafe, cafe.anna), FEED) == 403
    foreign = web.at(pizza.host)
    foreign.client.cookies.update(mia.client.cookies)
    assert await refusal(foreign, own) == 401
    for host in ("nowhere.example", "localhost"):
        lost = web.at(host)
        lost.client.cookies.update(mia.client.cookies)
        assert await refusal(lost, own) == 404
    assert await refusal(mia, "/card/live") == 400
    assert (await mia.get(own)).status_code == 400


async def test_another_site_cannot_listen(web: WebServer, cafe: World, sql: Connection) -> None:
    mia, host = await member_at(web, sql, cafe), cafe.host
    others = ("http://evil.example", f"https://{host}", f"http://{host}:81", f"http://{host}.evil.example", host)
    for origin in (None, "null", *others):
        assert await refusal(mia, socket_of(cafe.card), origin=origin) == 403, origin


async def test_what_is_off_is_not_there(
    web: WebServer, make_world: Callable[..., Awaitable[World]], sql: Connection
) -> None:
    bare = await make_world("bare", offering="bare", features=("stamps", "cards", "enrolment"))
    staff = await staff_at(web, sql, bare)
    assert await refusal(staff, FEED) == 404
    async with opened(staff, TILL):
        pass
    mia = await member_at(web, sql, bare)
    async with opened(mia, socket_of(bare.card)):
        pass


async def test_there_is_room_for_so_many_and_no_more(
    config: Config, registry: PluginRegistry, cafe: World, pizza: World, sql: Connection
) -> None:
    hub = Hub(AJAR, CALM)
    async with serving(create_app(config, registry=registry, hub=hub)) as web:
        await fill(web, hub, cafe, pizza, sql)


async def fill(web: WebServer, hub: Hub, cafe: World, pizza: World, sql: Connection) -> None:
    staff, manager = await staff_at(web, sql, cafe), await staff_at(web, sql, cafe)
    more, strangers = await staff_at(web, sql, cafe), await staff_at(web, sql, pizza)
    async with opened(staff, TILL), opened(staff, TILL):
        assert await refusal(staff, TILL) == 503  # of one session
        async with opened(manager, TILL), opened(manager, FEED):
            assert await refusal(more, TILL) == 503  # of one tenant
            async with opened(strangers, TILL):
                assert hub.size == 5
                assert await refusal(strangers, TILL) == 503  # of the process
                for _ in range(50):
                    assert await refusal(strangers, TILL) == 503
                assert hub.size == 5
    await until_empty(hub)
    async with opened(more, TILL) as socket:
        await expect_on(socket)


async def until_empty(hub: Hub) -> None:
    async with asyncio.timeout(PATIENCE):
        while hub.size:
            await asyncio.sleep(0.01)


async def test_a_page_that_reads_slowly_is_told_once_of_ten_thousand_changes(
    config: Config, registry: PluginRegistry, cafe: World, sql: Connection
) -> None:
    hub = Hub(AJAR, CALM)
    async with (
        serving(create_app(config, registry=registry, hub=hub)) as web,
        opened(await staff_at(web, sql, cafe), FEED) as socket,
        asyncio.timeout(PATIENCE),
    ):
        while await socket.hear(answer=False) != "on":
            socket.say("ok")
        for _ in range(10_000):
            hub.hear(cafe.tenant.id, ["activity"])
        socket.say("ok")
        assert await socket.hear() == "changed"
        hub.close()
        assert await socket.until_ended() == "bye"


async def test_a_page_that_does_not_answer_is_given_up(
    config: Config, registry: PluginRegistry, cafe: World, sql: Connection
) -> None:
    hub = Hub(AJAR, Pace(ping=0.05, answer=0.1, gap=0, check=60))
    async with (
        serving(create_app(config, registry=registry, hub=hub)) as web,
        opened(await staff_at(web, sql, cafe), FEED) as socket,
    ):
        async with asyncio.timeout(PATIENCE):
            assert await socket.hear(answer=False) in {"on", "off"}
            assert await socket.hear(answer=False) is None
        await until_empty(hub)


async def test_a_page_that_says_anything_else_is_cut_off(web: WebServer, cafe: World, sql: Connection) -> None:
    staff = await staff_at(web, sql, cafe)
    for said in ("subscribe: everything", "ok", "x" * 100_000):
        async with opened(staff, FEED) as socket:
            await expect_on(socket)
            for _ in range(3):
                socket.say(said)
            async with asyncio.timeout(PATIENCE):
                assert await socket.until_ended() is None


async def test_it_ends_with_the_right_to_hear(busy: tuple[WebServer, Hub], cafe: World, sql: Connection) -> None:
    web, hub = busy
    manager = cafe.staff[1].id
    for path, statement, *values in (
        (FEED, "DELETE FROM core.session WHERE staff_id = $1", manager),
        (FEED, "UPDATE core.staff SET role = 'staff' WHERE id = $1", manager),
        (TILL, "UPDATE core.staff SET role = 'manager', status = 'inactive' WHERE id = $1", manager),
        (FEED, "UPDATE core.offering SET features = features - 'stats'"),
        (TILL, "UPDATE core.tenant SET status = 'suspended' WHERE id = $1", cafe.tenant.id),
    ):
        await sql.execute("UPDATE core.staff SET status = 'active' WHERE id = $1", manager)
        async with opened(await staff_at(web, sql, cafe), path) as socket:
            await expect_on(socket)
            await sql.execute(statement, *values)
            async with asyncio.timeout(PATIENCE):
                assert await socket.until_ended() == "stop", statement
        await until_empty(hub)


async def test_when_the_process_ends_pages_are_told_to_come_again(
    busy: tuple[WebServer, Hub], cafe: World, sql: Connection
) -> None:
    web, hub = busy
    staff = await staff_at(web, sql, cafe)
    async with opened(staff, FEED) as socket:
        await expect_on(socket)
        hub.close()
        assert await socket.until_ended() == "bye"
        assert await refusal(staff, FEED) == 503
    await until_empty(hub)


@pytest.mark.parametrize(("page", "part"), [("/terminal", "/terminal/recent?"), ("/manage/", "/manage/feed?")])
async def test_a_part_comes_only_when_it_has_changed(
    web: WebServer, cafe: World, sql: Connection, page: str, part: str
) -> None:
    staff, by_script = await staff_at(web, sql, cafe), {"HX-Request": "true"}
    await sell(web, cafe, "one")
    before = address_of((await staff.get(page)).text, part)
    assert (await staff.get(before, headers=by_script)).status_code == 204
    await sell(web, cafe, "two", await cafe.add_card("otto@other.example", name="Otto Weber"))
    answer = await staff.get(before, headers=by_script)
    assert "Otto W" in read(answer).text
    after = address_of(answer.text, part)
    assert after != before
    assert (await staff.get(after, headers=by_script)).status_code == 204
    assert led_to(await staff.get(after)) == page.rstrip("/")


def address_of(html: str, part: str) -> str:
    """Address at which a part of a page fetches itself."""
    begin = html.index(f'hx-get="{part}') + len('hx-get="')
    return html[begin : html.index('"', begin)].replace("&amp;", "&")


async def test_a_sale_does_not_wait_for_redis(config: Config, registry: PluginRegistry, cafe: World) -> None:
    """Redis takes the announcement and never answers; the till has its answer while it is still being waited for."""
    async with (
        swallowing(config) as (slowly, taken, given_up),
        serving(create_app(slowly, registry=registry)) as web,
    ):
        await sell(web, cafe, "one")
        assert not given_up.is_set()
        async with asyncio.timeout(PATIENCE):
            await taken.wait()
            await given_up.wait()
        await sell(web, cafe, "two", await cafe.add_card("otto@other.example", name="Otto Weber"))


@asynccontextmanager
async def swallowing(config: Config) -> AsyncIterator[tuple[Config, asyncio.Event, asyncio.Event]]:
    """A Redis that takes what is published and never answers; set when it took one, and when that was given up."""
    taken, given_up, address = asyncio.Event(), asyncio.Event(), urlsplit(config.redis_url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, redis = await asyncio.open_connection(address.hostname, address.port)
        passing = asyncio.create_task(pass_on(answers, writer))
        while data := await reader.read(4096):
            if b"PUBLISH" in data:
                taken.set()
                await reader.read()
                given_up.set()
            redis.write(data)
        redis.transport.abort()
        await redis.wait_closed()
        await passing

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield (
        config.model_copy(update={"redis_url": config.redis_url.replace(f":{address.port}/", f":{port}/")}),
        taken,
        given_up,
    )
    server.close()
    await server.wait_closed()
