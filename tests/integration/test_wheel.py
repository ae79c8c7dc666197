"""The wheels, installed as an operator installs them: no clone, no editable install, only what the wheels carry."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from regulars.kernel.embedded import Urls
from regulars.kernel.embedded.ports import free_port
from regulars.testing.environment import environment
from regulars.testing.plugin import Servers

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ("stamps", "antifraud")
READY_SECONDS = 60
PROBE = """
import json, regulars
from regulars.kernel.paths import bundled
from regulars.web.rendering import make_themes
print(json.dumps({
    "package": regulars.__file__,
    "migrations": sorted(path.name for path in (bundled("migrations") / "versions").glob("*.py")),
    "tenants": sorted(path.parent.name for path in bundled("tenants").glob("*/tenant.toml")),
    "tenants_folder": str(bundled("tenants")),
    "themes": {name: str(make_themes()[name].folder) for name in make_themes().names},
}))
"""


def build(folder: Path, into: Path) -> Path:
    """Build the wheel of a distribution; the build's own tool is installed, so nothing is fetched."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return max(into.glob("*.whl"), key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Distribution → its wheel."""
    assert (ROOT / "platform/regulars/web/static/dist/manifest.json").exists(), "build the front end: make frontend"
    into = tmp_path_factory.mktemp("wheels")
    folders = {"regulars": ROOT, **{name: ROOT / "plugins" / name for name in PLUGINS}}
    return {name: build(folder, into) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment with the wheels; what they depend on is that of this environment.

    A folder that a .pth file adds gets none of its own .pth files read, so our editable installs stay out of it.
    """
    home = tmp_path_factory.mktemp("installation") / "venv"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(home)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "--quiet"]
    files = [str(path) for path in wheels.values()]
    subprocess.run([*pip, "--no-deps", "--no-index", *files], check=True, capture_output=True)
    packages = next((home / "lib").glob("python3*/site-packages"))
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", "utf-8")
    return home / "bin"


def run(command: Path, *words: str, folder: Path, **variables: str) -> str:
    """What a command prints; it runs far from the clone, and with nothing of this process's environment."""
    clean = {"PATH": os.defpath, "HOME": str(folder), **variables}
    done = subprocess.run([command, *words], check=False, cwd=folder, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_carries_everything_that_is_no_code(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["regulars"]) as wheel:
        names = set(wheel.namelist())
    sources = {
        **{path: f"regulars/{path.relative_to(ROOT / 'platform' / 'regulars')}" for path in package_data()},
        **{path: f"regulars/_bundled/{path.relative_to(ROOT)}" for path in bundled_data()},
    }
    assert [str(path.relative_to(ROOT)) for path, name in sources.items() if name not in names] == []
    assert any(name.startswith("regulars/web/static/dist/app.") for name in names)
    assert any(name.startswith("regulars/locale/") for name in names)
    unwanted = [name for name in names if "__pycache__" in name or "/tests/" in name or "node_modules" in name]
    assert [name for name in unwanted if not name.endswith(".tmpl")] == []


def package_data() -> Iterator[Path]:
    host = ROOT / "platform" / "regulars"
    for folder in ("web/templates", "web/static/dist", "locale"):
        yield from (path for path in (host / folder).rglob("*") if path.is_file() and path.name != ".built")


def bundled_data() -> Iterator[Path]:
    for folder in ("migrations", "themes/classic", "tenants"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugins_wheel_carries_its_folders(wheels: dict[str, Path], plugin: str) -> None:
    package = ROOT / "plugins" / plugin / f"regulars_{plugin}"
    wanted = {
        str(path.relative_to(package.parent))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheels[plugin]) as wheel:
        names = {name for name in wheel.namelist() if name.startswith(f"regulars_{plugin}/")}
    assert names == wanted


def probe(installed: Path, folder: Path) -> dict[str, Any]:
    return json.loads(run(installed / "python", "-c", PROBE, folder=folder))


def test_bundled_files_are_found(installed: Path, tmp_path: Path) -> None:
    found = probe(installed, tmp_path)
    packages = str(installed.parent)
    assert found["package"].startswith(packages)
    assert found["migrations"] == sorted(path.name for path in (ROOT / "migrations" / "versions").glob("*.py"))
    assert found["tenants"] == sorted(path.parent.name for path in (ROOT / "tenants").glob("*/tenant.toml"))
    assert "classic" in found["themes"]
    assert all(folder.startswith(packages) for folder in found["themes"].values())


def test_the_command_runs(installed: Path, tmp_path: Path) -> None:
    assert "Run everything here" in run(installed / "regulars", "--help", folder=tmp_path)


@pytest.fixture
def new_database(servers: Servers) -> Iterator[Urls]:
    """An empty database: the installed commands bring it to life."""
    yield asyncio.run(servers.postgres.create_database("wheel"))
    asyncio.run(servers.postgres.drop_database("wheel"))


@contextmanager
def serving(web: Path, folder: Path, variables: dict[str, str]) -> Iterator[httpx.Client]:
    """Run the installed web server; the client waits until it is ready."""
    port = free_port()
    environ = {"PATH": os.defpath, "HOME": str(folder), **variables, "REGULARS_PORT": str(port)}
    with (folder / "web.log").open("w") as log:
        process = subprocess.Popen([web, "web"], cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            until_ready(client, process, folder / "web.log")
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.HTTPError):
            if client.get("/readyz").status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail(log.read_text("utf-8")[-2000:])


def test_pages_come_with_their_style_sheets(
    installed: Path, new_database: Urls, servers: Servers, tmp_path: Path
) -> None:
    variables = environment(new_database, servers.redis.url, tmp_path)
    upgraded = run(installed / "regulars", "db", "upgrade", folder=tmp_path, **variables)
    assert [line.split(":")[0] for line in upgraded.splitlines()] == ["host", "stamps"]
    tenants = probe(installed, tmp_path)["tenants_folder"]
    run(installed / "regulars", "tenant", "apply", tenants, folder=tmp_path, **variables)
    with serving(installed / "regulars", tmp_path, variables) as client:
        for host in ("localhost", "cafe.localhost"):
            page = client.get("/", headers={"Host": host})
            sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
            assert page.status_code == 200
            assert any(re.fullmatch(r"/_assets/host/app\.[A-Z0-9]{8}\.css", sheet) for sheet in sheets), sheets
            answers = [client.get(sheet, headers={"Host": host}) for sheet in sheets]
            assert {(answer.status_code, answer.headers["Content-Type"]) for answer in answers} == {
                (200, "text/css; charset=utf-8")
            }


@pytest.fixture(scope="module")
def new_plugin(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin as an author begins it, in the folder that the command has made; its wheel is installed."""
    folder = tmp_path_factory.mktemp("author")
    told = run(installed / "regulars", "plugin", "new", "coffee_club", folder=folder)
    assert told.startswith("Coffee club is in regulars-plugin-coffee-club: 18 files.")
    made = folder / "regulars-plugin-coffee-club"
    wheel = build(made, tmp_path_factory.mktemp("author_wheel"))
    pip = [sys.executable, "-m", "pip", "--python", str(installed / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    return made


def test_a_new_plugins_own_tests_are_green(installed: Path, new_plugin: Path) -> None:
    told = run(installed / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=new_plugin)
    assert re.search(r"^18 passed in ", told, re.MULTILINE), told


def test_a_new_plugin_is_listed_and_well_made(installed: Path, new_plugin: Path) -> None:
    listed = run(installed / "regulars", "plugin", "list", folder=new_plugin)
    assert "coffee_club 0.1.0: Coffee club\n    regulars-plugin-coffee-club, " in listed
    told = run(installed / "regulars", "plugin", "check", ".", folder=new_plugin)
    assert (told.count("✓"), told.count("✗")) == (8, 0)


def test_a_new_plugin_passes_every_check(new_plugin: Path) -> None:
    """With the cache and the form of call of our own check, so that only the plugin is looked at."""
    same = ("--cache-dir", str(ROOT / ".mypy_cache"), "--python-version", "3.11", "--explicit-package-bases")
    for words in (("ruff", "check"), ("ruff", "format", "--check"), ("mypy", *same, "--namespace-packages")):
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=new_plugin, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
