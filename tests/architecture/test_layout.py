"""`platform/` is a folder, never a package: otherwise Python's own `platform` module breaks."""

import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = {
    "Caddyfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "constraints.txt",
    "docs",
    "migrations",
    "platform",
    "plugins",
    "pyproject.toml",
    "tenants",
    "tests",
    "themes",
}


def test_platform_folder_is_no_package() -> None:
    content = {path.name for path in (ROOT / "platform").iterdir() if path.name != "__pycache__"}
    assert content == {"regulars", "frontend"}


def test_python_keeps_its_own_platform_module() -> None:
    assert Path(platform.__file__).is_relative_to(Path(sys.base_prefix))
    assert platform.python_version() == sys.version.split()[0]


def test_top_level_is_the_fixed_one() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {line.split("/")[0] for line in tracked.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP
