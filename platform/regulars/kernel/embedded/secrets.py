"""Passwords and keys of a data folder: made once, kept in one file that only its owner can read."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from cryptography.fernet import Fernet

from regulars.kernel.embedded.errors import EmbeddedError

SECRETS_FILE = "secrets.json"


def _token() -> str:
    return secrets.token_urlsafe(32)


def _fernet_key() -> str:
    return Fernet.generate_key().decode("ascii")


@dataclass(frozen=True)
class Secrets:
    """The secrets of one data folder; every value is URL-safe text."""

    superuser_password: str = field(default_factory=_token, repr=False)
    migrator_password: str = field(default_factory=_token, repr=False)
    app_password: str = field(default_factory=_token, repr=False)
    platform_password: str = field(default_factory=_token, repr=False)
    redis_password: str = field(default_factory=_token, repr=False)
    secret_key: str = field(default_factory=_token, repr=False)
    pin_pepper: str = field(default_factory=_token, repr=False)
    encryption_key: str = field(default_factory=_fernet_key, repr=False)


def load_secrets(data: Path) -> Secrets:
    """Read the secrets of the data folder, or make them in a new one.

    Args:
        data: existing data folder.

    Raises:
        EmbeddedError: the file is damaged, closed to this user, or lost although there is a database that needs it.
    """
    path = data / SECRETS_FILE
    if not path.exists():
        if (data / "postgres").exists():
            text = f"{path} is missing, but the database in {data} needs it: put it back, or name a new data folder."
            raise EmbeddedError(text)
        _store(path, Secrets())
    try:
        content = json.loads(path.read_text("utf-8"))
        return Secrets(**{entry.name: content[entry.name] for entry in fields(Secrets)})
    except PermissionError:
        raise EmbeddedError(f"{path} belongs to another user: start as that user.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise EmbeddedError(f"{path} is damaged ({error!r}): put back a copy, or name a new data folder.") from None


def _store(path: Path, content: Secrets) -> None:
    """Write the file whole or not at all; of two processes that do it at once, the first wins."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(content), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the other process's secrets are as good as ours
    finally:
        draft.unlink()
