"""Discovery, validation, order and policy of the plugin loader."""

import sys
from textwrap import dedent

import pytest
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import DeclarativeBase

from regulars.contracts.errors import PluginLoadError
from regulars.contracts.hookspecs import hookimpl
from regulars.contracts.manifest import (
    BlueprintRef,
    EventType,
    Feature,
    Limit,
    NavEntry,
    Permission,
    Plugin,
    ProviderRef,
    SlotRef,
    Subscription,
)
from regulars.contracts.slots import Slot
from regulars.kernel.db.base import PluginTables, metadata
from regulars.kernel.plugins.discovery import Candidate
from regulars.kernel.plugins.loader import load_plugins, make_registry

HERE = __name__


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    target: int = 10


class Loose(BaseModel):
    target: int = 10


class Incomplete(BaseModel):
    model_config = ConfigDict(extra="forbid")
    target: int


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    success: bool = True


class Hooks:
    @hookimpl
    def earn(self, ctx, occasion, facts):
        return ()


class MisspeltHooks:
    @hookimpl
    def earned(self, ctx):
        return ()


class WrongArguments:
    @hookimpl
    def earn(self, context):
        return ()


class AsyncHooks:
    @hookimpl
    async def earn(self, ctx):
        return ()


class WrapperHooks:
    @hookimpl(wrapper=True)
    def earn(self, ctx):
        return (yield)


class FirstHooks:
    @hookimpl(tryfirst=True)
    def earn(self, ctx):
        return ()


class BrokenHooks:
    def __init__(self):
        raise RuntimeError("no")


class Unit:
    unit = "visits"
    path = "visit"
    earn_body = Body
    earn_answer = Answer
    redeem_answer = Answer

    def purchase(self, body): ...
    def progress(self, account, settings): ...
    def ready_at(self, settings): ...
    def answer_earn(self, ctx, account, earned, next_at): ...
    def answer_redeem(self, ctx, account, offer): ...


class SameUnit(Unit):
    path = "other"


class SamePath(Unit):
    unit = "others"


class CardsUnit(Unit):
    path = "cards"


class NamedUnit(Unit):
    path = "alpha"


class Reward:
    kind = "alpha.gift"

    def offers(self, ctx):
        return ()


async def render(ctx, data): ...


def render_now(ctx, data): ...


def manifest(name="alpha", **parts):
    return Plugin(**{"name": name, "title": name.title(), "host": ">=1,<2", **parts})


def third_party(name, **parts):
    plugin = manifest(name, **parts)
    return Candidate(name, "", f"coffee-{name}", "1", lambda: plugin)


def bundled(name, **parts):
    plugin = manifest(name, **parts)
    return Candidate(name, f"regulars_{name}", f"regulars-{name}", "1", lambda: plugin)


def faults(*plugins, **options):
    with pytest.raises(PluginLoadError) as caught:
        make_registry(plugins, **options)
    return str(caught.value).splitlines()


def names(registry):
    return [plugin.name for plugin in registry.plugins]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a package; its modules and tables are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules, tables = set(sys.modules), set(metadata.tables)

    def write(name, **files):
        folder = tmp_path / name
        for path, text in {"__init__.py": "", **{f"{key}.py": text for key, text in files.items()}}.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text))
        return folder

    yield write
    for name in set(sys.modules) - modules:
        if name.split(".")[0].endswith(("_pkg", "regulars_zeta")):
            del sys.modules[name]
    for name in set(metadata.tables) - tables:
        if name.startswith("plg_") or "stray" in name:
            metadata.remove(metadata.tables[name])


def test_a_whole_manifest_is_resolved():
    plugin = manifest(
        settings=f"{HERE}:Settings",
        hooks=f"{HERE}:Hooks",
        features=(Feature("multi", "Several cards", alias="loyalty_multi"),),
        limits=(Limit("cards", "Cards"),),
        permissions=(Permission("manage", "Manage", alias="loyalty.manage"),),
        slots=(SlotRef(Slot.PORTAL_CARD, f"{HERE}:render"),),
        providers=(
            ProviderRef("unit", "visits", f"{HERE}:Unit"),
            ProviderRef("reward", "gift", f"{HERE}:Reward"),
        ),
        events=(EventType("full", "Card full", f"{HERE}:Answer"),),
        subscriptions=(Subscription("alpha.full", "congratulate"), Subscription("member.enrolled", "greet")),
        blueprints=(BlueprintRef("manage", "alpha.web:bp"),),
        nav=(NavEntry("manage", "Alpha", "index", "star", "alpha.manage"),),
        alias="loyalty_alpha",
    )
    registry = make_registry([plugin])
    loaded = registry.plugin("alpha")
    assert loaded.settings_model is Settings
    assert isinstance(loaded.hooks, Hooks)
    assert registry.names == {"alpha"}
    assert registry.features == {"alpha": "Alpha", "alpha.multi": "Several cards"}
    assert list(registry.limits) == ["alpha.cards"]
    assert list(registry.permissions) == ["alpha.manage"]
    assert registry.aliases == {
        "loyalty_alpha": "alpha",
        "loyalty_multi": "alpha.multi",
        "loyalty.manage": "alpha.manage",
    }
    assert registry.unit_providers["visits"][0] == "alpha"
    assert registry.unit_by_path["visit"][1].unit == "visits"
    assert registry.reward_providers["alpha.gift"][0] == "alpha"
    assert registry.events["alpha.full"].payload is Answer
    assert registry.subscriptions == {"alpha.full": ("alpha.congratulate",), "member.enrolled": ("alpha.greet",)}
    assert [slot.plugin for slot in registry.slots[Slot.PORTAL_CARD]] == ["alpha"]
    assert registry.slots[Slot.TERMINAL_CARD] == ()
    assert registry.blueprints == (("alpha", plugin.blueprints[0]),)
    assert registry.nav == (("alpha", plugin.nav[0]),)
    assert registry.quarantined == ()


def test_the_registry_is_frozen():
    registry = make_registry([manifest()])
    with pytest.raises(AttributeError):
        registry.plugins = ()
    with pytest.raises(TypeError):
        registry.features["beta"] = "Beta"


def test_requirements_come_first_and_ties_go_by_name():
    plugins = [manifest("alpha", requires=("zeta",)), manifest("beta"), manifest("zeta"), manifest("gamma")]
    assert names(make_registry(plugins)) == ["beta", "gamma", "zeta", "alpha"]


def test_slots_are_sorted_by_order_then_plugin():
    def with_slot(name, order):
        return manifest(name, slots=(SlotRef(Slot.PORTAL_CARD, f"{HERE}:render", order),))

    registry = make_registry([with_slot("alpha", 20), with_slot("beta", 10), with_slot("gamma", 10)])
    assert [slot.plugin for slot in registry.slots[Slot.PORTAL_CARD]] == ["beta", "gamma", "alpha"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"host": ">=2"}, "it works with host versions >=2, this is 1.0.0"),
        ({"host": "2!"}, "its host version range '2!' is not a version specifier such as '>=1,<2'"),
        ({"settings_version": 0}, "settings_version must be at least 1"),
        ({"requires": ("alpha",)}, "it requires itself"),
        ({"requires": ("beta",)}, "it requires 'beta', which is not installed, not allowed or faulty"),
        ({"settings": "nowhere"}, "'nowhere' is not of the form 'module:attribute'"),
        ({"settings": f"{HERE}:Nothing"}, f"its module {HERE} has no Nothing"),
        ({"settings": f"{HERE}:Hooks"}, f"its settings {HERE}:Hooks are not a pydantic model"),
        ({"settings": f"{HERE}:Loose"}, "its settings model must have extra='forbid'"),
        ({"settings": f"{HERE}:Incomplete"}, "its settings lack a default for target"),
        ({"jobs": ("no_such_pkg",)}, "its module no_such_pkg cannot be imported: ModuleNotFoundError: No module"),
        ({"hooks": f"{HERE}:MisspeltHooks"}, "its hooks are refused: unknown hook 'earned'"),
        ({"hooks": f"{HERE}:WrongArguments"}, "its hooks are refused: Plugin 'alpha' for hook 'earn'"),
        ({"hooks": f"{HERE}:AsyncHooks"}, "its ledger hook earn must be a plain function without I/O, not async"),
        ({"hooks": f"{HERE}:WrapperHooks"}, "its hook earn is a wrapper; wrappers are refused"),
        ({"hooks": f"{HERE}:FirstHooks"}, "its hook earn asks for a place in the order; the order is that of requires"),
        ({"hooks": f"{HERE}:BrokenHooks"}, f"{HERE}:BrokenHooks cannot be made: RuntimeError: no"),
        ({"features": (Feature("Multi", ""),)}, "the feature 'Multi' does not match"),
        ({"limits": (Limit("cards", ""), Limit("cards", ""))}, "the limit 'cards' is declared 2 times"),
        (
            {"slots": (SlotRef(Slot.PORTAL_CARD, f"{HERE}:render_now"),)},
            f"the renderer {HERE}:render_now of the slot portal.card must be async",
        ),
        (
            {"providers": (ProviderRef("unit", "stamps", f"{HERE}:Unit"),)},
            f"the provider {HERE}:Unit is for the unit 'visits', its key is 'stamps'",
        ),
        (
            {"providers": (ProviderRef("unit", "visits", f"{HERE}:Reward"),)},
            f"the provider {HERE}:Reward lacks unit, path, earn_body",
        ),
        (
            {"providers": (ProviderRef("unit", "visits", f"{HERE}:CardsUnit"),)},
            "the unit path 'cards' belongs to the host",
        ),
        (
            {"providers": (ProviderRef("reward", "present", f"{HERE}:Reward"),)},
            f"the provider {HERE}:Reward must be of the kind 'alpha.present', not 'alpha.gift'",
        ),
        ({"subscriptions": (Subscription("beta.full", "greet"),)}, "it subscribes to 'beta.full'; neither the host"),
        (
            {"nav": (NavEntry("manage", "Alpha", "index", "star", "program.manage"),)},
            "its menu entry 'index' needs a blueprint for the area 'manage'",
        ),
        (
            {
                "blueprints": (BlueprintRef("manage", "a:b"),),
                "nav": (NavEntry("manage", "Alpha", "index", "star", "alpha.manage"),),
            },
            "its menu entry 'index' needs 'alpha.manage', which it does not declare",
        ),
        (
            {"blueprints": (BlueprintRef("manage", "a:b"), BlueprintRef("manage", "a:c"))},
            "it has 2 blueprints for the area 'manage'; one is possible",
        ),
    ],
)
def test_a_fault_is_one_clear_line(parts, message):
    (line,) = faults(manifest(**parts))
    assert line.startswith(f"plugin alpha: {message}")


def test_all_faults_are_told_at_once():
    lines = faults(manifest("alpha", host=">=2", settings_version=0), manifest("beta", settings=f"{HERE}:Loose"))
    assert lines == [
        "plugin alpha: it works with host versions >=2, this is 1.0.0",
        "plugin alpha: settings_version must be at least 1",
        "plugin beta: its settings model must have extra='forbid'",
    ]


@pytest.mark.parametrize("name", ["Alpha", "a", "1st", "al-pha"])
def test_a_bad_name_is_refused(name):
    assert faults(manifest(name)) == [f"plugin {name}: its name does not match ^[a-z][a-z0-9_]{{1,30}}$"]


@pytest.mark.parametrize("name", ["cards", "stats", "host"])
def test_a_host_name_is_refused(name):
    assert faults(manifest(name)) == [f"plugin {name}: the name {name!r} belongs to the host"]


def test_manifest_and_entry_point_must_agree():
    candidate = Candidate("alpha", "", "coffee", "1", lambda: manifest("beta"))
    assert faults(candidate) == [
        "plugin alpha: its manifest is named 'beta', its entry point 'alpha'; they must be equal"
    ]


def test_a_bundled_plugin_has_a_derived_package():
    plugin = manifest()
    candidate = Candidate("alpha", "stamps_pkg", "regulars-alpha", "1", lambda: plugin)
    assert faults(candidate) == ["plugin alpha: its package must be regulars_alpha, not stamps_pkg"]


def test_an_entry_point_that_raises_or_is_no_plugin():
    def broken():
        raise ImportError("no module named espresso")

    lines = faults(Candidate("alpha", "", "a", "1", broken), Candidate("beta", "", "b", "1", lambda: 7))
    assert lines == [
        "plugin alpha: it cannot be imported: ImportError: no module named espresso",
        "plugin beta: its entry point gives no Plugin but int",
    ]


def test_hooks_may_come_after_those_of_plugins_that_need_not_be_there():
    alpha, beta = manifest("alpha", after=("beta", "nowhere")), manifest("beta")
    assert [plugin.name for plugin in make_registry([alpha, beta]).plugins] == ["beta", "alpha"]
    assert [plugin.name for plugin in make_registry([alpha]).plugins] == ["alpha"]


def test_cycles_are_refused_and_what_stands_behind_them():
    lines = faults(
        manifest("alpha", requires=("beta",)),
        manifest("beta", requires=("alpha",)),
        manifest("gamma", requires=("beta",)),
        manifest("delta"),
    )
    assert lines == [
        "plugin alpha: it requires itself: alpha → beta → alpha",
        "plugin beta: it requires itself: beta → alpha → beta",
        "plugin gamma: it requires 'beta', which is faulty",
    ]


def unit(name, target):
    key = "others" if target == "SamePath" else "visits"
    return {"name": name, "providers": (ProviderRef("unit", key, f"{HERE}:{target}"),)}


def test_units_and_paths_are_unique():
    assert faults(manifest(**unit("alpha", "Unit")), manifest(**unit("beta", "SameUnit"))) == [
        "plugin alpha: the unit 'visits' is also that of beta",
        "plugin beta: the unit 'visits' is also that of alpha",
    ]
    assert faults(manifest(**unit("alpha", "Unit")), manifest(**unit("beta", "SamePath"))) == [
        "plugin alpha: the unit path 'visit' is also that of beta",
        "plugin beta: the unit path 'visit' is also that of alpha",
    ]


def test_a_unit_path_is_no_other_plugins_name():
    assert faults(manifest("alpha"), manifest(**unit("beta", "NamedUnit"))) == [
        "plugin beta: the unit path 'alpha' of beta is the name of a plugin"
    ]
    assert names(make_registry([manifest(**unit("alpha", "NamedUnit"))])) == ["alpha"]


def test_quarantine_leaves_out_third_parties_only(package):
    package("regulars_zeta")
    registry = make_registry(
        [
            bundled("zeta"),
            third_party("alpha", settings=f"{HERE}:Loose"),
            third_party("beta", requires=("alpha",)),
            third_party("gamma"),
        ],
        policy="quarantine",
    )
    assert names(registry) == ["gamma", "zeta"]
    assert [str(fault) for fault in registry.quarantined] == [
        "plugin alpha: its settings model must have extra='forbid'",
        "plugin beta: it requires 'alpha', which is faulty",
    ]
    assert registry.features == {"gamma": "Gamma", "zeta": "Zeta"}


def test_quarantine_is_no_help_for_a_bundled_plugin(package):
    package("regulars_zeta")
    assert faults(bundled("zeta", requires=("alpha",)), third_party("alpha", host=">=9"), policy="quarantine") == [
        "plugin alpha: it works with host versions >=9, this is 1.0.0",
        "plugin zeta: it requires 'alpha', which is not installed, not allowed or faulty",
    ]


def test_in_a_clash_the_third_party_gives_way(package):
    package("regulars_zeta")
    registry = make_registry(
        [bundled(**unit("zeta", "Unit")), third_party(**unit("alpha", "SamePath"))], policy="quarantine"
    )
    assert names(registry) == ["zeta"]
    assert [fault.message for fault in registry.quarantined] == ["the unit path 'visit' is also that of zeta"]


MODEL = """
    from uuid import UUID
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    from regulars.kernel.db.base import PluginTables, TenantTable

    class Base(PluginTables, DeclarativeBase, plugin="{schema}"): ...

    class Visit(TenantTable, Base):
        __tablename__ = "visit"
        card_id: Mapped[UUID] = mapped_column(primary_key=True)
"""


def test_models_lie_in_the_plugins_schema(package):
    package("good_pkg", models=MODEL.format(schema="alpha"))
    registry = make_registry([manifest(models="good_pkg.models")])
    assert [table.fullname for table in registry.plugin("alpha").tables] == ["plg_alpha.visit"]
    again = make_registry([manifest(models="good_pkg.models")])
    assert [table.fullname for table in again.plugin("alpha").tables] == ["plg_alpha.visit"]


def test_models_elsewhere_are_refused_also_at_the_second_load(package):
    package("elsewhere_pkg", models=MODEL.format(schema="beta"))
    line = "plugin alpha: its table plg_beta.visit must lie in the schema plg_alpha"
    assert faults(manifest(models="elsewhere_pkg.models")) == [line]
    assert faults(manifest(models="elsewhere_pkg.models")) == [line]


def test_a_base_that_names_no_plugin_is_refused():
    with pytest.raises(TypeError) as refused:
        type("Base", (PluginTables, DeclarativeBase), {})
    assert str(refused.value) == 'Base must name its plugin: class Base(…, plugin="stamps")'


def test_a_table_in_the_hosts_schema_is_refused(package):
    package(
        "stray_pkg",
        models="""
        from sqlalchemy import Column, Table, Uuid
        from regulars.kernel.db.base import metadata
        stray = Table("stray", metadata, Column("tenant_id", Uuid, primary_key=True), schema="core")
        """,
    )
    assert faults(manifest(models="stray_pkg.models")) == [
        "plugin alpha: its table core.stray must lie in the schema plg_alpha"
    ]


def test_a_table_without_tenant_is_refused(package):
    package("loose_pkg", models=MODEL.format(schema="alpha").replace("TenantTable, ", ""))
    assert faults(manifest(models="loose_pkg.models")) == [
        "plugin alpha: the primary key of its table plg_alpha.visit must start with tenant_id"
    ]


def test_a_metadata_of_its_own_is_refused(package):
    package(
        "own_pkg",
        models="""
        from sqlalchemy import Column, MetaData, Table, Uuid
        visit = Table("visit", MetaData(), Column("tenant_id", Uuid, primary_key=True), schema="plg_alpha")
        """,
    )
    assert faults(manifest(models="own_pkg.models")) == [
        "plugin alpha: its table plg_alpha.visit is not built on PluginTables"
    ]


LEDGER = """
    from sqlalchemy.sql.elements import ColumnElement
    from sqlalchemy import Column, MetaData, Table, Text, Uuid, bindparam, func, select
    from regulars.contracts.ledger import Fact, WriteStatement
    from regulars.kernel.db.rows import insert_rows

    class Odd(ColumnElement):
        inherit_cache = True

    visit = Table("visit", MetaData(), Column("tenant_id", Uuid), Column("note", Text), schema="plg_{schema}")
    FACTS = (Fact("visits", select(func.count()).where(visit.c.tenant_id == bindparam("{fact}", required=True))
        .scalar_subquery()),)
    BROKEN = (Fact("visits", select(func.count()).with_only_columns(visit.c.note.concat(Odd())).scalar_subquery()),)
    WRITES = (WriteStatement("new", insert_rows(visit, "note", bind="{write}")),)
"""


def test_facts_and_writes_are_prepared_and_named(package):
    package("ledger_pkg", ledger=LEDGER.format(schema="alpha", fact="tenant_id", write="alpha_new"))
    registry = make_registry([manifest(facts="ledger_pkg.ledger:FACTS", writes="ledger_pkg.ledger:WRITES")])
    assert [fact.name for fact in registry.plugin("alpha").facts] == ["visits"]
    assert registry.writes["alpha", "new"].bind == "alpha_new"


def test_bad_facts_and_writes_are_refused(package):
    package("badledger_pkg", ledger=LEDGER.format(schema="beta", fact="staff_id", write="alpha_new"))
    package("badbind_pkg", ledger=LEDGER.format(schema="alpha", fact="tenant_id", write="rows"))
    module = "badledger_pkg.ledger"
    assert faults(manifest(facts=f"{module}:FACTS", writes=f"{module}:WRITES")) == [
        "plugin alpha: its fact 'visits' uses the unknown parameter staff_id",
        "plugin alpha: its write statement 'new' writes to the schema plg_beta, not to its own",
    ]
    (line,) = faults(manifest(facts=f"{module}:BROKEN"))
    assert line.startswith("plugin alpha: its fact 'visits' cannot be compiled: ")
    assert faults(manifest(writes="badbind_pkg.ledger:WRITES")) == [
        "plugin alpha: its write statement 'new' must have one parameter, named alpha_…"
    ]


VALUES = """
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import BigInteger, bindparam, select
    from regulars.contracts.ledger import Fact

    class Settings(BaseModel):
        model_config = ConfigDict(extra="forbid")
        days: int = 30

    FACTS = (Fact("days", select(bindparam("{name}", type_=BigInteger())).scalar_subquery(),
        lambda settings: {{"{name}": settings.days}}),)
"""


def test_values_of_facts_come_from_settings_and_bear_the_plugins_name(package):
    package("values_pkg", rules=VALUES.format(name="alpha_days"))
    package("bare_pkg", rules=VALUES.format(name="days"))
    good = manifest(facts="values_pkg.rules:FACTS", settings="values_pkg.rules:Settings")
    assert [fact.name for fact in make_registry([good]).plugin("alpha").facts] == ["days"]
    assert faults(manifest(facts="values_pkg.rules:FACTS")) == [
        "plugin alpha: its fact 'days' takes values from settings, but it has none"
    ]
    assert faults(manifest(facts="bare_pkg.rules:FACTS", settings="bare_pkg.rules:Settings")) == [
        "plugin alpha: values of its fact 'days' must be named alpha_…, not days"
    ]


def install(tmp_path, distribution, name, package):
    folder = tmp_path / f"{distribution.replace('-', '_')}-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    (folder / "entry_points.txt").write_text(f"[regulars.plugins]\n{name} = {package}:plugin\n")


MANIFEST = """
    from regulars.contracts.manifest import Plugin
    plugin = Plugin(name="{name}", title="{name}", host=">=1")
"""


def test_installed_plugins_are_found_with_their_folders(tmp_path, package):
    folder = package("visits_pkg", __init__=MANIFEST.format(name="visits"))
    (folder / "templates" / "visits").mkdir(parents=True)
    (folder / "migrations").mkdir()
    install(tmp_path, "coffee-visits", "visits", "visits_pkg")
    registry = load_plugins(allowed=["visits"])
    plugin = registry.plugin("visits")
    assert (plugin.candidate.distribution, plugin.candidate.version) == ("coffee-visits", "1.2")
    assert (plugin.templates, plugin.migrations) == (folder / "templates", folder / "migrations")
    assert (plugin.static, plugin.locale) == (None, None)
    assert names(load_plugins(allowed=["visits"], blocked=["visits"])) == []


def test_templates_below_another_name_are_refused(tmp_path, package):
    folder = package("stray_templates_pkg", __init__=MANIFEST.format(name="visits"))
    (folder / "templates" / "host").mkdir(parents=True)
    install(tmp_path, "coffee-visits", "visits", "stray_templates_pkg")
    with pytest.raises(PluginLoadError) as caught:
        load_plugins(allowed=["visits"])
    assert str(caught.value) == ("plugin visits: its templates must lie in templates/visits/, found others beside it")


def test_two_distributions_with_one_name_are_refused(tmp_path, package):
    package("visits_pkg", __init__=MANIFEST.format(name="visits"))
    install(tmp_path, "coffee-visits", "visits", "visits_pkg")
    install(tmp_path, "tea-visits", "visits", "visits_pkg")
    with pytest.raises(PluginLoadError) as caught:
        load_plugins(allowed=["visits"])
    assert str(caught.value).splitlines() == [
        f"plugin visits: the distribution {name} uses a name that another one has as well; uninstall one of them"
        for name in ("coffee-visits", "tea-visits")
    ]


def test_a_listed_plugin_must_be_installed_whatever_the_policy():
    for policy in ("fail", "quarantine"):
        with pytest.raises(PluginLoadError) as caught:
            load_plugins(allowed=["no_such_plugin"], policy=policy)
        assert str(caught.value) == ("plugin no_such_plugin: it is listed in REGULARS_PLUGINS but not installed")
