"""Answers that are sent compressed where nobody stands in front who would do it."""

from __future__ import annotations

import gzip
from functools import lru_cache

from quart import Response
from quart.wrappers.response import DataBody

from regulars.kernel.config import Config
from regulars.web.headers import add_vary
from regulars.web.request import RegularsRequest

_KINDS = frozenset({"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"})
_LEAST = 1024
_LEVEL, _BEST = 6, 9
_KEPT = 32


async def compress(request: RegularsRequest, response: Response, config: Config) -> None:
    """Compress an answer with gzip, if it is worth it and the visitor can read it.

    Args:
        request: what is answered.
        response: changed in place.
        config: a proxy that it lists compresses by itself, and better.
    """
    if config.trusted_proxies or response.mimetype not in _KINDS or response.status_code != 200:
        return
    body = response.response
    if not isinstance(body, DataBody) or "Content-Encoding" in response.headers:
        return
    add_vary(response.headers, "Accept-Encoding")
    if not request.accept_encodings.quality("gzip") or (response.content_length or 0) < _LEAST:
        return
    content = await response.get_data(as_text=False)
    for_ever = response.cache_control.immutable
    response.set_data(_pack_for_ever(content) if for_ever else gzip.compress(content, _LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    etag, _is_weak = response.get_etag()
    if etag is not None:
        response.set_etag(etag, weak=True)


@lru_cache(maxsize=_KEPT)
def _pack_for_ever(content: bytes) -> bytes:
    """What never changes under its address is compressed once, as far as it goes."""
    return gzip.compress(content, _BEST, mtime=0)
