"""Our three roles in a PostgreSQL server that is not ours."""

from urllib.parse import urlsplit

import asyncpg

from regulars.kernel.embedded import queries
from regulars.kernel.embedded.errors import EmbeddedError
from regulars.kernel.embedded.secrets import Secrets
from regulars.kernel.embedded.urls import Urls, urls_for

_OLDEST = 150000


async def prepare_server(address: str, secrets: Secrets) -> Urls:
    """Make the roles that are missing and let them into the database. May be done again at each start.

    Args:
        address: URL of the database, as a role that may create roles and owns the database.
        secrets: passwords for the roles.

    Returns:
        The addresses of that database for our roles (the superuser's among them is of no use).

    Raises:
        EmbeddedError: the server is out of reach or too old, or has such roles with other passwords.
    """
    plain = f"postgresql://{address.partition('://')[2]}"
    parts = urlsplit(plain)
    database = parts.path.removeprefix("/")
    try:
        connection = await asyncpg.connect(plain)
    except (OSError, asyncpg.PostgresError) as error:
        text = f"The database server {parts.hostname} does not let us in ({error}): correct --database-url."
        raise EmbeddedError(text) from None
    try:
        if int(await connection.fetchval(queries.VERSION)) < _OLDEST:
            raise EmbeddedError(f"The database server {parts.hostname} is too old: PostgreSQL 15 or newer is needed.")
        passwords = {
            queries.MIGRATOR: secrets.migrator_password,
            queries.APP: secrets.app_password,
            queries.PLATFORM: secrets.platform_password,
        }
        for role, password in passwords.items():
            if not await connection.fetchval(queries.ROLE_EXISTS, role):
                await connection.execute(queries.create_role(role, password))
        for statement in queries.enter_database(database):
            await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError as error:
        text = f"The role of --database-url may not prepare the database ({error}): name one that may create roles."
        raise EmbeddedError(text) from None
    finally:
        await connection.close()
    query = f"?{parts.query}" if parts.query else ""
    urls = urls_for(parts.netloc.rpartition("@")[2], f"{database}{query}", secrets)
    for url in (urls.migrator, urls.app, urls.platform):
        await _try(url)
    return urls


async def _try(url: str) -> None:
    try:
        connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    except asyncpg.InvalidPasswordError:
        text = (
            f"The server has a role {urlsplit(url).username} with another password, of another installation: name the "
            "addresses in REGULARS_DATABASE_URL_APP, REGULARS_DATABASE_URL_PLATFORM and REGULARS_DATABASE_URL_MIGRATOR."
        )
        raise EmbeddedError(text) from None
    await connection.close()
