"""What `regulars up` runs: servers, migrations, demo data, web server and worker, in one process tree."""

import asyncio
import contextlib
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from regulars.cli import data_folder
from regulars.cli.network import check_base, check_port, default_bind, is_ready
from regulars.cli.summary import demo_lines, plain_lines
from regulars.cli.supervise import Command, Watched
from regulars.kernel.config import ConfigError, load_config
from regulars.kernel.embedded import EmbeddedError, EmbeddedPostgres, EmbeddedRedis, Urls, load_secrets
from regulars.kernel.embedded.folder import FolderLock, prepare_folder
from regulars.kernel.embedded.logs import tail
from regulars.kernel.embedded.roles import prepare_server
from regulars.kernel.paths import bundled

_READY_SECONDS = 120.0
_STOP_SECONDS = 30.0
_PREFIXES = ("REGULARS", "LOYALTY")
_FOLDERS = ("REGULARS_THEMES_DIR", "REGULARS_TENANTS_DIR", "REGULARS_METRICS_DIR")


@dataclass(frozen=True)
class Options:
    """What the operator wants.

    Attributes:
        port: web port.
        data: absolute path of the data folder.
        base: base domain, lower case.
        database_url: a server of the operator's own, as a role that may create roles, else None.
        redis_url: a Redis of the operator's own, else None.
        demo: whether to make the demo's data.
    """

    port: int
    data: Path
    base: str
    database_url: str | None
    redis_url: str | None
    demo: bool


class Installation:
    """One `regulars up`, from start to stop.

    Args:
        options: what the operator wants.
        environ: the environment of this process; what we compute is added to it for the children.
    """

    def __init__(self, options: Options, environ: dict[str, str]) -> None:
        self._options = options
        self._environ = environ
        self._folder_lock = FolderLock(options.data / "up.lock", f"The data folder {options.data}")
        self._watched: list[Watched] = []

    def run(self) -> None:
        """Bring everything up, watch over it, and stop it in order when we are asked to.

        Raises:
            click.ClickException: with a sentence that says what to do; everything is stopped then, too.
        """
        with _one_interrupt(), ExitStack() as stack:
            try:
                self._bring_up(stack)
                self._watch()
            except KeyboardInterrupt:
                _say("Stopping …")
            except (EmbeddedError, ConfigError) as error:
                raise click.ClickException(str(error)) from None
        _say("Stopped.")

    def _bring_up(self, stack: ExitStack) -> None:
        options, data = self._options, self._options.data
        check_base(options.base)
        prepare_folder(data)
        data_folder.refuse_foreign(data)
        self._folder_lock.acquire()
        stack.callback(self._folder_lock.release)
        state = self._check_state()
        bind = self._environ.get("REGULARS_BIND") or default_bind(options.base)
        check_port(bind, options.port)
        _say(f"Data in {data}, logs in {data / 'log'}")
        urls, postgres = self._start_database(stack)
        redis_url = self._start_redis(stack)
        google = self._start_google(stack, bind)
        if not state.complete:
            self._begin_anew(postgres)
        environ = self._children_environment(bind, urls, redis_url) | google
        data_folder.store_environment(data, environ)
        config = load_config(environ)
        self._fill(environ, state)
        self._start_commands(stack, environ)
        self._wait_until_ready(bind)
        lines = demo_lines(config, data) if options.demo else plain_lines(config, data)
        for line in [*lines, "", "Ready. Ctrl-C stops everything."]:
            _say(line)

    def _check_state(self) -> data_folder.State:
        """Compare the folder with what is wanted; a new folder is marked as unfinished."""
        options, data = self._options, self._options.data
        state = data_folder.read_state(data)
        if state is None:
            if options.demo and (data / "postgres").exists():
                raise click.ClickException(f"{data} holds a database that is not the demo's: name a new folder.")
            state = data_folder.State(options.demo, options.base, complete=False)
            data_folder.write_state(data, state)
        if state.demo and not options.demo:
            raise click.ClickException(f"{data} holds the demo: add --demo, or name another folder.")
        if options.demo and not state.demo:
            raise click.ClickException(f"{data} holds an installation without demo: leave out --demo, or name another.")
        if state.base != options.base:
            text = f"{data} was made for the base domain {state.base}: start it with that one, or name another folder."
            raise click.ClickException(text)
        return state

    def _start_database(self, stack: ExitStack) -> tuple[Urls | None, EmbeddedPostgres | None]:
        """Start our server, or prepare the operator's; no addresses when the environment has them all."""
        if self._options.database_url:
            secrets = load_secrets(self._options.data)
            return asyncio.run(prepare_server(self._options.database_url, secrets)), None
        names = [f"REGULARS_DATABASE_URL_{role}" for role in ("APP", "PLATFORM", "MIGRATOR")]
        if all(self._environ.get(name) for name in names):
            return None, None
        server = EmbeddedPostgres(self._options.data)
        with _timed("PostgreSQL") as told:
            stack.callback(server.stop)
            server.start()
            told(f"on port {server.port}")
        self._watch_server("PostgreSQL", server)
        return server.urls, server

    def _start_redis(self, stack: ExitStack) -> str:
        if self._options.redis_url:
            return self._options.redis_url
        server = EmbeddedRedis(self._options.data)
        with _timed("Redis") as told:
            stack.callback(server.stop)
            server.start()
            told(f"on port {server.port}")
        self._watch_server("Redis", server)
        return server.url

    def _start_google(self, stack: ExitStack, bind: str) -> dict[str, str]:
        """Start the demo's stand-in for Google Wallet, unless the environment names a real issuer; its variables."""
        if not self._options.demo or any(self._environ.get(f"{prefix}_GOOGLE_ISSUER_ID") for prefix in _PREFIXES):
            return {}
        from regulars.cli.demo.google import StandIn
        from regulars.cli.demo.google.server import ISSUER_ID

        folder = self._options.data / "google"
        folder.mkdir(mode=0o700, exist_ok=True)
        stand_in = stack.enter_context(StandIn(bind, self._options.base, folder))
        account = folder / "account.json"
        account.touch(mode=0o600)
        account.write_text(stand_in.account(), "utf-8")
        _say(f"Stand-in for Google Wallet at {stand_in.url}")
        return {
            "REGULARS_GOOGLE_WALLET_ENDPOINT": stand_in.url,
            "REGULARS_GOOGLE_ISSUER_ID": ISSUER_ID,
            "REGULARS_GOOGLE_SERVICE_ACCOUNT_JSON": str(account),
        }

    def _watch_server(self, name: str, server: EmbeddedPostgres | EmbeddedRedis) -> None:
        self._watched.append(Watched(name, server.start, lambda: server.running, _say))

    def _begin_anew(self, postgres: EmbeddedPostgres | None) -> None:
        """Throw away what an interrupted first start of the demo has put into our own server."""
        if postgres is None or not self._options.demo:
            return

        async def recreate() -> None:
            await postgres.drop_database("regulars")
            await postgres.create_database("regulars")

        asyncio.run(recreate())

    def _children_environment(self, bind: str, urls: Urls | None, redis_url: str) -> dict[str, str]:
        options, secrets = self._options, load_secrets(self._options.data)
        kept = {
            "REGULARS_ENV": "production",
            "REGULARS_SECRET_KEY": secrets.secret_key,
            "REGULARS_PIN_PEPPER": secrets.pin_pepper,
            "REGULARS_ENCRYPTION_KEY": secrets.encryption_key,
        }
        decided = {
            "REGULARS_BASE_DOMAIN": options.base,
            "REGULARS_PORT": str(options.port),
            "REGULARS_BIND": bind,
            "REGULARS_DATA_DIR": str(options.data),
            "REGULARS_REDIS_URL": redis_url,
        }
        if urls is not None:
            decided["REGULARS_DATABASE_URL_APP"] = urls.app
            decided["REGULARS_DATABASE_URL_PLATFORM"] = urls.platform
            decided["REGULARS_DATABASE_URL_MIGRATOR"] = urls.migrator
        given = {name: value for name, value in self._environ.items() if value}
        if options.demo:
            decided["REGULARS_ENV"] = "demo"
            kept |= self._pass_certificates(given)
        return kept | given | _whole_paths(given) | decided

    def _pass_certificates(self, given: Mapping[str, str]) -> Mapping[str, str]:
        """The demo's own certificates for passes, unless the environment names others; the variables that name them."""
        if any(name.startswith(f"{prefix}_APPLE_") for name in given for prefix in _PREFIXES):
            return {}
        from regulars.cli.dev_certs import variables, write_files

        folder = self._options.data / "apple"
        return variables(folder) or write_files(folder)

    def _fill(self, environ: dict[str, str], state: data_folder.State) -> None:
        """Bring the database to the newest state and, once, fill the demo."""
        self._step(environ, "Migrations", "db", "upgrade")
        if state.complete:
            return
        if self._options.demo:
            self._step(environ, "Demo tenants", "tenant", "apply", str(bundled("tenants")))
            self._step(environ, "Demo data", "demo-data")
        data_folder.write_state(self._options.data, data_folder.State(state.demo, state.base, complete=True))

    def _step(self, environ: dict[str, str], name: str, *arguments: str) -> None:
        log = self._options.data / "log" / "setup.log"
        begin = log.stat().st_size if log.exists() else 0
        step = Command(arguments, environ, self._options.data, log)
        with _timed(name):
            step.start()
            code = step.wait()
            if code != 0:
                text = f"`regulars {' '.join(arguments)}` failed; its log {log} ends with:\n{tail(log, begin)}"
                raise click.ClickException(text)

    def _start_commands(self, stack: ExitStack, environ: dict[str, str]) -> None:
        """Start web server and worker; they are asked to stop together."""
        logs = self._options.data / "log"
        shared = environ | {"REGULARS_METRICS_DIR": str(self._fresh_metrics())} if _has_admin_port(environ) else environ
        own = {"web": shared, "worker": shared | {"REGULARS_ADMIN_PORT": "0"}}
        commands = {
            name: Command([argument], own[argument], self._options.data, logs / f"{argument}.log")
            for name, argument in (("Web server", "web"), ("Worker", "worker"))
        }
        for command in commands.values():
            stack.callback(command.stop, _STOP_SECONDS)
        for command in commands.values():
            stack.callback(command.ask_to_stop)
        for name, command in commands.items():
            watched = Watched(name, command.start, _runs(command), _say)
            watched.start(time.monotonic())
            self._watched.append(watched)

    def _fresh_metrics(self) -> Path:
        """The folder through which the admin port tells about all processes; old counts are thrown away."""
        folder = self._options.data / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def _wait_until_ready(self, bind: str) -> None:
        """Wait until the web server says that it is ready.

        Raises:
            click.ClickException: it ends again and again, or takes too long.
        """
        log = self._options.data / "log" / "web.log"
        host = "127.0.0.1" if bind == "0.0.0.0" else bind  # noqa: S104 - compared, not bound
        with _timed("Web server and worker") as told:
            end = time.monotonic() + _READY_SECONDS
            while not is_ready(host, self._options.port, self._options.base):
                self._look()
                failing = next((watched.name for watched in self._watched if watched.failures > 3), None)
                if failing or time.monotonic() > end:
                    fault = f"{failing} ends again and again" if failing else "The web server is not ready"
                    raise click.ClickException(f"{fault}; {log} ends with:\n{tail(log) if log.exists() else ''}")
                time.sleep(0.1)
            told(f"on port {self._options.port}")

    def _watch(self) -> None:
        while True:
            self._look()
            time.sleep(0.2)

    def _look(self) -> None:
        for watched in self._watched:
            watched.check(time.monotonic())


def _whole_paths(environ: Mapping[str, str]) -> dict[str, str]:
    """Folders that are named from where we were started; the commands run in the data folder."""
    return {name: str(Path(environ[name]).absolute()) for name in _FOLDERS if name in environ}


def _has_admin_port(environ: Mapping[str, str]) -> bool:
    return environ.get("REGULARS_ADMIN_PORT", "0") != "0"


def _runs(command: Command) -> Callable[[], bool]:
    return lambda: command.running


def _say(line: str) -> None:
    """Print a line at once; a terminal that was closed is no reason to leave servers behind."""
    with contextlib.suppress(OSError):
        click.echo(line)


@contextlib.contextmanager
def _timed(name: str) -> Iterator[Callable[[str], None]]:
    """Tell how long something took; the yielded function adds words to the line."""
    begin = time.monotonic()
    words: list[str] = []
    yield words.append
    _say(f"{name} {' '.join([*words, 'ready'])} ({time.monotonic() - begin:.1f} s)")


@contextlib.contextmanager
def _one_interrupt() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into one KeyboardInterrupt; later ones do not disturb the stopping."""
    asked = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if not asked.is_set():
            asked.set()
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        asked.set()
        for number, handler in before.items():
            signal.signal(number, handler)
