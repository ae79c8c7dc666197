"""Settings on a real database: precedence, storage, secrets, versions, and calls that ask no query."""

import json
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import ConfigurationError, Conflict, InvalidInput
from regulars.contracts.manifest import Plugin
from regulars.kernel.plugins.loader import make_registry
from regulars.kernel.settings import NEW, SettingDefault, SettingsStore
from regulars.kernel.settings.forms import describe_form
from regulars.kernel.settings.parsing import parse_form
from regulars.testing.counting import counted

HERE = __name__
KEY = Fernet.generate_key().decode()
ROW = "SELECT version, values, secrets FROM core.plugin_settings WHERE tenant_id = $1 AND plugin = $2"
REVISION = "SELECT revision FROM core.tenant WHERE id = $1"


class Gate(BaseModel):
    model_config = ConfigDict(extra="forbid")
    minutes: int = Field(default=15, ge=0, json_schema_extra={"env": ["REGULARS_GATE", "LOYALTY_GATE"]})
    label: str = "gate"
    token: SecretStr | None = None
    other: SecretStr | None = None


class Shop(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = "shop"


class Port(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = "port"
    key_path: SecretStr = Field(default=SecretStr(""), json_schema_extra={"env": ["GATE_KEY"], "operator": True})


class Nested(BaseModel):
    model_config = ConfigDict(extra="forbid")
    gates: tuple[Gate, ...] = ()


def plugin(name="gate", model="Gate", scope="program", **parts):
    return Plugin(name=name, title=name, host=">=1", settings=f"{HERE}:{model}", settings_scope=scope, **parts)


PLUGINS = make_registry([plugin(), plugin("shop", "Shop", "tenant")])


def make_store(variables=None, registry=PLUGINS, key=KEY, **options):
    set_ = variables or {}
    return SettingsStore(registry, lambda names: next((set_[n] for n in names if n in set_), None), key, **options)


@pytest.fixture
def tenant(cafe):
    return replace(cafe.tenant, enabled=frozenset({"gate", "shop"}))


class Desk:
    """Reads and writes settings of a tenant, each in a transaction of its own, with the snapshot as it is then."""

    def __init__(self, database, tenant, program_id, sql):
        self.database, self.tenant, self.program_id, self.sql = database, tenant, program_id, sql

    async def renewed(self):
        self.tenant = replace(self.tenant, revision=await self.sql.fetchval(REVISION, self.tenant.id))
        return self.tenant

    async def get(self, store, plugin="gate", scope=None):
        async with self.database.tenant(self.tenant.id) as session:
            return await store.get(session, self.tenant, plugin, scope or self.program_id)

    async def save(self, store, values, plugin="gate", expected=None):
        async with self.database.tenant(self.tenant.id) as session:
            saved = await store.save(session, Context(self.tenant), plugin, self.program_id, values, expected)
        await self.renewed()
        return saved

    async def version(self, store, plugin="gate"):
        async with self.database.tenant(self.tenant.id) as session:
            return await store.version(session, self.tenant, plugin, self.program_id)

    async def queries(self, call):
        async with self.database.tenant(self.tenant.id) as session:
            with counted(session) as sent:
                await call(session)
        return len(sent)


@pytest.fixture
async def desk(database, tenant, cafe, sql):
    found = Desk(database, tenant, cafe.program_id, sql)
    await found.renewed()
    return found


async def test_default_then_environment_then_the_tenants_own(desk):
    assert (await desk.get(make_store())).minutes == 15
    store = make_store({"LOYALTY_GATE": "20"})
    assert (await desk.get(store)).minutes == 20
    assert (await desk.get(make_store({"LOYALTY_GATE": "20", "REGULARS_GATE": "30"}))).minutes == 30
    await desk.save(store, {"label": "mine"})
    assert await desk.get(store) == Gate(minutes=20, label="mine")
    await desk.save(store, {"minutes": 5})
    assert await desk.get(store) == Gate(minutes=5, label="mine")


def test_variables_are_listed_with_their_source():
    assert make_store().variables() == [
        SettingDefault("gate", "minutes", ("REGULARS_GATE", "LOYALTY_GATE"), "15", "default")
    ]
    assert [line.source for line in make_store({"LOYALTY_GATE": "20"}).variables()] == ["environment"]


def test_a_variable_that_does_not_fit_is_refused_at_the_start():
    with pytest.raises(ConfigurationError) as caught:
        make_store({"LOYALTY_GATE": "soon"})
    assert str(caught.value).startswith("REGULARS_GATE or LOYALTY_GATE does not fit gate.minutes: Input should be")


def test_a_nested_secret_is_refused_at_the_start():
    with pytest.raises(ConfigurationError, match="the secret in its setting gates must stand at the top"):
        make_store(registry=make_registry([plugin(model="Nested")]))


async def test_a_tenants_settings_are_no_programs(desk, cafe):
    store = make_store()
    await desk.save(store, {"name": "Café"}, plugin="shop")
    await desk.save(store, {"minutes": 1})
    assert (await desk.get(store, "shop", scope=cafe.shop_id)).name == "Café"
    assert (await desk.get(store, "gate", scope=cafe.shop_id)).minutes == 15


async def test_tenants_do_not_see_each_other(desk, database, pizza):
    store = make_store()
    await desk.save(store, {"minutes": 1})
    async with database.tenant(pizza.tenant.id) as session:
        assert (await store.get(session, pizza.tenant, "gate", desk.program_id)).minutes == 15


async def test_unknown_and_wrong_values_are_refused_by_field(desk, sql):
    store = make_store()
    with pytest.raises(InvalidInput) as caught:
        await desk.save(store, {"minutes": -1, "colour": "red"})
    assert caught.value.fields == {"minutes": "At least 0 is needed.", "colour": "This is not known here."}
    assert await sql.fetchrow(ROW, desk.tenant.id, "gate") is None


async def test_what_is_the_operators_comes_from_the_environment_alone(desk, sql):
    registry = make_registry([plugin("gate", "Port")])
    store = make_store({"GATE_KEY": "/etc/key"}, registry)
    for given in ({"key_path": "/etc/passwd"}, {"name": "mine", "key_path": None}):
        with pytest.raises(InvalidInput) as refused:
            await desk.save(store, given)
        assert refused.value.fields == {"key_path": "Only whoever runs the platform can set this."}
    assert await sql.fetch(ROW, desk.tenant.id, "gate") == []
    saved = await desk.save(store, {"name": "mine"})
    assert (saved.name, saved.key_path.get_secret_value()) == ("mine", "/etc/key")
    assert [field.name for field in describe_form(saved).fields()] == ["name"]
    sent = parse_form(saved, {"name": "yours", "key_path": "/etc/passwd"})
    assert (sent.values, sent.settings.key_path.get_secret_value()) == ({"name": "yours"}, "/etc/key")


async def test_secrets_are_stored_apart_and_stay(desk, sql):
    store = make_store()
    await desk.save(store, {"label": "x", "token": "s3cret", "other": SecretStr("t0p")})
    row = await sql.fetchrow(ROW, desk.tenant.id, "gate")
    assert (row["version"], json.loads(row["values"])) == (1, {"label": "x"})
    assert b"s3cret" not in row["secrets"]
    assert json.loads(Fernet(KEY).decrypt(row["secrets"])) == {"token": "s3cret", "other": "t0p"}
    await desk.save(store, {"token": "", "label": "y"})
    found = await desk.get(store)
    assert (found.token.get_secret_value(), found.other.get_secret_value(), found.label) == ("s3cret", "t0p", "y")
    assert "s3cret" not in repr(found)
    await desk.save(store, {"token": None, "other": None})
    assert (await desk.get(store)).token is None
    assert (await sql.fetchrow(ROW, desk.tenant.id, "gate"))["secrets"] is None


async def test_another_encryption_key_is_a_clear_error(desk):
    await desk.save(make_store(), {"token": "s3cret"})
    with pytest.raises(ConfigurationError, match="REGULARS_ENCRYPTION_KEY was changed"):
        await desk.get(make_store(key=Fernet.generate_key().decode()))


async def test_another_version_is_a_clear_error(desk):
    await desk.save(make_store(), {"label": "x"})
    newer = make_store(registry=make_registry([plugin(settings_version=2)]))
    with pytest.raises(ConfigurationError, match="settings of the plugin gate are stored in version 1, it has 2"):
        await desk.get(newer)


async def test_what_does_not_fit_any_more_is_a_clear_error(desk, sql):
    await desk.save(make_store(), {"label": "x"})
    await sql.execute("""UPDATE core.plugin_settings SET "values" = '{"minutes": "soon"}'""")
    await desk.renewed()
    with pytest.raises(ConfigurationError, match="stored settings of the plugin gate do not fit: minutes"):
        await desk.get(make_store())


async def test_nobodys_changes_are_overwritten(desk):
    store = make_store()
    first = await desk.version(store)
    assert first == NEW
    await desk.save(store, {"label": "one"}, expected=first)
    second = await desk.version(store)
    with pytest.raises(Conflict):
        await desk.save(store, {"label": "two"}, expected=first)
    await desk.save(store, {"label": "three"}, expected=second)
    with pytest.raises(Conflict):
        await desk.save(store, {"label": "four"}, expected=second)
    assert (await desk.get(store)).label == "three"
    for unknown in ("yesterday", "2026-03-10"):
        with pytest.raises(InvalidInput):
            await desk.save(store, {"label": "five"}, expected=unknown)


async def test_a_warm_call_asks_no_query(desk):
    store = make_store()

    async def everything(session):
        found = await store.get_all(session, desk.tenant, desk.program_id)
        assert sorted(found) == ["gate", "shop"]
        assert found["gate"] is await store.get(session, desk.tenant, "gate", desk.program_id)

    assert [await desk.queries(everything) for _ in range(3)] == [1, 0, 0]
    await desk.save(store, {"minutes": 3})
    assert [await desk.queries(everything) for _ in range(2)] == [1, 0]


VERSIONS = """SELECT number, version, values, actor_kind, actor_name, note FROM core.settings_version
              WHERE tenant_id = $1 AND plugin = 'gate' ORDER BY number"""


async def test_every_save_is_a_numbered_version_that_keeps_no_secret(desk, database, pizza, sql):
    store, defaults = make_store(), {"minutes": 15}
    await desk.save(store, {"label": "one", "token": "s3cret"})
    async with database.tenant(desk.tenant.id) as session:
        ctx = Context(desk.tenant, Principal("staff", None, "Ben"))
        await store.save(session, ctx, "gate", desk.program_id, {"label": "two"}, note="Longer evenings")
    await desk.renewed()
    rows = [(*tuple(row)[:2], json.loads(row["values"]), *tuple(row)[3:]) for row in await versions_of(sql, desk)]
    assert rows == [
        (1, 1, {**defaults, "label": "one"}, "anonymous", "", ""),
        (2, 1, {**defaults, "label": "two"}, "staff", "Ben", "Longer evenings"),
    ]
    async with database.tenant(desk.tenant.id) as session:
        edition = await store.edition(session, desk.tenant, desk.program_id)
        found = [await store.of_version(session, desk.tenant, "gate", desk.program_id, n) for n in (0, 1, 2, 3)]
    assert (edition.numbers, edition.models["gate"].label) == ({"gate": 2, "shop": 0}, "two")
    assert found == [Gate(), Gate(label="one"), Gate(label="two"), None]
    async with database.tenant(pizza.tenant.id) as session:
        assert await store.of_version(session, pizza.tenant, "gate", desk.program_id, 1) is None


async def versions_of(sql, desk):
    return await sql.fetch(VERSIONS, desk.tenant.id)


async def test_a_refused_or_overtaken_save_is_no_version(desk, sql):
    store = make_store()
    await desk.save(store, {"label": "one"})
    with pytest.raises(InvalidInput):
        await desk.save(store, {"minutes": -1})
    with pytest.raises(Conflict):
        await desk.save(store, {"label": "two"}, expected=NEW)
    assert [row["number"] for row in await versions_of(sql, desk)] == [1]


async def test_a_version_that_the_plugin_reads_no_more_is_none(desk, database):
    await desk.save(make_store(), {"label": "one"})
    newer = make_store(registry=make_registry([plugin(settings_version=2)]))
    async with database.tenant(desk.tenant.id) as session:
        assert await newer.of_version(session, desk.tenant, "gate", desk.program_id, 1) is None


async def test_trying_out_stores_nothing(desk, database, sql):
    store = make_store()
    async with database.tenant(desk.tenant.id) as session:
        tried = await store.try_out(session, desk.tenant, "gate", desk.program_id, {"minutes": 3})
        with pytest.raises(InvalidInput):
            await store.try_out(session, desk.tenant, "gate", desk.program_id, {"minutes": -3})
    assert tried == Gate(minutes=3)
    assert await sql.fetchrow(ROW, desk.tenant.id, "gate") is None


async def test_only_enabled_plugins_are_in_the_set(desk):
    store = make_store()
    desk.tenant = replace(desk.tenant, enabled=frozenset({"shop"}))
    async with desk.database.tenant(desk.tenant.id) as session:
        assert list(await store.get_all(session, desk.tenant, desk.program_id)) == ["shop"]


async def test_what_may_be_taken_back_is_not_kept(desk, database):
    store = make_store()
    await desk.get(store)

    async def save_and_fail():
        async with database.tenant(desk.tenant.id) as session:
            await store.save(session, Context(desk.tenant), "gate", desk.program_id, {"minutes": 1})
            assert (await store.get(session, desk.tenant, "gate", desk.program_id)).minutes == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await save_and_fail()
    assert (await desk.get(store)).minutes == 15


async def test_an_old_snapshot_sees_no_mixture(desk):
    """A request with an old snapshot may read new settings, but never keeps them under the old revision."""
    store, old = make_store(), desk.tenant
    await desk.save(make_store(), {"minutes": 1})
    async with desk.database.tenant(desk.tenant.id) as session:
        assert (await store.get(session, old, "gate", desk.program_id)).minutes == 1
    assert await desk.queries(lambda session: store.get(session, old, "gate", desk.program_id)) == 1


async def test_the_store_is_bounded(desk, pizza, database):
    store = make_store(max_tenants=1)

    async def read(session):
        await store.get(session, desk.tenant, "gate", desk.program_id)

    assert [await desk.queries(read) for _ in range(2)] == [1, 0]
    async with database.tenant(pizza.tenant.id) as session:
        await store.get(session, pizza.tenant, "gate", pizza.program_id)
    assert await desk.queries(read) == 1


def test_unknown_plugins_have_no_settings():
    with pytest.raises(KeyError):
        make_store().defaults("nothing")
    assert make_store().defaults("shop") == Shop()
