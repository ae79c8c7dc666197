"""The unprivileged system user as whom servers run when we are root (PostgreSQL refuses to run as root)."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from regulars.kernel.embedded.errors import EmbeddedError

_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A system user.

    Attributes:
        uid: number of the user.
        gid: number of the user's own group.
    """

    uid: int
    gid: int

    def may_reach(self, path: Path) -> bool:
        """Tell whether the user can search every folder above `path` and read (and enter or run) `path` itself."""
        path = path.resolve()
        needed = stat.S_IROTH | stat.S_IXOTH
        return self._has(path, needed) and all(self._has(parent, stat.S_IXOTH) for parent in path.parents)

    def _has(self, path: Path, bits: int) -> bool:
        status = path.stat()
        if status.st_uid == self.uid:
            bits <<= 6
        elif status.st_gid == self.gid:
            bits <<= 3
        return status.st_mode & bits == bits


def server_account(folder: Path) -> Account | None:
    """Choose the user for a server.

    Args:
        folder: the server's folder; where it exists already, its owner is kept.

    Returns:
        None when we are not root: the server runs as we do.

    Raises:
        EmbeddedError: the folder belongs to somebody else, or the system has no user to run as.
    """
    owner = folder.stat().st_uid if folder.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            text = f"{folder} belongs to user {owner}, not to you: start as that user, or name another data folder."
            raise EmbeddedError(text)
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for entry in known.values():
        if owner and entry.pw_uid == owner:
            return Account(entry.pw_uid, entry.pw_gid)
    if owner:
        return Account(owner, folder.stat().st_gid)
    for name in _CANDIDATES:
        if name in known:
            return Account(known[name].pw_uid, known[name].pw_gid)
    raise EmbeddedError("PostgreSQL does not run as root and there is no user 'nobody': start as an ordinary user.")
