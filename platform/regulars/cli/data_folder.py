"""What `regulars up` keeps in the data folder besides the servers' files."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path

import click

from regulars.kernel.config import ENVIRONMENT_FILE, PREFIXES
from regulars.kernel.embedded.secrets import SECRETS_FILE

_STATE_FILE = "installation.json"
_OURS = ("postgres*", "redis*", "log", "metrics", "*.lock", "*.json", ".*", "lost+found")


@dataclass(frozen=True)
class State:
    """What the data folder holds.

    Attributes:
        demo: whether it is the demo.
        base: base domain for which it was made.
        complete: whether its first start came to its end.
    """

    demo: bool
    base: str
    complete: bool


def refuse_foreign(data: Path) -> None:
    """Refuse a folder with files of somebody else.

    Raises:
        click.ClickException: there are some, and no sign of ours.
    """
    if (data / SECRETS_FILE).exists():
        return
    strangers = [entry for entry in data.iterdir() if not any(fnmatch(entry.name, pattern) for pattern in _OURS)]
    if strangers:
        raise click.ClickException(f"{data} is not empty and holds no data of Regulars: name a new or empty folder.")


def read_state(data: Path) -> State | None:
    """Tell what the folder holds; None when it is new.

    Raises:
        click.ClickException: the file that says so is damaged.
    """
    path = data / _STATE_FILE
    try:
        return State(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise click.ClickException(f"{path} is damaged ({error}): put back a copy, or name a new folder.") from None


def write_state(data: Path, state: State) -> None:
    """Remember what the folder holds."""
    _write(data / _STATE_FILE, json.dumps(asdict(state)))


def store_environment(data: Path, environ: Mapping[str, str]) -> None:
    """Keep our variables where `REGULARS_DATA_DIR=… regulars …` finds them."""
    ours = {name: value for name, value in sorted(environ.items()) if name.startswith(PREFIXES)}
    _write(data / ENVIRONMENT_FILE, json.dumps(ours, indent=1))


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all, readable for its owner only."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
