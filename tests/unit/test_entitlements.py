"""What is in force: the rule, the snapshot, and the cache with a clock of its own."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.contracts.context import Branding
from regulars.kernel.entitlements import SnapshotBuilder, SnapshotCache, entitle
from regulars.kernel.entitlements.cache import MAX_HOSTS, MAX_UNKNOWN
from regulars.kernel.entitlements.rules import Known, Override

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KNOWN = Known(
    requires={"stamps": (), "points": (), "tiers": ("points",), "perks": ("tiers",)},
    flags=frozenset({"stamps.multi_card", "tiers.public"}),
    host_features=frozenset({"api_access", "analytics.basic"}),
)


def result(*, known=KNOWN, features=("stamps", "points", "tiers"), overrides=(), **given_):
    values = {"limits": {}, "switches": {}, "killed": (), "now": NOW} | given_
    return entitle(known, features=features, overrides=overrides, **values)


def enabled(**given_):
    return sorted(result(**given_).enabled)


def test_what_the_offering_does_not_name_is_off():
    assert enabled() == ["points", "stamps", "tiers"]
    assert enabled(features=()) == []
    assert enabled(features=("stamps", "wallets")) == ["stamps"]


def test_a_tenant_switches_off_what_it_does_not_want_but_not_on_what_it_does_not_have():
    assert enabled(switches={"stamps": False}) == ["points", "tiers"]
    assert enabled(features=("stamps",), switches={"points": True}) == ["stamps"]


def test_a_requirement_takes_its_dependents_along():
    assert enabled(features=("tiers",)) == []
    assert enabled(features=("points", "tiers", "perks"), switches={"points": False}) == []
    assert enabled(features=("points", "perks")) == ["points"]


def test_the_kill_switch_beats_everything():
    grant = Override("stamps", "grant")
    assert enabled(features=(), overrides=[grant], switches={"stamps": True}, killed=["stamps"]) == []
    assert enabled(killed=["points"]) == ["stamps"]


@pytest.mark.parametrize(("expires_at", "is_in_force"), [(None, True), (NOW + HOUR, True), (NOW, False)])
def test_overrides_end(expires_at, is_in_force):
    grant = Override("points", "grant", expires_at=expires_at)
    assert enabled(features=("stamps",), overrides=[grant]) == (["points", "stamps"] if is_in_force else ["stamps"])
    deny = Override("stamps", "deny", expires_at=expires_at)
    assert enabled(features=("stamps",), overrides=[deny]) == ([] if is_in_force else ["stamps"])
    limit = Override("shops", "limit", 5, expires_at)
    assert result(limits={"shops": 1}, overrides=[limit]).limits == {"shops": 5 if is_in_force else 1}


def test_limits_are_replaced_or_added():
    overrides = [Override("shops", "limit", None), Override("cards", "limit", 7)]
    assert result(limits={"shops": 1, "programs": 2}, overrides=overrides).limits == {
        "shops": None,
        "programs": 2,
        "cards": 7,
    }


def test_features_are_of_the_host_and_of_enabled_plugins():
    features = ("api_access", "stamps", "stamps.multi_card", "tiers", "tiers.public", "unknown", "unknown.flag")
    assert result(features=features).features == {"api_access", "stamps", "stamps.multi_card"}
    assert result(features=features, switches={"stamps": False}).features == {"api_access"}
    assert result(features=features, overrides=[Override("api_access", "deny")]).features == {
        "stamps",
        "stamps.multi_card",
    }


def test_the_first_end_counts():
    overrides = [
        Override("a", "grant"),
        Override("b", "grant", expires_at=NOW + 2 * HOUR),
        Override("c", "deny", expires_at=NOW + HOUR),
        Override("d", "limit", 1, NOW - HOUR),
    ]
    assert result(overrides=overrides).valid_until == NOW + HOUR
    assert result(overrides=overrides[:1]).valid_until is None


names = st.sampled_from("abcdef")
graphs = st.dictionaries(names, st.lists(names, max_size=2).map(tuple), min_size=1)


@given(graphs, st.sets(names), st.sets(names), st.dictionaries(names, st.booleans()), st.sets(names))
def test_enabled_is_the_largest_allowed_set_that_is_closed(requires, features, denied, switches, killed):
    known = Known(requires=requires, flags=frozenset(), host_features=frozenset())
    overrides = [Override(name, "deny") for name in denied]
    found = result(known=known, features=features, overrides=overrides, switches=switches, killed=killed).enabled
    allowed = {name for name in requires if name in features - denied - killed and switches.get(name, True)}
    subsets = [
        {name for position, name in enumerate(sorted(allowed)) if mask >> position & 1}
        for mask in range(2 ** len(allowed))
    ]
    closed = [subset for subset in subsets if all(set(requires[name]) <= subset for name in subset)]
    assert found == set().union(*closed)


class Plugins:
    requires: ClassVar = {"stamps": (), "points": ()}
    features: ClassVar = {"stamps": "Stamps", "points": "Points", "stamps.multi_card": "Several cards"}


def raw(number=1, **changes):
    return {
        "id": str(UUID(int=number)),
        "slug": f"shop{number}",
        "name": f"Shop {number}",
        "host": f"shop{number}.localhost",
        "status": "active",
        "live_tenant_id": None,
        "offering": "basic",
        "offering_features": ["stamps", "stamps.multi_card", "api_access"],
        "offering_limits": {"shops": 1, "programs": None},
        "overrides": [],
        "switches": {},
        "killed": [],
        "theme": "classic",
        "branding": {"primary_color": "#112233", "icon": "coffee", "written_by_a_newer_version": 1},
        "locales": ["en", "lt"],
        "default_locale": "lt",
        "timezone": "Europe/Vilnius",
        "currency": "EUR",
        "country": "LT",
        "revision": 4,
        "moved": False,
        "verify_by": None,
        "wording": [],
        "now": "2026-03-10T12:00:00+00:00",
        **changes,
    }


BUILDER = SnapshotBuilder(Plugins(), ["api_access"])


def test_a_snapshot_is_built_from_the_raw_row():
    sandbox = raw(2, live_tenant_id=str(UUID(int=1)))
    snapshot = BUILDER.build(sandbox).snapshot
    assert (snapshot.id, snapshot.live_tenant_id, snapshot.is_sandbox) == (UUID(int=2), UUID(int=1), True)
    assert (snapshot.slug, snapshot.host, snapshot.status) == ("shop2", "shop2.localhost", "active")
    assert snapshot.enabled == {"stamps"}
    assert snapshot.features == {"stamps", "stamps.multi_card", "api_access"}
    assert (snapshot.limit("shops"), snapshot.limit("programs"), snapshot.limit("cards")) == (1, None, 0)
    assert snapshot.branding == Branding(primary_color="#112233", icon="coffee")
    assert (snapshot.locales, snapshot.default_locale, snapshot.revision) == (("en", "lt"), "lt", 4)
    with pytest.raises(TypeError):
        snapshot.limits["shops"] = 9


def test_tenants_with_the_same_plugins_share_one_set():
    assert BUILDER.build(raw(1)).snapshot.enabled is BUILDER.build(raw(2)).snapshot.enabled


def test_a_snapshot_lasts_until_the_first_override_ends():
    override = {"name": "points", "kind": "grant", "value": None, "expires_at": "2026-03-10T12:00:05+00:00"}
    built = BUILDER.build(raw(overrides=[override]))
    assert (built.seconds, built.snapshot.enabled) == (5.0, {"stamps", "points"})
    assert BUILDER.build(raw()).seconds is None


class World:
    """Rows by host, a clock, and a count of the queries; a query can be held open."""

    def __init__(self, *hosts: str) -> None:
        self.rows: dict[str, Mapping] = {host: raw(number) for number, host in enumerate(hosts, 1)}
        self.now = 0.0
        self.queries: list[object] = []
        self.gate: asyncio.Event | None = None
        self.cache = SnapshotCache(self.by_host, self.by_id, BUILDER, clock=lambda: self.now)
        self.cache.keep(True)

    async def by_host(self, host):
        self.queries.append(host)
        row = self.rows.get(host)
        if self.gate:
            await self.gate.wait()
        return row

    async def by_id(self, tenant_id):
        self.queries.append(tenant_id)
        return next((row for row in self.rows.values() if row["id"] == str(tenant_id)), None)

    async def asked(self, times):
        while len(self.queries) < times:
            await asyncio.sleep(0)

    async def resolve(self, host="a"):
        snapshot = await self.cache.resolve(host)
        return snapshot and snapshot.slug


async def test_a_warm_call_asks_no_query():
    world = World("a", "b")
    assert [await world.resolve(host) for host in "abab"] == ["shop1", "shop2", "shop1", "shop2"]
    assert world.queries == ["a", "b"]
    assert await world.cache.by_id(UUID(int=2)) is await world.cache.by_id(UUID(int=2))
    assert world.queries == ["a", "b", UUID(int=2)]


async def test_entries_live_a_minute_and_unknown_hosts_ten_seconds():
    world = World("a")
    for now, host, queries in [(0, "a", 1), (59.9, "a", 1), (60, "a", 2), (60, "x", 3), (69.9, "x", 3), (70, "x", 4)]:
        world.now = float(now)
        await world.resolve(host)
        assert len(world.queries) == queries


async def test_the_end_of_an_override_bounds_the_life_of_an_entry():
    world = World("a")
    override = {"name": "points", "kind": "grant", "value": None, "expires_at": "2026-03-10T12:00:05+00:00"}
    world.rows["a"] = raw(overrides=[override])
    await world.resolve()
    world.now = 4.9
    await world.resolve()
    assert len(world.queries) == 1
    world.now = 5.0
    await world.resolve()
    assert len(world.queries) == 2


async def test_a_change_drops_the_tenant_alone():
    world = World("a", "b")
    await world.resolve("a")
    await world.resolve("b")
    await world.cache.by_id(UUID(int=1))
    world.queries.clear()
    world.cache.changed(str(UUID(int=1)))
    await world.resolve("b")
    assert world.queries == []
    await world.resolve("a")
    await world.cache.by_id(UUID(int=1))
    assert world.queries == ["a", UUID(int=1)]


async def test_a_change_of_everybody_drops_everything():
    world = World("a", "b")
    await world.resolve("a")
    await world.resolve("b")
    world.cache.changed("*")
    assert world.cache.state.known == 0


async def test_a_new_host_is_known_at_once():
    world = World("a")
    assert await world.resolve("new") is None
    world.rows["new"] = raw(1)
    assert await world.resolve("new") is None
    world.cache.changed(str(UUID(int=1)))
    assert await world.resolve("new") == "shop1"


async def test_nothing_is_kept_while_nobody_listens():
    world = World("a")
    await world.resolve()
    world.cache.keep(False)
    await world.resolve()
    await world.resolve()
    await world.resolve("x")
    assert world.queries == ["a", "a", "a", "x"]
    assert (world.cache.state.keeps, world.cache.state.known, world.cache.state.unknown) == (False, 0, 0)


async def test_cold_calls_for_one_host_share_a_query():
    world = World("a")
    world.gate = asyncio.Event()
    calls = [asyncio.create_task(world.resolve()) for _ in range(20)]
    await world.asked(1)
    world.gate.set()
    assert await asyncio.gather(*calls) == ["shop1"] * 20
    assert world.queries == ["a"]


async def test_one_who_gives_up_does_not_spoil_it_for_the_others():
    world = World("a")
    world.gate = asyncio.Event()
    first, second = asyncio.create_task(world.resolve()), asyncio.create_task(world.resolve())
    await world.asked(1)
    first.cancel()
    world.gate.set()
    assert await second == "shop1"
    assert first.cancelled()


async def test_what_was_read_before_a_change_is_not_kept_and_not_shared():
    world = World("a")
    world.gate = asyncio.Event()
    early = asyncio.create_task(world.resolve())
    await world.asked(1)
    world.rows["a"] = raw(1, slug="renamed")
    world.cache.changed(str(UUID(int=1)))
    late = asyncio.create_task(world.resolve())
    await world.asked(2)
    world.gate.set()
    assert (await early, await late) == ("shop1", "renamed")
    assert await world.resolve() == "renamed"
    assert world.queries == ["a", "a"]


async def test_a_query_that_fails_is_asked_again():
    world = World("a")

    async def failing(host):
        raise OSError("no database")

    broken = SnapshotCache(failing, world.by_id, BUILDER)
    broken.keep(True)
    for _ in range(2):
        with pytest.raises(OSError, match="no database"):
            await broken.resolve("a")
    assert broken.state.known == 0


async def test_the_cache_is_bounded():
    world = World()
    for number in range(MAX_UNKNOWN + 5):
        await world.resolve(f"x{number}")
    assert world.cache.state.unknown == MAX_UNKNOWN
    world.rows = {f"h{number}": raw(number + 1) for number in range(MAX_HOSTS + 5)}
    for host in world.rows:
        await world.resolve(host)
    assert world.cache.state.known == MAX_HOSTS
    world.queries.clear()
    await world.resolve(f"h{MAX_HOSTS + 4}")
    await world.resolve("h0")
    assert world.queries == ["h0"]
