"""Round trips on the wire, counted over HTTP: a sale takes six, whatever it answers, however many plugins take part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from regulars.app import create_app
from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.clock import Clock
from regulars.testing.web import serving
from regulars.testing.wire import counting
from regulars.testing.world import World


@pytest.mark.parametrize("plugins", [("stamps",), ("stamps", "antifraud")])
async def test_a_stamp_with_pin_takes_six(
    plugins: tuple[str, ...],
    config: Config,
    registry: PluginRegistry,
    make_world: Callable[..., Awaitable[World]],
    clock: Clock,
) -> None:
    cafe = await make_world("cafe", offering="o", features=(*plugins, "api_access"))
    async with counting(config.database_url_app) as wire:
        app = create_app(config.model_copy(update={"database_url_app": wire.url, "pool_size": 1}), registry=registry)
        async with serving(app) as server:
            till = server.at(cafe.host, Authorization=f"Bearer {cafe.api_key}")

            async def stamp(pin: str, key: str) -> tuple[int, int]:
                body = {"card": cafe.card.number, "staff": f"staff_{cafe.anna.id.hex}", "pin": pin}
                wire.reset()
                answer = await till.send(
                    "POST", "/api/v1/store/loyalty/stamp", json=body, headers={"Idempotency-Key": key}
                )
                return answer.status_code, wire.round_trips

            for pin in (cafe.anna.pin, "0000", cafe.anna.pin):
                await stamp(pin, uuid4().hex)
                await clock.advance(hours=1)
            results = [await stamp(cafe.anna.pin, "one"), await stamp(cafe.anna.pin, "one"), await stamp("0000", "two")]
    assert results == [(200, 6), (200, 5), (403, 6)]
