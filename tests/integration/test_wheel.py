"""The wheels, installed as an operator installs them: no clone, no editable install, only what the wheels carry."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
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
PLUGINS = tuple(sorted(file.parent.name for file in ROOT.glob("plugins/*/pyproject.toml")))
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


def install(bin_folder: Path, *wheels: Path) -> None:
    """Install wheels into an environment, as they are."""
    pip = [sys.executable, "-m", "pip", "--python", str(bin_folder / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", *map(str, wheels)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment with the wheels; what they depend on is that of this environment.

    A folder that a .pth file adds gets none of its own .pth files read, so our editable installs stay out of it.
    """
    home = tmp_path_factory.mktemp("installation") / "venv"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(home)
    install(home / "bin", *wheels.values())
    packages = next((home / "lib").glob("python3*/site-packages"))
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", "utf-8")
    return home / "bin"


def run(command: Path, *words: str, folder: Path, **variables: str) -> str:
    """What a command prints; it runs far from the clone, and with nothing of this process's environment."""
    clean = {"PATH": os.defpath, "HOME": str(folder), **variables}
    done = subprocess.run([command, *words], check=False, cwd=folder, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
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
    first, *others = [line.split(":")[0] for line in upgraded.splitlines()]
    with_tables = [folder.parents[1].name for folder in ROOT.glob("plugins/*/regulars_*/migrations")]
    assert (first, sorted(others)) == ("host", sorted(with_tables))
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


QUICKSTART = ROOT / "docs" / "plugin-authors" / "quickstart.md"
STEP = re.compile(
    r"<!-- (?P<what>run|file|append|replace)(?:: (?P<path>\S+))? -->\n```\w+\n(?P<code>.*?)^```\n"
    r"(?:\n```text\n(?P<told>.*?)^```\n)?(?:\n(?:write\n\n)```python\n(?P<new>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


class Author:
    """Somebody who follows the guide, with the commands of the installation on the path."""

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self.bin = bin_folder
        self.folder = folder

    def follow(self, guide: str) -> int:
        """Do every step of a guide; gives their number."""
        steps = list(STEP.finditer(guide))
        for step in steps:
            getattr(self, step["what"])(step)
        return len(steps)

    def run(self, step: re.Match[str]) -> None:
        """Run commands, and hear what they tell."""
        told = "".join(self._command(line) for line in step["code"].splitlines())
        assert [line for line in (step["told"] or "").splitlines() if line not in told] == [], told

    def _command(self, line: str) -> str:
        if line.startswith("cd "):
            self.folder /= line[3:]
            return ""
        if line.startswith("pip install"):
            self._install()
            return ""
        path = f"{self.bin}:{os.defpath}"
        return run(Path("/bin/sh"), "-c", line.replace("pytest ", "python -m pytest "), folder=self.folder, PATH=path)

    def _install(self) -> None:
        """As an editable install does it, without a network: what the plugin needs is here already."""
        install(self.bin, build(self.folder, self.folder.parent))
        packages = next((self.bin.parent / "lib").glob("python3*/site-packages"))
        shutil.rmtree(packages / "regulars_coffee_club")
        (packages / "author.pth").write_text(f"{self.folder}\n", "utf-8")

    def file(self, step: re.Match[str]) -> None:
        """Write a new file."""
        (self.folder / step["path"]).write_text(step["code"], "utf-8")

    def append(self, step: re.Match[str]) -> None:
        """Add to the end of a file."""
        file = self.folder / step["path"]
        file.write_text(file.read_text("utf-8") + step["code"], "utf-8")

    def replace(self, step: re.Match[str]) -> None:
        """Put one piece of code in the place of another, which is there once."""
        file = self.folder / step["path"]
        before = file.read_text("utf-8")
        assert before.count(step["code"]) == 1, step["code"]
        file.write_text(before.replace(step["code"], step["new"]), "utf-8")


@pytest.fixture(scope="module")
def followed(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Author:
    """Somebody who has followed the guide to the end."""
    author, guide = Author(installed, tmp_path_factory.mktemp("author")), QUICKSTART.read_text("utf-8")
    assert author.follow(guide) == guide.count("<!-- ") == 10
    return author


@pytest.mark.timeout(900)
def test_the_guide_leads_to_a_plugin_with_green_tests(followed: Author) -> None:
    assert [path.name for path in followed.folder.glob("dist/*.whl")] == [
        "regulars_plugin_coffee_club-0.1.0-py3-none-any.whl"
    ]


def test_what_the_guide_makes_passes_every_check(followed: Author) -> None:
    """With the cache and the form of call of our own check, so that only the plugin is looked at."""
    same = ("--cache-dir", str(ROOT / ".mypy_cache"), "--python-version", "3.11", "--explicit-package-bases")
    for words in (("ruff", "check"), ("ruff", "format", "--check"), ("mypy", *same, "--namespace-packages")):
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=followed.folder, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
