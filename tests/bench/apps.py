"""What is measured: ours, with one more route that does nothing, and a bare Quart application with that route alone.

`python -m tests.bench.apps bare` (or `ours`) serves one as `regulars web` would, with the same settings.
"""

from __future__ import annotations

import sys

from quart import Quart, Response

from regulars.cli.common import read_config
from regulars.cli.web import serve

PATH = "/bench/nothing"
ANSWER = "nothing"


def bare() -> Quart:
    """Quart, and one route."""
    app = Quart("bare")
    app.add_url_rule(PATH, "nothing", _nothing)
    return app


def ours() -> Quart:
    """The platform, and one more route on the hosts of tenants."""
    from regulars.app import create_from_environment

    app = create_from_environment()
    app.add_url_rule(PATH, "nothing", _nothing, subdomain="tenant")
    return app


async def _nothing() -> Response:
    return Response(ANSWER, content_type="text/plain")


if __name__ == "__main__":
    serve(read_config(), f"tests.bench.apps:{sys.argv[1]}")
