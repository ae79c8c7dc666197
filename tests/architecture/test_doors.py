"""Some libraries have one door: whoever wants them goes through our own module."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "platform" / "regulars").rglob("*.py"), *ROOT.glob("plugins/*/regulars_*/**/*.py")]


def importers(library: str) -> set[str]:
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.split(".")[0] == library for name in names):
                found.add(path.relative_to(ROOT).as_posix())
    return found


@pytest.mark.parametrize(
    ("library", "doors"),
    [
        ("arq", {"platform/regulars/kernel/jobs/arq_backend.py"}),
        ("redis", {"platform/regulars/kernel/jobs/arq_backend.py", "platform/regulars/kernel/redis.py"}),
        ("pickle", set()),
    ],
)
def test_who_imports_it(library: str, doors: set[str]) -> None:
    assert importers(library) == doors
