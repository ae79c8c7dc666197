"""The wallet as the host sees it: whether it is ready, a pass for a phone, telling phones of changes."""

from __future__ import annotations

import asyncio
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from regulars.sdk.db import TenantSession
from regulars.sdk.i18n import _
from regulars.sdk.jobs import enqueue
from regulars.sdk.wallets import (
    Delivery,
    PassFile,
    WalletDesk,
    WalletPass,
    WalletPasses,
    WalletProblem,
    WalletReadiness,
    WalletUnavailable,
)
from regulars_apple_wallet import repository
from regulars_apple_wallet.faults import IdentityFault
from regulars_apple_wallet.identity import identity_of
from regulars_apple_wallet.passes.bundle import MIMETYPE, make_file
from regulars_apple_wallet.push import Answer, PushService
from regulars_apple_wallet.repository import Target
from regulars_apple_wallet.settings import AppleWalletSettings

WALLET = "apple"
QUIET = timedelta(minutes=1)
"""How long a phone is left alone when Apple wants that and does not say how long."""
REFUSED_PAUSE = 900.0
"""Seconds until a certificate that Apple refuses is tried again."""
_OK, _FORBIDDEN, _TOO_MANY, _SERVER = 200, 403, 429, 500


class AppleWallet:
    """Apple Wallet."""

    wallet = WALLET
    title = "Apple Wallet"

    def __init__(self) -> None:
        self._push = PushService()

    async def readiness(self, desk: WalletDesk) -> WalletReadiness:
        """Whether passes can be made: there is a certificate, and it is valid."""
        settings = settings_of(desk)
        try:
            identity = identity_of(settings)
        except IdentityFault as fault:
            return WalletReadiness((fault.problem,), own=settings.is_own)
        problems = () if service_url(desk) else (_no_updates(),)
        return WalletReadiness(
            problems=problems,
            own=settings.is_own,
            identity=identity.pass_type,
            expires_at=identity.expires_at,
            is_development=identity.is_development,
        )

    async def hand_over(self, desk: WalletDesk, one: WalletPass) -> PassFile:
        """The signed pass."""
        content = await asyncio.to_thread(make_pass, desk, one)
        return PassFile(content, MIMETYPE, f"{desk.context.tenant.slug}.pkpass")

    async def deliver(self, desk: WalletDesk, passes: Sequence[WalletPass]) -> Sequence[Delivery]:
        """Push to the phones that have the passes, once to each."""
        settings = settings_of(desk)
        try:
            identity = identity_of(settings)
        except IdentityFault as fault:
            raise WalletUnavailable(fault.text, REFUSED_PAUSE) from fault
        async with desk.step() as session:
            found = await repository.targets(session, identity.pass_type, [one.serial for one in passes])
        tokens = {one.device_id: one.push_token for one in found if not one.is_quiet}
        answers = await self._push.tell(settings, identity, tokens)
        async with desk.step() as session:
            await _note(session, found, answers)
        return _outcome(passes, found, answers)

    async def close(self) -> None:
        """Close the connections to the push service."""
        await self._push.close()


def settings_of(desk: WalletDesk) -> AppleWalletSettings:
    """The plugin's settings."""
    assert isinstance(desk.settings, AppleWalletSettings)
    return desk.settings


def make_pass(desk: WalletDesk, one: WalletPass) -> bytes:
    """The signed file of a pass; for threads.

    Raises:
        WalletUnavailable: the certificate is of no use.
    """
    try:
        identity = identity_of(settings_of(desk))
    except IdentityFault as fault:
        raise WalletUnavailable(fault.text, REFUSED_PAUSE) from fault
    return make_file(one, identity, service_url(desk), token_of(desk, one.serial))


def service_url(desk: WalletDesk) -> str:
    """Where phones ask for changes; empty where that is no https address, since phones call no other."""
    return desk.hook_url if desk.hook_url.startswith("https://") else ""


def token_of(desk: WalletDesk, serial: str) -> str:
    """With what a phone shows that it has a pass: the same for ever, as the pass carries it, and stored nowhere."""
    digest = hmac.digest(desk.key("authentication"), serial.encode(), "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _no_updates() -> WalletProblem:
    return WalletProblem(
        _("Passes are not updated: phones ask for changes by https only."),
        _("Whoever runs the platform has to give it an https address."),
        stops=False,
    )


async def _note(session: TenantSession, found: Sequence[Target], answers: Mapping[UUID, Answer]) -> None:
    """Forget phones that are gone, and leave those alone that Apple wants to be left alone."""
    tokens = {one.device_id: one.push_token for one in found}
    for device_id, answer in sorted(answers.items()):
        if answer.is_gone:
            for serial in await repository.forget(session, device_id, tokens[device_id], answer.ended_at):
                await WalletPasses.installed(session, WALLET, serial, await repository.copies(session, serial))
        elif answer.status == _TOO_MANY:
            pause = timedelta(seconds=answer.retry_after) if answer.retry_after else QUIET
            until = datetime.now(UTC) + pause
            await repository.hush(session, device_id, until)
            for serial in {one.serial for one in found if one.device_id == device_id}:
                payload = {"serial": serial}
                key = f"{serial} {until.isoformat(timespec='minutes')}"
                await enqueue(session, "apple_wallet.again", payload, dedup_key=key, run_at=until)


def _outcome(
    passes: Sequence[WalletPass], found: Sequence[Target], answers: Mapping[UUID, Answer]
) -> Sequence[Delivery]:
    """What came of it, pass by pass.

    Raises:
        WalletUnavailable: the service failed, or refuses the certificate; what went well is with it.
    """
    delivered, failed = [], []
    for one in passes:
        told = [answers[each.device_id] for each in found if each.serial == one.serial and not each.is_quiet]
        broken = [answer for answer in told if _is_broken(answer)]
        failed += broken
        if broken:
            continue
        faults = [answer for answer in told if answer.status not in {_OK, _TOO_MANY} and not answer.is_gone]
        fault = _("Apple refused to tell the phone: %(reason)s", reason=faults[0].reason) if faults else ""
        delivered.append(Delivery(one.id, sum(answer.status == _OK for answer in told), fault))
    if failed:
        refused = next((answer for answer in failed if answer.status == _FORBIDDEN), None)
        if refused is not None:
            reason = _("Apple refuses the certificate: %(reason)s", reason=refused.reason)
            raise WalletUnavailable(reason, REFUSED_PAUSE, delivered)
        wanted = max((answer.retry_after or 0.0 for answer in failed), default=0.0)
        reason = _("Apple's push service does not answer: %(reason)s", reason=failed[0].reason or failed[0].status)
        raise WalletUnavailable(reason, wanted or None, delivered)
    return delivered


def _is_broken(answer: Answer) -> bool:
    """Whether it says nothing of the phone, but of the service or the certificate."""
    return answer.status == 0 or answer.status >= _SERVER or answer.status == _FORBIDDEN
