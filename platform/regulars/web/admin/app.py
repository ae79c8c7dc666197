"""The application behind the admin port. It runs in a process of its own, so that it answers when the others do not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog
from quart import Quart, Response

from regulars.contracts.errors import Unavailable
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.redis import TenantRedis
from regulars.web.admin import views

log = structlog.get_logger(__name__)


class AdminParts(NamedTuple):
    """What the views of the admin port work with.

    Attributes:
        metrics: folder in which the processes of this machine share their metrics.
    """

    config: Config
    plugins: PluginRegistry
    database: Database
    redis: TenantRedis
    metrics: Path


View = Callable[[AdminParts], Awaitable[Response]]

ROUTES: tuple[tuple[str, View], ...] = (
    ("/metrics", views.metrics),
    ("/healthz", views.alive),
    ("/readyz", views.ready),
)
"""Every address of the admin port with its view; all of them are GET and none asks who is there."""


def create_admin_app(parts: AdminParts) -> Quart:
    """Make the application; it connects to nothing before it is asked.

    Args:
        parts: closed when the application ends.
    """
    app = Quart("regulars.web.admin", static_folder=None, template_folder=None)
    for path, view in ROUTES:
        app.add_url_rule(path, path, partial(_answer, view, parts))

    @app.after_serving
    async def close() -> None:
        await parts.redis.close()
        await parts.database.close()

    return app


async def _answer(view: View, parts: AdminParts) -> Response:
    try:
        return await view(parts)
    except Unavailable:
        return Response("The database does not answer.\n", status=503, content_type="text/plain; charset=utf-8")
