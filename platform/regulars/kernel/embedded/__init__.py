"""Real PostgreSQL and Redis from wheels, started by us: for the demo, for small installations and for tests.

The servers are direct children of the process that starts them, listen on 127.0.0.1 only, and end with it even when
it is killed (Linux). Everything they keep lies in one data folder.
"""

from regulars.kernel.embedded.errors import EmbeddedError, FolderInUseError
from regulars.kernel.embedded.postgres import EmbeddedPostgres
from regulars.kernel.embedded.redis import EmbeddedRedis
from regulars.kernel.embedded.secrets import Secrets, load_secrets
from regulars.kernel.embedded.urls import Urls

__all__ = ["EmbeddedError", "EmbeddedPostgres", "EmbeddedRedis", "FolderInUseError", "Secrets", "Urls", "load_secrets"]
