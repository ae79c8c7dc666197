"""The documentation is true: the reference is what the code says, nothing in it is left out, no link leads nowhere."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel

from regulars import sdk
from regulars.cli import main
from regulars.contracts.events import EVENT_TYPES
from regulars.contracts.hookspecs import HookSpecs
from regulars.contracts.ledger import Purchase
from regulars.contracts.pages import PageContext
from regulars.contracts.providers import RewardProvider, UnitExpiry, UnitLife, UnitProvider, UnitWords
from regulars.contracts.slots import Slot
from regulars.domain.ledger.invariants import INVARIANTS
from regulars.domain.staff.permissions import PERMISSIONS
from regulars.domain.tenants.features import FEATURES
from regulars.kernel.config import variables
from regulars.kernel.i18n import formats
from regulars.kernel.observability.metrics import DECLARED
from regulars.kernel.plugins.discovery import Candidate
from regulars.kernel.plugins.loader import make_registry
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.templating.brand import PROPERTIES, STAGE_PROPERTIES, brand_css
from regulars.kernel.templating.chrome import Chrome
from regulars.testing.contexts import ledger_context
from regulars.testing.themes import check_theme
from regulars.web import portal

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("plugins/*/README.md"))]
PORTAL = [f"{portal.__name__}.{one.name}" for one in iter_modules(portal.__path__)]
STEP = re.compile(
    r"^```sh\n(?P<sh>.*?)\n```$|^<!-- (?P<how>\S+): (?P<file>\S+) -->\n```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PROOF = re.compile(r"`((?:tests|plugins)/[\w/]+\.py)::(\w+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


class NoSettings(BaseModel):
    """Settings of a plugin that has none."""


def reference(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def public(kind: type) -> list[str]:
    return [name for name in vars(kind) if not name.startswith("_") and callable(getattr(kind, name))]


@pytest.fixture(scope="session")
def bundled(registry: PluginRegistry) -> PluginRegistry:
    assert {plugin.name for plugin in registry.plugins} >= {"stamps", "antifraud"}
    return registry


def test_the_reference_is_what_the_code_says(tmp_path: Path) -> None:
    subprocess.run([sys.executable, DOCS / "generate.py", tmp_path], check=True, capture_output=True)
    made = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    committed = {path.name: path.read_text("utf-8") for path in REFERENCE.iterdir()}
    assert sorted(committed) == sorted(made)
    assert [name for name in made if committed[name] != made[name]] == [], "run `make docs` and commit what it writes"


@pytest.mark.parametrize("hook", public(HookSpecs))
def test_hook_is_documented(hook: str) -> None:
    part = reference("hooks.md").partition(f"\n## `{hook}`\n")[2].partition("\n## ")[0]
    assert re.search(rf"```python\n(async )?def {hook}\(ctx: .*\) -> .+\n```", part)
    assert all(f"{word}: " in part for word in ("When", "Gate", "Order", "Errors", "Returns")), part
    used = re.search(r"^Used by: (.*)$", part, re.MULTILINE)
    assert used is not None
    assert used[1], "a hook is merged only with a plugin that uses it"


@pytest.mark.parametrize("slot", Slot)
def test_slot_is_documented_and_used(slot: Slot) -> None:
    row = re.search(
        rf"^\| `Slot\.{slot.name}` \| `{slot.value}` \| (.+) \| (.*) \|$", reference("slots.md"), re.MULTILINE
    )
    assert row is not None
    data = re.search(r"Data: `(\w+)`", row[1])
    assert data is not None
    assert f"\n### `{data[1]}`\n" in reference("slots.md")
    assert row[2], "a slot is merged only with a plugin that uses it"


def test_events_are_documented(bundled: PluginRegistry) -> None:
    host = [name for name, kind in EVENT_TYPES.items() if kind.__module__.startswith("regulars.")]
    parts = {part.partition("`")[0]: part for part in reference("events.md").split("\n## `")[1:]}
    assert sorted(parts) == sorted([*host, *bundled.events])
    assert [name for name, part in parts.items() if "| `" not in part or "Version 1" not in part] == []


@pytest.mark.parametrize("protocol", [UnitProvider, UnitWords, UnitLife, UnitExpiry, RewardProvider])
def test_provider_is_documented(protocol: type) -> None:
    part = reference("providers.md").partition(f"\n## `{protocol.__name__}`\n")[2].partition("\n## ")[0]
    assert [name for name in public(protocol) if f"| `{name}(" not in part] == []


def test_everything_of_the_sdk_is_documented() -> None:
    """Every name that a plugin may import, in every module, with a sentence."""
    modules = [sdk, *(import_module(f"regulars.sdk.{found.name}") for found in iter_modules(sdk.__path__))]
    parts = {part.partition("`")[0]: part for part in reference("sdk.md").split("\n## `")[1:]}
    assert sorted(parts) == sorted(module.__name__ for module in modules)
    for module in modules:
        rows = dict(re.findall(r"^\| `(\w+)[^|]*\| (.+) \|$", parts[module.__name__].replace("\\|", "/"), re.MULTILINE))
        assert sorted(rows) == sorted(module.__all__), module.__name__
        public = {name for name in vars(module) if name[0] != "_" and not inspect.ismodule(getattr(module, name))}
        assert public <= set(module.__all__), module.__name__


def test_permissions_are_documented(bundled: PluginRegistry) -> None:
    titles = {name: one.title for name, one in PERMISSIONS.items()}
    titles |= {name: one.title for name, one in bundled.permissions.items()}
    assert [n for n, title in titles.items() if f"| `{n}` | {title} |" not in reference("permissions.md")] == []


def test_settings_are_documented(bundled: PluginRegistry) -> None:
    for plugin in bundled.plugins:
        part = reference("settings.md").partition(f"\n## `{plugin.name}`\n")[2].partition("\n## ")[0]
        fields = plugin.settings_model.model_fields if plugin.settings_model else {}
        assert [name for name, info in fields.items() if f"| `{name}` | " not in part or not info.title] == []


def test_variables_and_features_are_documented(bundled: PluginRegistry) -> None:
    declared = [one.name for one in variables().values()]
    assert [name for name in declared if f"| `{name}` |" not in reference("configuration.md")] == []
    features = [*(one.name for one in FEATURES), *bundled.features]
    assert [name for name in features if f"| `{name}` |" not in reference("features.md")] == []


@pytest.mark.parametrize("module", [*PORTAL, "regulars.web.failures"])
def test_pages_of_customers_are_documented(module: str) -> None:
    text = reference("pages.md")
    found = [
        kind
        for kind in vars(import_module(module)).values()
        if isinstance(kind, type) and issubclass(kind, PageContext) and kind.__module__ == module
    ]
    for kind in (kind for kind in found if hasattr(kind, "template")):
        part = text.partition(f"\n### `{kind.__name__}`\n")[2].partition("\n##")[0]
        assert [one.name for one in fields(kind) if f"| `{one.name}` | " not in part] == [], kind


def test_what_stands_around_a_page_is_documented() -> None:
    part = reference("pages.md").partition("\n### `Chrome`\n")[2].partition("\n##")[0]
    assert [one.name for one in fields(Chrome) if f"| `{one.name}` | " not in part] == []
    assert [name for name in formats.TEMPLATE_NAMES if f"| `{name}` | " not in reference("pages.md")] == []


def test_properties_are_documented_and_there() -> None:
    text = reference("properties.md")
    assert [name for name in {**PROPERTIES, **STAGE_PROPERTIES} if f"| `{name}` | " not in text] == []
    set_by_brand = set(re.findall(r"^  (--[\w-]+):", brand_css("#4f46e5"), re.MULTILINE))
    assert set_by_brand == set(PROPERTIES)
    tokens = (ROOT / "platform/frontend/src/css/tokens.css").read_text("utf-8")
    assert [name for name in STAGE_PROPERTIES if f"  {name}: " not in tokens] == []


def test_a_theme_in_ten_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command and every file of the page, in its order; at the end the theme is sound."""
    guide = (DOCS / "theme-authors" / "ten-minutes.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    theme = tmp_path / "themes" / "market"
    said: list[str] = []
    for step in STEP.finditer(guide):
        if step["sh"]:
            result = CliRunner().invoke(main, shlex.split(step["sh"])[1:])
            said.append(result.output)
        else:
            file = theme / step["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            before = file.read_text("utf-8") if file.is_file() else ""
            if step["how"] == "end-block":
                head, block, tail = before.rpartition("{% endblock %}")
                file.write_text(head + step["text"] + block + tail, "utf-8")
            else:
                file.write_text((before + "\n" if step["how"] == "append" else "") + step["text"], "utf-8")
    lost = re.search(r"^templates/portal/home.html: the slot .*$", guide, re.MULTILINE)
    assert lost
    assert said[0].startswith("Market is in themes/market: 8 files.")
    assert lost[0] in said[1]
    found = check_theme(theme)
    assert [str(one) for one in found if one.is_error] == []
    assert {one.file for one in found} == {f"locale/{code}/LC_MESSAGES/market.po" for code in ("de", "fr", "lt")}


def test_the_rules_of_the_ledger_are_told() -> None:
    rows = re.findall(r"^\| (\w+) \| (.+?) \|$", (DOCS / "concepts.md").read_text("utf-8"), re.MULTILINE)
    assert [(one.name, one.sentence) for one in INVARIANTS if (one.name, one.sentence) not in rows] == []


def test_the_smallest_plugin_of_the_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (DOCS / "plugin-authors" / "overview.md").read_text("utf-8")
    manifest, hooks = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    package = tmp_path / "regulars_lucky"
    package.mkdir()
    (package / "__init__.py").write_text(manifest, "utf-8")
    (package / "hooks.py").write_text(hooks, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = import_module("regulars_lucky").plugin
    registry = make_registry([Candidate("lucky", "regulars_lucky", "regulars-lucky", "1.0.0", lambda: loaded)])
    (hook,) = registry.hooks.ledger("check_earn", frozenset({"lucky"}))
    sunday, monday = (datetime(2026, 3, 8, 22, 59, tzinfo=UTC), datetime(2026, 3, 8, 23, tzinfo=UTC))
    answers = [hook.call(ledger_context(NoSettings(), now=now), Purchase(), {}) for now in (sunday, monday)]
    assert [answer and answer.code for answer in answers] == [None, "lucky.monday"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    assert [link for link in LINK.findall(text) if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    if link.startswith(("https://", "mailto:")):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(target)


def anchors(page: Path) -> set[str]:
    """Addresses of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (DOCS / "README.md").read_text("utf-8")
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(contents)}
    assert [page.relative_to(DOCS).as_posix() for page in sorted(DOCS.rglob("*.md")) if page not in linked] == [
        "README.md"
    ]


def test_alert_rules_ask_for_metrics_that_exist() -> None:
    rules = [
        rule for group in yaml.safe_load((DOCS / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
    ]
    assert len({rule["alert"] for rule in rules}) == len(rules) == 12
    told = {f"{name}_total" if one.kind == "counter" else name for name, one in DECLARED.items()}
    told |= {
        f"{name}_{part}" for name, one in DECLARED.items() if one.kind == "histogram" for part in ("bucket", "count")
    }
    asked = {name for rule in rules for name in re.findall(r"\bregulars_\w+", rule["expr"])}
    assert sorted(asked - told) == []
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        labels = set(re.findall(r"\b(\w+)=~?\"", rule["expr"])) - {"job"}
        assert labels <= {label for one in DECLARED.values() for label in one.labels}


def test_every_proof_is_there() -> None:
    named = PROOF.findall((DOCS / "proofs.md").read_text("utf-8"))
    assert len(named) > 40
    assert [(path, name) for path, name in named if f"def {name}(" not in (ROOT / path).read_text("utf-8")] == []
