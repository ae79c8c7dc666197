"""Merchants' own domains (fault G6): proven by the DNS, claimed once, watched, taken out, and at once in force."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from asyncpg import Connection
from conftest import EVERYTHING
from pages_under_test import actions_of, as_role, operator_at
from visitors import led_to, read

from regulars.app import create_app
from regulars.contracts.errors import Conflict, FeatureNotInOffering, Forbidden, InvalidInput, NotFound
from regulars.domain.domains import service
from regulars.domain.domains.desk import DomainDesk
from regulars.domain.domains.jobs import domains as cron_domains
from regulars.domain.domains.settling import GRACE
from regulars.domain.jobs import make_job_registry
from regulars.domain.messaging.office import PostOffice
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.jobs import CronTick
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.clock import Clock
from regulars.testing.dns import NameServer, name_server
from regulars.testing.jobs import FreshSnapshots, run_pending
from regulars.testing.principals import acting
from regulars.testing.web import Browser, WebServer, serving
from regulars.testing.world import World
from regulars.web.rendering import make_post_office

NAME = "loyalty.cafe.lu"
OURS = "203.0.113.5"
WHO = "/p/probe/"
OWNER = (("Olga", "owner", "1234"), ("Ben", "manager", "2580"))


@dataclass
class Scene:
    """Two merchants with the feature, the running application and the name server that it asks."""

    one: World
    two: World
    web: WebServer
    dns: NameServer
    desk: DomainDesk
    database: Database
    config: Config
    registry: PluginRegistry

    async def add(self, world: World, text: str = NAME) -> str:
        async with self.database.platform("test") as session:
            return (await service.add(session, acting(world, "owner"), text, self.desk.ours())).host

    async def point(self, world: World, sql: Connection, name: str = NAME) -> None:
        """Write both records down."""
        proof = await sql.fetchval(
            "SELECT proof FROM core.tenant_domain WHERE tenant_id = $1 AND host = $2", world.tenant.id, name
        )
        texts = self.dns.records.setdefault((f"_regulars.{name}", "TXT"), ['"v=spf1 -all"'])
        texts.append(f'"regulars={proof}"')
        self.dns.records[name, "CNAME"] = ["localhost"]

    async def check(self, world: World, name: str = NAME) -> tuple[str, str]:
        found = await self.desk.check(world.tenant, name)
        assert found is not None
        return (found.status, found.problem)

    async def who(self, host: str = NAME) -> str:
        """Whose page a host shows; the notification of a change takes milliseconds."""
        return (await self.web.at(host).client.get(WHO)).text.split(" ", 1)[0]

    async def until(self, answer: str, host: str = NAME) -> str:
        for _ in range(200):
            if (found := await self.who(host)) == answer:
                break
        return found

    async def work(self) -> list[str]:
        """What the worker does in the minute that begins now."""
        async with self.database.platform("test") as session:
            await cron_domains(CronTick(session, datetime.now(UTC)))
        services = {PostOffice: make_post_office(self.config, self.registry), DomainDesk: self.desk}
        snapshots = FreshSnapshots(self.database, self.registry)
        done = await run_pending(self.database, make_job_registry(self.registry), snapshots, services=services)
        return [name for name, _ in done]


@pytest.fixture
async def scene(
    config: Config,
    probed_registry: PluginRegistry,
    make_world: Callable[..., Awaitable[World]],
    database: Database,
) -> AsyncIterator[Scene]:
    features = (*EVERYTHING, "custom_domain")
    one = await make_world("one", offering="large", features=features, staff=OWNER)
    two = await make_world("two", offering="large", features=features, staff=OWNER)
    async with name_server() as dns:
        dns.records["localhost", "A"] = [OURS]
        changed = config.model_copy(update={"dns_server": dns.address})
        async with serving(create_app(changed, registry=probed_registry)) as web:
            await web.app.extensions["regulars"].listener.wait_until_up()
            yield Scene(one, two, web, dns, DomainDesk(changed, database), database, changed, probed_registry)


async def test_a_domain_is_proven_and_answers(scene: Scene, sql: Connection) -> None:
    assert await scene.add(scene.one, "https://Loyalty.Cafe.lu/") == NAME
    assert await scene.who() == "<!doctype"
    assert await scene.check(scene.one) == ("waiting", "proof")
    scene.dns.records[f"_regulars.{NAME}", "TXT"] = ['"regulars=guessed"']
    assert await scene.check(scene.one) == ("waiting", "proof")
    await scene.point(scene.one, sql)
    scene.dns.records[NAME, "CNAME"] = ["parking.example.com"]
    assert await scene.check(scene.one) == ("waiting", "address")
    scene.dns.records["parking.example.com", "A"] = [OURS, "198.51.100.1"]
    assert await scene.check(scene.one) == ("waiting", "address"), "some visitors would go elsewhere"
    scene.dns.records["parking.example.com", "A"] = [OURS]
    scene.dns.broken = True
    assert await scene.check(scene.one) == ("waiting", "silent")
    scene.dns.broken = False
    assert await scene.who() == "<!doctype"
    assert await scene.check(scene.one) == ("live", "")
    assert await scene.until("one") == "one"
    assert await actions_of(sql, scene.one) == ["domain.added", "domain.live"]
    assert (await scene.web.at(NAME).get("/brand.css")).status_code == 200
    assert await scene.check(scene.one) == ("live", "")
    assert await scene.desk.check(scene.two.tenant, NAME) is None, "no other tenant's"


async def test_the_first_owner_keeps_a_name_until_it_is_given_up(scene: Scene, sql: Connection) -> None:
    for world in (scene.one, scene.two):
        await scene.add(world)
        await scene.point(world, sql)
    assert await scene.check(scene.one) == ("live", "")
    assert await scene.check(scene.two) == ("waiting", "taken")
    assert await scene.until("one") == "one"
    async with scene.database.platform("test") as session:
        await service.remove(session, acting(scene.one, "owner"), NAME)
    assert await scene.until("<!doctype") == "<!doctype", "a dangling CNAME leads to nobody"
    assert await scene.check(scene.two) == ("live", "")
    assert await scene.until("two") == "two"
    again = await scene.add(scene.one)
    assert await scene.check(scene.one) == ("waiting", "proof"), "an old proof is worth nothing"
    assert again == NAME


async def test_a_name_that_is_lost_is_taken_out_after_a_warning(scene: Scene, sql: Connection, clock: Clock) -> None:
    await sql.execute("UPDATE core.staff SET email = 'olga@cafe.example' WHERE name = 'Olga'")
    await scene.add(scene.one)
    await scene.point(scene.one, sql)
    assert await scene.work() == ["core.check_domain"]
    assert await scene.work() == [], "nothing is due"
    async with scene.database.platform("test") as session:
        await service.prefer(session, acting(scene.one, "owner"), NAME)
    records = dict(scene.dns.records)
    del scene.dns.records[NAME, "CNAME"]
    await clock.advance(hours=6)
    assert await scene.work() == ["core.check_domain", "core.send_mail"]
    await clock.advance(hours=1)
    assert await scene.work() == ["core.check_domain"], "one warning"
    assert await scene.until("one") == "one"
    scene.dns.records = records
    await clock.advance(hours=1)
    assert await scene.work() == ["core.check_domain"]
    scene.dns.records = {("localhost", "A"): [OURS]}
    await clock.advance(hours=6)
    assert await scene.work() == ["core.check_domain", "core.send_mail"]
    scene.dns.broken = True
    await clock.advance(days=GRACE.days + 1)
    assert await scene.work() == ["core.check_domain"]
    assert await scene.until("one") == "one", "a silent name server takes nothing away"
    scene.dns.broken = False
    await clock.advance(hours=1)
    assert await scene.work() == ["core.check_domain", "core.send_mail"]
    assert await scene.until("<!doctype") == "<!doctype"
    hosts = await sql.fetch("SELECT host, is_primary FROM core.tenant_host WHERE tenant_id = $1", scene.one.tenant.id)
    assert [tuple(row) for row in hosts] == [("one.localhost", True)]
    subjects = [row[0] for row in await sql.fetch("SELECT subject FROM core.mail ORDER BY id")]
    assert subjects == [f"{NAME} needs you", f"{NAME} needs you", f"{NAME} does not lead to you any more"]
    scene.dns.records = records
    await clock.advance(hours=6)
    assert await scene.work() == ["core.check_domain"]
    assert await scene.until("one") == "one"
    assert await actions_of(sql, scene.one) == [
        "domain.added",
        "domain.live",
        "domain.preferred",
        "domain.failing",
        "domain.recovered",
        "domain.failing",
        "domain.lost",
        "domain.live",
    ]


async def test_a_check_from_the_page_warns_as_the_workers_does_and_only_once(
    scene: Scene, sql: Connection, clock: Clock
) -> None:
    await sql.execute("UPDATE core.staff SET email = 'olga@cafe.example' WHERE name = 'Olga'")
    owner = await as_role(scene.web, sql, scene.one)
    await scene.add(scene.one)
    await scene.point(scene.one, sql)
    assert await scene.work() == ["core.check_domain"]
    del scene.dns.records[NAME, "CNAME"]
    for _ in range(2):
        assert led_to(await owner.submit(f"/manage/domains/{NAME}/check", {})) == "/manage/domains"
    assert [row[0] for row in await sql.fetch("SELECT subject FROM core.mail")] == [f"{NAME} needs you"]
    await clock.advance(hours=6)
    assert sorted(await scene.work()) == ["core.check_domain", "core.send_mail"], (
        "the worker finds it warned of already"
    )


async def test_without_the_feature_a_name_ends_like_one_without_records(
    scene: Scene, sql: Connection, clock: Clock
) -> None:
    await scene.add(scene.one)
    await scene.point(scene.one, sql)
    await scene.work()
    denied = (
        "INSERT INTO core.tenant_override (tenant_id, name, kind, reason) VALUES ($1, 'custom_domain', 'deny', 'x')"
    )
    await sql.execute(denied, scene.one.tenant.id)
    await clock.advance(hours=6)
    await scene.work()
    assert await scene.until("one") == "one"
    await clock.advance(days=GRACE.days)
    await scene.work()
    assert await scene.until("<!doctype") == "<!doctype"


async def test_who_may_have_which_name(scene: Scene, make_world: Callable[..., Awaitable[World]]) -> None:
    small = await make_world("small", offering="small", features=EVERYTHING)
    refusals = [
        (scene.one, "owner", "one.localhost", InvalidInput),
        (scene.one, "owner", "two.localhost", InvalidInput),
        (scene.one, "owner", "console.localhost", InvalidInput),
        (scene.one, "manager", NAME, Forbidden),
        (scene.one, "staff", NAME, Forbidden),
        (small, "owner", NAME, FeatureNotInOffering),
    ]
    for world, role, text, error in refusals:
        async with scene.database.platform("test") as session:
            with pytest.raises(error):
                await service.add(session, acting(world, role), text, scene.desk.ours())
    await scene.add(scene.one)
    with pytest.raises(Conflict):
        await scene.add(scene.one)
    for number in range(service.MOST - 1):
        await scene.add(scene.one, f"n{number}.cafe.lu")
    with pytest.raises(Conflict):
        await scene.add(scene.one, "more.cafe.lu")
    foreign = [(service.prefer, "one.localhost"), (service.prefer, NAME), (service.remove, NAME)]
    for call, host in (*foreign, (service.prefer, "nobody.lu"), (service.remove, "two.localhost")):
        async with scene.database.platform("test") as session:
            with pytest.raises(NotFound):
                await call(session, acting(scene.two, "owner"), host)


async def test_the_page_leads_from_a_name_to_the_main_address(scene: Scene, sql: Connection) -> None:
    owner = await as_role(scene.web, sql, scene.one, "owner")
    assert (await (await as_role(scene.web, sql, scene.one, "manager")).get("/manage/domains")).status_code == 403
    wrong = read(await owner.submit("/manage/domains", {"host": "*.cafe.lu"}), 422)
    assert "This is no domain name such as loyalty.example.com." in wrong.text
    assert wrong.fields["host"] == "*.cafe.lu"
    assert led_to(await owner.submit("/manage/domains", {"host": "Bücher.cafe.lu"})) == "/manage/domains"
    name = "xn--bcher-kva.cafe.lu"
    shown = read(await owner.get("/manage/domains")).text
    for words in ("Bücher.cafe.lu".lower(), name, f"_regulars.{name}", "regulars=", "CNAME", "Waiting for its records"):
        assert words in shown, words
    assert "This domain is in your list." in read(await owner.submit("/manage/domains", {"host": name}), 422).text
    await owner.submit(f"/manage/domains/{name}/check", {})
    assert "We do not see the TXT record yet." in read(await owner.get("/manage/domains")).text
    await scene.point(scene.one, sql, name)
    await owner.submit(f"/manage/domains/{name}/check", {})
    live = read(await owner.get("/manage/domains")).text
    operator = await operator_at(scene.web, sql, scene.one)
    console = read(await operator.get(f"/tenants/{ids.show(ids.TENANT, scene.one.tenant.id)}")).text
    assert "Own domains bücher.cafe.lu Live" in console
    assert "bücher.cafe.lu is live." in live
    assert "CNAME" not in live
    question = read(await owner.get(f"/manage/domains/{name}/prefer"))
    assert "Make bücher.cafe.lu the main address?" in question.text
    assert led_to(await owner.submit(f"/manage/domains/{name}/prefer", {})) == "/manage/domains"
    assert await sent_on(scene.web.at("one.localhost")) == f"http://{name}:8000/join?a=b%20c"
    assert (await owner.get("/manage/domains")).status_code == 200, "staff stay where they are"
    assert f"http://{name}:8000/api/v1/store" in (await owner.get("/manage/api-keys")).text
    assert led_to(await owner.submit("/manage/domains/moves", {"moves": ""})) == "/manage/domains"
    assert await sent_on(scene.web.at("one.localhost")) == ""
    assert "Remove bücher.cafe.lu?" in read(await owner.get(f"/manage/domains/{name}/remove")).text
    assert led_to(await owner.submit(f"/manage/domains/{name}/remove", {})) == "/manage/domains"
    assert await scene.until("<!doctype", name) == "<!doctype"
    assert "http://one.localhost:8000/api/v1/store" in (await owner.get("/manage/api-keys")).text
    for path in ("prefer", "remove"):
        assert (await owner.get(f"/manage/domains/{name}/{path}")).status_code == 404
        assert (await owner.submit(f"/manage/domains/{name}/{path}", {})).status_code == 404
    assert (await owner.submit(f"/manage/domains/{name}/check", {})).status_code == 404


async def sent_on(visitor: Browser) -> str:
    """Where a customer's page sends its reader, empty for nowhere; programs, files and forms are sent nowhere."""
    page = await visitor.get("/join?a=b%20c")
    head = await visitor.send("HEAD", "/join?a=b%20c")
    assert head.headers.get("Location") == page.headers.get("Location")
    assert (await visitor.submit("/join", {})).status_code == 422
    for path in ("/brand.css", "/api/openapi.json", "/healthz"):
        assert (await visitor.get(path)).status_code == 200, path
    assert (await visitor.client.get("/api/v1/store/loyalty/program")).status_code == 401
    return page.headers.get("Location", "") if page.status_code == 302 else ""
