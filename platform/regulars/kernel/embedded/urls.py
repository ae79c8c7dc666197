"""Addresses of a database for our roles."""

from dataclasses import dataclass

from regulars.kernel.embedded import queries
from regulars.kernel.embedded.secrets import Secrets


@dataclass(frozen=True)
class Urls:
    """Addresses of one database for each role (`postgresql+asyncpg://…`); `superuser` is for tests only."""

    app: str
    platform: str
    migrator: str
    superuser: str


def urls_for(server: str, database: str, secrets: Secrets) -> Urls:
    """Give the addresses.

    Args:
        server: host and port.
        database: name of the database, as in a URL (with query where there is one).
        secrets: passwords of the roles.
    """

    def url(role: str, password: str) -> str:
        return f"postgresql+asyncpg://{role}:{password}@{server}/{database}"

    return Urls(
        app=url(queries.APP, secrets.app_password),
        platform=url(queries.PLATFORM, secrets.platform_password),
        migrator=url(queries.MIGRATOR, secrets.migrator_password),
        superuser=url(queries.SUPERUSER, secrets.superuser_password),
    )
