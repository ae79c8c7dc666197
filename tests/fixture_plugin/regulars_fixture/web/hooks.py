"""What the maker of the album calls."""

from __future__ import annotations

from quart import Response

from regulars.sdk.web import Blueprint, Work, hook

hooks = Blueprint("sampler_hooks", __name__)


@hooks.post("/echo/<word>")
@hook()
async def echo(work: Work, word: str) -> Response:
    """Say the word and who is meant."""
    return Response(f"{word} {work.ctx.tenant.slug}", content_type="text/plain")
