"""SQL for a new server: three roles, of which none passes row security, and the database that the first one owns."""

import re

SUPERUSER = "postgres"
MIGRATOR = "regulars_migrator"
APP = "regulars_app"
PLATFORM = "regulars_platform"
DATABASE = "regulars"

_PLAIN = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LIMITS = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION"


def identifier(name: str) -> str:
    """Give `name` back when it needs no quotes in SQL.

    Raises:
        ValueError: it does.
    """
    if not _PLAIN.fullmatch(name):
        raise ValueError(f"{name!r} is no plain name: use lower-case letters, digits and underscores")
    return name


def literal(text: str) -> str:
    """Write `text` as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def create_role(name: str, password: str) -> str:
    """Make a role that can log in and nothing else."""
    return f"CREATE ROLE {identifier(name)} {_LIMITS} PASSWORD {literal(password)}"


def set_password(name: str, password: str) -> str:
    """Give a role its password."""
    return f"ALTER ROLE {identifier(name)} PASSWORD {literal(password)}"


def create_database(name: str, template: str | None = None) -> str:
    """Make a database that the migrator owns, as a copy of the files of `template` where one is named."""
    copy = f" TEMPLATE {identifier(template)} STRATEGY file_copy" if template else ""
    return f"CREATE DATABASE {identifier(name)} OWNER {MIGRATOR}{copy}"


def drop_database(name: str) -> str:
    """Remove a database and throw out whoever is connected."""
    return f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)"


def open_database(name: str) -> list[str]:
    """Let the two roles of the running platform in, and nobody else."""
    return [
        f"REVOKE ALL ON DATABASE {identifier(name)} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {identifier(name)} TO {APP}, {PLATFORM}",
    ]


VERSION = "SELECT current_setting('server_version_num')"
ROLE_EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"


def enter_database(name: str) -> list[str]:
    """Let our roles into a database that somebody else owns, and the migrator make schemas in it."""
    return [
        f'GRANT CONNECT, CREATE ON DATABASE "{name.replace(chr(34), chr(34) * 2)}" TO {MIGRATOR}',
        f'GRANT CONNECT ON DATABASE "{name.replace(chr(34), chr(34) * 2)}" TO {APP}, {PLATFORM}',
    ]
