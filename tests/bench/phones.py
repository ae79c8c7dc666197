"""Passes in phones: how many can be signed, what many cost in memory, and how soon after a sale its phone hears."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import psutil
from asyncpg import Connection

from regulars.cli.dev_certs import PASS_TYPE, variables
from regulars.contracts.wallets import WalletPass
from regulars.kernel.config import Config
from regulars.testing.push_service import PushServer
from regulars.testing.wallets import make_pass
from regulars.testing.world import HOST_FEATURES, World
from regulars_apple_wallet.identity import Identity, read_identity
from regulars_apple_wallet.passes.bundle import make_file
from tests.bench.load import open_loop
from tests.bench.sales import sale
from tests.bench.seed import STAFF, Card, Merchant, make_world

_PATIENCE = 60
_SERVICE, _TOKEN = "https://phones.example/hooks/apple_wallet/token", "t" * 43
PHONES = (
    """
    INSERT INTO core.wallet_pass (tenant_id, id, card_id, wallet, serial, digest, version, delivered_version, copies)
    SELECT $1, gen_random_uuid(), card, 'apple', md5(card::text), '\\x00', 0, 0, 1 FROM unnest($2::uuid[]) AS card
    """,
    """
    INSERT INTO plg_apple_wallet.device (tenant_id, id, library, push_token, registered_at)
    SELECT $1, card, sha256(card::text::bytea), replace(card::text, '-', ''), now() FROM unnest($2::uuid[]) AS card
    """,
    f"""
    INSERT INTO plg_apple_wallet.registration (tenant_id, device_id, serial, pass_type, registered_at)
    SELECT $1, card, md5(card::text), '{PASS_TYPE}', now() FROM unnest($2::uuid[]) AS card
    """,
)
"""Each card's pass is on one phone, whose push token is the card's id."""


async def make_phones(config: Config) -> World:
    """Make a merchant whose customers carry their cards in their phones, without cards yet."""
    plugins = ("stamps", "antifraud", "apple_wallet")
    chosen = {"antifraud": {"cooldown_minutes": 0}}
    options = {"offering": "phones", "features": (*plugins, *HOST_FEATURES, "api_access"), "settings": chosen}
    return await make_world(config, "phones", plugins=frozenset(plugins), **options)


def settings_of(push: PushServer, folder: Path) -> Mapping[str, str]:
    """The environment of a platform that pushes there, with certificates of the folder."""
    return {
        **variables(folder),
        "REGULARS_APPLE_PUSH_SERVER": push.address,
        "REGULARS_APPLE_PUSH_AUTHORITY_PATH": push.authority_path,
    }


async def pushes(
    connection: Connection, merchant: Merchant, push: PushServer, port: int, rate: int, seconds: float
) -> dict[str, float]:
    """Milliseconds from a sale's request to the push of its phone, at a fixed rate of sales.

    Raises:
        TimeoutError: not every phone has heard in time.
    """
    cards = merchant.cards[: int(rate * seconds)]
    for statement in PHONES:
        await connection.execute(statement, merchant.world.tenant.id, [card.id for card in cards])
    begun: dict[str, float] = {}
    heard: dict[str, float] = {}
    listener = asyncio.create_task(_listen(push, heard, len(cards)))
    load = await open_loop(port, _sales(merchant, cards, begun), rate=rate, seconds=seconds, connections=rate)
    if set(load.statuses) != {"200"}:
        raise RuntimeError(f"answers that were not expected: {dict(load.statuses)}")
    async with asyncio.timeout(_PATIENCE):
        await listener
    times = replace(load, times=[heard[token] - at for token, at in begun.items()])
    return {"push_p50_ms": times.percentile(50), "push_p95_ms": times.percentile(95)}


def _sales(merchant: Merchant, cards: Sequence[Card], begun: dict[str, float]) -> Iterator[bytes]:
    """Sales of all cards, each noted when it is sent."""
    for number, card in enumerate(cards):
        request = sale(merchant, number % STAFF, card)
        begun[card.id.hex] = perf_counter()
        yield request


async def _listen(push: PushServer, heard: dict[str, float], phones: int) -> None:
    """Note when each phone hears first."""
    while len(heard) < phones:
        token = await push.heard.get()
        heard.setdefault(token, perf_counter())


def signing(folder: Path, passes: int) -> dict[str, float]:
    """What a pass costs: signed with pictures that were drawn before, and with new ones; memory over many.

    Args:
        folder: with certificates.
        passes: how many; the first tenth of them warms up.
    """
    identity, one = _identity(folder), make_pass()
    _sign(identity, one, passes // 10)
    before, begun = psutil.Process().memory_info().rss, process_time()
    _sign(identity, one, passes)
    used, after = process_time() - begun, psutil.Process().memory_info().rss
    fresh = [_with_background(one, number) for number in range(passes // 100)]
    begun = process_time()
    for each in fresh:
        make_file(each, identity, _SERVICE, _TOKEN)
    drawn = process_time() - begun
    return {
        "passes_rps": passes / used,
        "pass_cached_ratio": (drawn / len(fresh)) / (used / passes),
        "passes_memory_ratio": after / before,
    }


def _sign(identity: Identity, one: WalletPass, passes: int) -> None:
    for number in range(passes):
        make_file(replace(one, serial=f"{number:032x}"), identity, _SERVICE, _TOKEN)


def _with_background(one: WalletPass, number: int) -> WalletPass:
    look = replace(one.card.look, background=f"#{number:06x}")
    return replace(one, card=replace(one.card, look=look))


def _identity(folder: Path) -> Identity:
    certificate, key, intermediate = ((folder / name).read_bytes() for name in ("pass.pem", "pass-key.pem", "wwdr.pem"))
    return read_identity(certificate, key, intermediate, "")
