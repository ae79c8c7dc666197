"""The layers hold, the public API implements nothing, plugins have no private door, and no file is too long to read."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "platform" / "regulars"
PLUGINS = sorted(ROOT.glob("plugins/*/regulars_*"))
LONGEST = 400
LONGER = {
    "platform/regulars/web/manage/members.py": "one page with its list, forms and export",
    "platform/regulars/web/manage/program.py": "one page with its forms and preview",
    "platform/regulars/domain/ledger/opened.py": "a card under its lock: everything that one transaction asks and adds",
    "platform/regulars/domain/ledger/posting.py": "the arithmetic of a card, one method for each kind of entry",
    "platform/regulars/web/api/models.py": "the shapes of the API, one after the other",
    "platform/regulars/kernel/config.py": "every variable, one after the other",
    "platform/regulars/contracts/ledger.py": "the language of the ledger, each word documented",
}


def imports(path: Path) -> Iterator[str]:
    """Names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


def test_layers_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", PLUGINS, ids=lambda path: path.name)
def test_plugins_import_the_sdk_only(package: Path) -> None:
    allowed = ("regulars.sdk", package.name)
    ours = {
        (path.name, name) for path in package.rglob("*.py") for name in imports(path) if name.startswith("regulars")
    }
    assert [found for found in sorted(ours) if not is_below(found[1], allowed)] == []


def is_below(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", sorted((HOST / "sdk").glob("*.py")), ids=lambda path: path.stem)
def test_the_sdk_implements_nothing(path: Path) -> None:
    first, *rest = ast.parse(path.read_text("utf-8")).body
    assert isinstance(first, ast.Expr)
    *imported, exported = rest
    assert all(isinstance(node, ast.ImportFrom) for node in imported)
    assert isinstance(exported, ast.Assign)
    names = {
        alias.asname or alias.name for node in imported if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert set(ast.literal_eval(exported.value)) == names


def test_contracts_are_pure() -> None:
    allowed = {"__future__", "regulars", "pydantic", "sqlalchemy", "pluggy", "markupsafe"} | set(
        sys.stdlib_module_names
    )
    found = {(path.name, name) for path in (HOST / "contracts").glob("*.py") for name in imports(path)}
    assert [one for one in sorted(found) if one[1].partition(".")[0] not in allowed] == []
    assert [
        one for one in sorted(found) if is_below(one[1], ("asyncio", "socket", "subprocess", "os", "pathlib"))
    ] == []


def test_no_file_is_too_long() -> None:
    files = [*HOST.rglob("*.py"), *(path for plugin in ROOT.glob("plugins/*") for path in plugin.rglob("*.py"))]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST and name not in LONGER} == {}
