"""The small linter of this house: rules that ruff cannot know. Each rule yields `path:line: sentence`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "platform" / "regulars", *sorted((ROOT / "plugins").glob("*/regulars_*")))
SQL_FILES = {"repository.py", "queries.py", "rows.py", "rls.py", "invariants.py"}
SQL_FOLDERS = {"migrations", "versions", "testing", "embedded", "migrate", "db"}
SQL_CALLS = {"select", "text", "insert", "update", "delete"}
SQLALCHEMY = "sqlalchemy"
MONEY = (
    "contracts/ledger.py",
    "domain/ledger/",
    "domain/sales/",
    "domain/redemptions/",
    "regulars_stamps/hooks.py",
    "regulars_stamps/reward.py",
    "regulars_antifraud/hooks.py",
    "regulars_referrals/hooks.py",
    "regulars_tiers/hooks.py",
    "regulars_tiers/standing.py",
    "regulars_rewards/catalogue.py",
    "regulars_rewards/hooks.py",
    "regulars_promotions/hooks.py",
    "regulars_promotions/rules.py",
)
REDIS_FILES = ("kernel/redis.py", "kernel/ratelimit/", "kernel/jobs/arq_backend.py", "testing/", "kernel/embedded/")


def findings() -> list[str]:
    """Everything that breaks a rule in the host and the bundled plugins."""
    return [found for source in SOURCES for path in sorted(source.rglob("*.py")) for found in check(path)]


def check(path: Path) -> Iterator[str]:
    """Check one file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    where = path.relative_to(ROOT)
    for node in ast.walk(tree):
        for sentence in _rules(node, path, text):
            yield f"{where}:{node.lineno}: {sentence}"  # type: ignore[attr-defined]
    if not _may_hold_sql(path):
        yield from (f"{where}:{line}: SQL belongs into repository.py, queries.py or a migration" for line in _sql(tree))


def _rules(node: ast.AST, path: Path, text: str) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if name in {"commit", "rollback"} and "kernel" not in path.parts and "testing" not in path.parts:
            yield f"{name}() outside kernel: services never end the unit of work"
        if name == "platform" and _is_database(node.func.value) and not _has_reason(node):
            yield "Database.platform() needs a reason as its first argument"
    if _is_in(path, MONEY) and _is_inexact(node):
        yield "no fractions where units are counted: integers only"
    if _imports(node, "redis") and not _is_in(path, REDIS_FILES):
        yield "Redis only through kernel.redis, where every key carries its tenant"
    if isinstance(node, ast.Attribute) and _dotted(node).endswith("pm.hook") and path.name != "hooks.py":
        yield "pm.hook outside kernel.plugins.hooks: use the dispatcher"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if "set_config(" in node.value and "false)" in node.value:
            yield "set_config(…, false) outlives the transaction: use true"
        if "SET app." in node.value or "SET SESSION app." in node.value:
            yield "SET app.… outlives the transaction: use set_config(…, true)"


def _is_in(path: Path, places: tuple[str, ...]) -> bool:
    return any(place in path.as_posix() for place in places)


def _is_inexact(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    if isinstance(node, ast.BinOp | ast.AugAssign):
        return isinstance(node.op, ast.Div)
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"float", "Decimal", "round"}
    )


def _imports(node: ast.AST, package: str) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] == package for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package


def _is_database(node: ast.AST) -> bool:
    return _dotted(node).split(".")[-1] in {"database", "_database"}


def _has_reason(node: ast.Call) -> bool:
    return bool(node.args) or any(keyword.arg == "reason" for keyword in node.keywords)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _may_hold_sql(path: Path) -> bool:
    is_named = path.name in SQL_FILES or path.name.endswith(("_repository.py", "_queries.py", "_statements.py"))
    return is_named or path.name == "models.py" or bool(SQL_FOLDERS & set(path.parts))


def _sql(tree: ast.Module) -> Iterator[int]:
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == SQLALCHEMY
        for alias in node.names
        if alias.name in SQL_CALLS
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in imported:
            yield node.lineno


if __name__ == "__main__":
    found = findings()
    sys.stdout.write("\n".join([*found, f"{len(found)} findings\n"]))
    sys.exit(bool(found))
