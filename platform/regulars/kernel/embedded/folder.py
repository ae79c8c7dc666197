"""The data folder: made, checked for writing, and locked against a second user."""

import fcntl
import os
import secrets
from pathlib import Path

from regulars.kernel.embedded.errors import EmbeddedError, FolderInUseError


def prepare_folder(folder: Path) -> None:
    """Make `folder` (with its parents) where it is missing, and prove that files can be made in it.

    Raises:
        EmbeddedError: it is no folder, or cannot be written by this user.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except (FileExistsError, NotADirectoryError):
        raise EmbeddedError(f"{folder} is no folder: name another data folder.") from None
    except OSError as error:
        text = f"The data folder {folder} cannot be written ({error.strerror}): name another one, or change its owner."
        raise EmbeddedError(text) from None


class FolderLock:
    """An exclusive lock that the system releases when its process ends, however it ends.

    Args:
        path: lock file, made where missing and never removed.
        what: what is locked, for the sentence.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock; nothing happens when this object holds it already.

        Raises:
            FolderInUseError: another process (or another object in this one) holds it.
        """
        if self._handle is not None:
            return
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            text = f"{self._what} is in use by process {holder}: stop that one first, or name another data folder."
            raise FolderInUseError(text) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
