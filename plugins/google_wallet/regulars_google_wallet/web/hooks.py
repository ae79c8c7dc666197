"""What Google calls: pictures of cards, and what people did with them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from hashlib import sha256

from quart import Response

from regulars.sdk import NotFound, Unavailable
from regulars.sdk.db import TenantSession
from regulars.sdk.wallets import WalletUnavailable
from regulars.sdk.web import Blueprint, Work, hook
from regulars_google_wallet import names, repository
from regulars_google_wallet.callbacks import Event, Forged, read_callback
from regulars_google_wallet.identity import identity_of
from regulars_google_wallet.rootkeys import RootKeys

PLUGIN, WALLET = "google_wallet", "google"
bp = Blueprint(PLUGIN, __name__)
_KEYS = RootKeys()
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@bp.get("/picture/<digest>.png")
@hook()
async def picture(work: Work, digest: str) -> Response:
    """A logo or a row of stamps; its name is its content's, so it never changes."""
    content = await repository.picture(work.session, digest)
    if content is None:
        raise NotFound
    return Response(content, content_type="image/png", headers=_FOR_EVER)


@bp.post("/callback")
@hook(transaction=False)
async def callback(work: Work) -> Response:
    """Somebody has saved a card or removed it. Whatever is wrong with a callback, the answer is the same."""
    parts, tenant, body = work.services, work.ctx.tenant, await work.request.get_data(as_text=False)
    async with parts.database.tenant(tenant.id, read_only=True) as session:
        settings = await parts.settings.get(session, tenant, PLUGIN, tenant.id)
    assert isinstance(body, bytes)
    try:
        who = identity_of(settings)
        roots = await _KEYS.get(who.places.keys)
        event = read_callback(body, who.issuer_id, roots, time.time_ns() // 1_000_000)
    except Forged:
        return Response(status=401)
    except WalletUnavailable as error:  # Google tells again later
        raise Unavailable(retry_after=60) from error
    serial = names.serial_of(who.issuer_id, event.object_id)
    if serial is not None:
        async with parts.database.tenant(tenant.id) as session:
            await _note(session, work, event, serial)
    return Response(status=200)


async def _note(session: TenantSession, work: Work, event: Event, serial: str) -> None:
    """Note a callback that comes for the first time, unless something later was heard of the card already."""
    nonce = sha256(event.nonce.encode()).hexdigest()
    until = datetime.fromtimestamp(min(event.expires_ms / 1000, _LATEST), UTC)
    is_new = await repository.is_new(session, nonce, until)
    if is_new and await repository.hear(session, event.object_id, event.expires_ms):
        copies = 1 if event.kind == "save" else 0
        await work.services.wallet_passes.installed(session, WALLET, serial, copies)


_LATEST = 4_000_000_000
"""A time that every database can hold."""
