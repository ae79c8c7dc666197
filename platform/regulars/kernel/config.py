"""The configuration: the one reader of the environment.

Every option is declared once, as a field of `Config`. A value comes from the environment; else from the data folder
that `REGULARS_DATA_DIR` names (`regulars up` keeps there what it computes); else from the default. Secrets and the
addresses of servers have no default.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic import field_validator, model_validator

ENVIRONMENT_FILE = "environment.json"
"""File in the data folder with the variables that `regulars up` has computed (mode 0600)."""

_PREFIXES = ("REGULARS_", "LOYALTY_")
_MASK = "********"


class ConfigError(Exception):
    """The environment does not make a configuration; each line of the text is one sentence for the operator."""


@dataclass(frozen=True)
class Variable:
    """How a field of `Config` is named outside.

    Attributes:
        name: environment variable, `REGULARS_…`.
        description: one sentence for operators.
        aliases: other accepted names, tried in order after `name`.
        secret: whether the value is masked wherever it is shown.
    """

    name: str
    description: str
    aliases: tuple[str, ...] = ()
    secret: bool = False


def _split(value: object) -> object:
    """Turn 'a, b' into ('a', 'b'); an empty text gives an empty tuple."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _database_url(value: str) -> str:
    """Accept the usual spellings of a PostgreSQL address and give the one that SQLAlchemy needs."""
    scheme, _, rest = value.partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+asyncpg"} or not rest:
        raise ValueError("an address like postgresql+asyncpg://user:password@host:5432/database is needed")
    parts = urlsplit(f"postgresql://{rest}")
    if not parts.username or not parts.path.strip("/"):
        raise ValueError("the address must name a user and a database")
    return f"postgresql+asyncpg://{rest}"


def _redis_url(value: str) -> str:
    if urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("an address like redis://host:6379/0 is needed")
    return value


def _long_secret(value: str) -> str:
    if len(value.encode()) < 32:
        raise ValueError("at least 32 bytes are needed")
    return value


def _fernet_key(value: str) -> str:
    try:
        Fernet(value)
    except ValueError as error:
        raise ValueError("a Fernet key is needed (32 bytes, URL-safe base64)") from error
    return value


def _host(value: str) -> str:
    host = value.strip().rstrip(".").lower()
    if not host or any(character in host for character in "/: "):
        raise ValueError("a host name without scheme, port and path is needed")
    return host


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_split)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
LongSecret = Annotated[str, AfterValidator(_long_secret)]
FernetKey = Annotated[str, AfterValidator(_fernet_key)]
HostName = Annotated[str, AfterValidator(_host)]


def _option(name: str, description: str, default: Any = ..., **more: Any) -> Any:
    """Declare a field: its variable and, in `more`, aliases, secret and pydantic's constraints."""
    variable = Variable(name, description, tuple(more.pop("aliases", ())), more.pop("secret", False))
    return Field(
        default,
        description=description,
        repr=not variable.secret,
        json_schema_extra={"variable": variable},  # type: ignore[dict-item]
        **more,
    )
