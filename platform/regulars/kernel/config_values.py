"""The kinds of values that options have: how they are written, checked and understood."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field


def _split(value: object) -> object:
    """Turn 'a, b' into ('a', 'b')."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _database_url(value: str) -> str:
    """Accept the usual spellings of a PostgreSQL address and give the one that SQLAlchemy needs."""
    scheme, _, rest = value.partition("://")
    parts = urlsplit(f"postgresql://{rest}")
    if scheme not in {"postgres", "postgresql", "postgresql+asyncpg"} or not parts.username or len(parts.path) < 2:
        raise ValueError("an address like postgresql+asyncpg://user:password@host:5432/database is needed")
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
        raise ValueError("a Fernet key is needed (32 bytes in URL-safe base64)") from error
    return value


def _host(value: str) -> str:
    host = value.strip().rstrip(".").lower()
    if not host or any(character in host for character in "/:@ "):
        raise ValueError("a host name without scheme, port and path is needed")
    return host


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_split)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
LongSecret = Annotated[str, AfterValidator(_long_secret)]
FernetKey = Annotated[str, AfterValidator(_fernet_key)]
HostName = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
