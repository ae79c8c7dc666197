"""The environment of a test installation, for this process or for a child."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet

from regulars.kernel.embedded import Urls
from regulars.kernel.plugins.discovery import discover


def environment(urls: Urls, redis_url: str, data: Path, plugins: Sequence[str] | None = None) -> dict[str, str]:
    """Environment variables.

    Args:
        urls: addresses of the database for each role.
        redis_url: address of Redis.
        data: folder for files.
        plugins: those to load, `None` for the bundled ones that are installed here.
    """
    loaded = [candidate.name for candidate in discover() if candidate.ours] if plugins is None else plugins
    return {
        "REGULARS_ENV": "test",
        "REGULARS_PLUGINS": ",".join(loaded),
        "REGULARS_DATA_DIR": str(data),
        "REGULARS_DATABASE_URL_APP": urls.app,
        "REGULARS_DATABASE_URL_PLATFORM": urls.platform,
        "REGULARS_DATABASE_URL_MIGRATOR": urls.migrator,
        "REGULARS_REDIS_URL": redis_url,
        "REGULARS_SECRET_KEY": "s" * 40,
        "REGULARS_PIN_PEPPER": "p" * 40,
        "REGULARS_DRAIN_SECONDS": "0.1",
        "REGULARS_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    }
