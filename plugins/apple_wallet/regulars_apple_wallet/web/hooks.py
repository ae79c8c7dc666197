"""The web service that phones with our passes call.

A wrong token, an unknown pass and a pass of another merchant look the same: whoever guesses learns nothing.

Source: Apple, PassKit Web Service Reference, and "Adding a web service to update passes".
"""

from __future__ import annotations

import asyncio
import hmac
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import structlog
from pydantic import BaseModel, Field, ValidationError
from quart import Response, jsonify

from regulars.sdk.wallets import WalletDesk
from regulars.sdk.web import Blueprint, RateLimit, Result, Work, hook
from regulars_apple_wallet import repository
from regulars_apple_wallet.faults import IdentityFault
from regulars_apple_wallet.identity import identity_of
from regulars_apple_wallet.passes.bundle import MIMETYPE
from regulars_apple_wallet.provider import WALLET, make_pass, settings_of, token_of

log = structlog.get_logger(__name__)
bp = Blueprint("apple_wallet_service", __name__)
PLUGIN = "apple_wallet"

CALLS = RateLimit("apple_wallet_calls", count=1200, window=60, fails="open")
LOGS = RateLimit("apple_wallet_logs", count=20, window=60, fails="closed")
MOST_LINES, LONGEST_LINE = 20, 500
_SCHEME = "ApplePass "
_HIDDEN = re.compile(r"ApplePass\s+\S+|[0-9a-fA-F]{32,}|[A-Za-z0-9_-]{40,}")
"""What looks like a token or an identifier of a phone."""
_FIRST_DAY = datetime(2001, 1, 1, tzinfo=UTC)
_LAST_TAG = 2**63


class Registering(BaseModel):
    """What a phone sends when it has got a pass."""

    push_token: str = Field(alias="pushToken", pattern="^[0-9a-fA-F]{8,200}$")


class Logged(BaseModel):
    """What a phone wants to tell us."""

    logs: list[str] = Field(max_length=1000)


@bp.post("/v1/devices/<device>/registrations/<pass_type>/<serial>")
@hook(limit=CALLS)
async def register(work: Work, device: str, pass_type: str, serial: str) -> Result:
    """A phone has got a pass."""
    if not await _has_pass(work, pass_type, serial):
        return Response(status=401)
    try:
        sent = Registering.model_validate_json(await work.request.get_data())
    except ValidationError:
        return Response(status=400)
    if await work.services.wallet_passes.by_serial(work.session, work.ctx, WALLET, serial) is None:
        return Response(status=401)
    is_new = await repository.register(work.session, device, sent.push_token, pass_type, serial)
    await _count(work, serial)
    return Response(status=201 if is_new else 200)


@bp.delete("/v1/devices/<device>/registrations/<pass_type>/<serial>")
@hook(limit=CALLS)
async def unregister(work: Work, device: str, pass_type: str, serial: str) -> Result:
    """A pass was removed from a phone."""
    if not await _has_pass(work, pass_type, serial):
        return Response(status=401)
    await repository.unregister(work.session, device, serial)
    await _count(work, serial)
    return Response(status=200)


@bp.get("/v1/devices/<device>/registrations/<pass_type>")
@hook(limit=CALLS)
async def changed(work: Work, device: str, pass_type: str) -> Result:
    """Which passes of a phone have changed; nothing for a phone that we do not know."""
    serials = await repository.serials_on(work.session, device, pass_type)
    since = _tag(work.request.args.get("passesUpdatedSince", ""))
    found = await work.services.wallet_passes.since(work.session, WALLET, serials, since) if serials else ()
    if not found:
        return Response(status=204)
    latest = max(version for _serial, version in found)
    return jsonify(lastUpdated=str(latest), serialNumbers=[serial for serial, _version in found])


@bp.get("/v1/passes/<pass_type>/<serial>")
@hook(limit=CALLS)
async def latest_pass(work: Work, pass_type: str, serial: str) -> Result:
    """A pass as it is now."""
    if not await _has_pass(work, pass_type, serial):
        return Response(status=401)
    one = await work.services.wallet_passes.by_serial(work.session, work.ctx, WALLET, serial)
    if one is None:
        return Response(status=401)
    modified = _modified(one.version)
    if work.request.headers.get("If-Modified-Since", "") == modified:
        return Response(status=304, headers={"Last-Modified": modified})
    desk = await work.wallet_desk(PLUGIN)
    content = await asyncio.to_thread(make_pass, desk, one)
    return Response(content, content_type=MIMETYPE, headers={"Last-Modified": modified})


@bp.post("/v1/log")
@hook(limit=LOGS, transaction=False)
async def write_log(work: Work) -> Result:
    """What went wrong on a phone: so many lines, so long, without what looks like a secret."""
    try:
        sent = Logged.model_validate_json(await work.request.get_data())
    except ValidationError:
        return Response(status=400)
    for line in sent.logs[:MOST_LINES]:
        log.info("apple_wallet_phone", said=_HIDDEN.sub("…", line[: 4 * LONGEST_LINE])[:LONGEST_LINE])
    return Response(status=200)


async def _has_pass(work: Work, pass_type: str, serial: str) -> bool:
    """Whether the phone shows the token of the pass; takes as long for a pass that there is not."""
    desk = await work.wallet_desk(PLUGIN)
    sent, right = work.request.headers.get("Authorization", ""), f"{_SCHEME}{token_of(desk, serial)}"
    return hmac.compare_digest(sent.encode(), right.encode()) and pass_type == _pass_type(desk)


async def _count(work: Work, serial: str) -> None:
    copies = await repository.copies(work.session, serial)
    await work.services.wallet_passes.installed(work.session, WALLET, serial, copies)


def _pass_type(desk: WalletDesk) -> str:
    """Which passes there are at the moment, empty for none."""
    try:
        return identity_of(settings_of(desk)).pass_type
    except IdentityFault:
        return ""


def _tag(text: str) -> int:
    """The version that a phone has seen; what is no version of ours counts as none: it gets everything."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    return number if number < _LAST_TAG else 0


def _modified(version: int) -> str:
    """A version as a date, which is what phones send back: a clock's seconds could not tell two changes apart."""
    return format_datetime(_FIRST_DAY + timedelta(seconds=version), usegmt=True)
