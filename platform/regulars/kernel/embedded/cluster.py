"""The files of a PostgreSQL server: made whole or not at all, and freed of what a killed process has left."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil

from regulars.kernel.embedded import queries
from regulars.kernel.embedded.account import Account
from regulars.kernel.embedded.errors import EmbeddedError
from regulars.kernel.embedded.process import run
from regulars.kernel.embedded.secrets import Secrets

MAJOR_VERSION = "18"
_ACCESS = "# Written by Regulars: passwords only, from this machine only.\nhost all all 127.0.0.1/32 scram-sha-256\n"
_DRAFT = ".new-"


def own_path(folder: Path, account: Account | None) -> Path:
    """Name the folder for a server that runs in it.

    As another user the server need not pass the folders above, which may be closed: it names its current folder.
    """
    return folder if account is None or sys.platform != "linux" else Path("/proc/self/cwd")


def make(folder: Path, programs: Path, account: Account | None, secrets: Secrets) -> None:
    """Make the files in a sibling folder and rename it at the end, so that `folder` is never half-written.

    Args:
        folder: what to make.
        programs: folder with `initdb` and `postgres`.
        account: user who will own it.
        secrets: passwords of the roles.

    Raises:
        EmbeddedError: `initdb` failed; its last words are in the text.
    """
    draft = folder.with_name(f"{folder.name}{_DRAFT}{os.getpid()}")
    draft.mkdir(mode=0o700)
    if account is not None:
        os.chown(draft, account.uid, account.gid)
    path = own_path(draft, account)
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        path,
        "-U",
        queries.SUPERUSER,
        "-A",
        "reject",
        "--data-checksums",
    ]
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _must([*initdb, *locale, "--no-instructions"], draft, account)
    # Without a server: the statements go to a single process, which ends at the first error.
    single: list[str | Path] = [programs / "postgres", "--single", "-D", path, "-c", "exit_on_error=on", "postgres"]
    _must(single, draft, account, "".join(f"{statement}\n" for statement in _first_statements(secrets)))
    (draft / "pg_hba.conf").write_text(_ACCESS, "ascii")
    draft.rename(folder)
    handle = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _first_statements(secrets: Secrets) -> list[str]:
    return [
        queries.set_password(queries.SUPERUSER, secrets.superuser_password),
        queries.create_role(queries.MIGRATOR, secrets.migrator_password),
        queries.create_role(queries.APP, secrets.app_password),
        queries.create_role(queries.PLATFORM, secrets.platform_password),
        queries.create_database(queries.DATABASE),
        *queries.open_database(queries.DATABASE),
    ]


def _must(argv: list[str | Path], cwd: Path, account: Account | None, text: str = "") -> None:
    done = run(argv, cwd=cwd, account=account, text=text)
    if done.returncode != 0:
        shutil.rmtree(cwd)
        last = "\n".join(done.stdout.strip().splitlines()[-6:])
        raise EmbeddedError(f"The database could not be made ({Path(argv[0]).name} failed):\n{last}")


def check(folder: Path) -> None:
    """Refuse files that this version cannot serve.

    Raises:
        EmbeddedError: they are not complete, or of another version of PostgreSQL.
    """
    try:
        found = (folder / "PG_VERSION").read_text("ascii").strip()
        (folder / "global" / "pg_control").stat()
    except FileNotFoundError:
        text = f"{folder} is not a complete database: put back a copy, or move it away to begin with an empty one."
        raise EmbeddedError(text) from None
    if found != MAJOR_VERSION:
        text = f"{folder} was made by PostgreSQL {found}, here is {MAJOR_VERSION}: move the data with pg_dump first."
        raise EmbeddedError(text)


def is_ready(folder: Path, pid: int) -> bool:
    """Tell whether the server with process id `pid` has written that it accepts connections."""
    try:
        lines = (folder / "postmaster.pid").read_text("ascii").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def tidy(folder: Path) -> None:
    """End what still runs in the folder and remove the traces of killed starts. The caller holds the folder's lock.

    Raises:
        EmbeddedError: a process of another user still runs in it.
    """
    drafts = [path for path in folder.parent.glob(f"{folder.name}{_DRAFT}*") if path.is_dir()]
    for place in (folder, *drafts):
        _end_orphans(place)
    for draft in drafts:
        shutil.rmtree(draft)
    # Nobody runs here any more. PostgreSQL itself would take the file for valid when its process id was given anew.
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _end_orphans(folder: Path) -> None:
    """End every server process whose current folder is `folder`: first politely, then firmly."""
    for number, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        running = _running_in(folder)
        heads = [process for process in running if number != signal.SIGINT or _is_head(process, running)]
        for process in heads:
            signal_to(process, number)
        if wait_until_ended(running, seconds) and not _running_in(folder):
            return
    raise EmbeddedError(f"Another PostgreSQL still runs in {folder}: end it, or name another data folder.")


def _is_head(process: psutil.Process, running: list[psutil.Process]) -> bool:
    try:
        return process.ppid() not in {other.pid for other in running}
    except psutil.NoSuchProcess:
        return False  # ended in the meantime


def _running_in(folder: Path) -> list[psutil.Process]:
    if not folder.exists():
        return []
    place = str(folder.resolve())
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] in {"postgres", "initdb"} and process.cwd() == place:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # ended in the meantime, or of a user whose servers cannot be in our folder
    return found


def wait_until_ended(processes: list[psutil.Process], seconds: float) -> bool:
    """Wait until none of the processes runs; a dead one that nobody has collected yet counts as ended."""
    end = time.monotonic() + seconds
    while any(_lives(process) for process in processes):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def signal_to(process: psutil.Process, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone already."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
