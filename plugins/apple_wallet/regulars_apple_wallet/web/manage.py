"""The merchant's page: their certificate for Apple Wallet, uploaded, checked, replaced, removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.sdk import N_, PageContext
from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletReadiness
from regulars.sdk.web import Blueprint, Redirect, Result, TryAgain, Work, forgiving, page, save_settings
from regulars_apple_wallet.faults import IdentityFault
from regulars_apple_wallet.identity import identity_of, read_identity
from regulars_apple_wallet.provider import AppleWallet, settings_of

PLUGIN = "apple_wallet"
PATH = "/manage/p/apple_wallet/"
MANAGE = "apple_wallet.manage"
MOST_BYTES = 100_000
bp = Blueprint("apple_wallet", __name__)


class Sent(BaseModel):
    """The form beside its files."""

    password: str = Field(default="", max_length=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePage(PageContext):
    """As whom passes are signed.

    Attributes:
        readiness: of the wallet.
        team: team identifier, empty without a certificate that can be used.
        days: until the certificate ends, `None` without one.
        fault, remedy: what is wrong with the files that were sent, and what to do.
    """

    template: ClassVar[str] = "apple_wallet/manage/certificate.html"
    readiness: WalletReadiness
    team: str
    days: int | None
    fault: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePage(PageContext):
    """Asks before the merchant's own certificate is removed."""

    template: ClassVar[str] = "apple_wallet/manage/remove.html"
    identity: str


@bp.get("/")
@page(audience="staff", permission=MANAGE)
async def certificate(work: Work) -> Result:
    """The certificate, and the form for another one."""
    return await _page(work)


@bp.post("/")
@forgiving
@page(audience="staff", permission=MANAGE)
async def upload(work: Work) -> Result:
    """Take another certificate, if nothing is wrong with it."""
    sent = (await work.form(Sent)).data or Sent()
    files = [await _file(work, name) for name in ("certificate", "key", "intermediate")]
    try:
        if any(len(content) > MOST_BYTES for content in files):
            raise IdentityFault(N_("This file is too large for a certificate."), N_("Choose another file."))
        found = read_identity(files[0], files[1], files[2], sent.password)
    except IdentityFault as fault:
        raise TryAgain(work, await _page(work, fault)) from fault
    pems = found.pem()
    await save_settings(work, PLUGIN, dict(zip(("certificate", "key", "intermediate"), pems, strict=True)))
    work.flash(_("Passes are signed with your certificate from now on."))
    return Redirect(PATH)


@bp.get("/remove")
@page(audience="staff", permission=MANAGE)
async def remove_form(work: Work) -> Result:
    """Ask before the certificate goes."""
    desk = await work.wallet_desk(PLUGIN)
    if not settings_of(desk).is_own:
        return Redirect(PATH)
    return RemovePage(identity=(await AppleWallet().readiness(desk)).identity)


@bp.post("/remove")
@page(audience="staff", permission=MANAGE)
async def remove(work: Work) -> Result:
    """Remove the merchant's own certificate."""
    await save_settings(work, PLUGIN, {"certificate": None, "key": None, "intermediate": None})
    work.flash(_("Your certificate is removed."))
    return Redirect(PATH)


async def _page(work: Work, fault: IdentityFault | None = None) -> CertificatePage:
    desk = await work.wallet_desk(PLUGIN)
    readiness = await AppleWallet().readiness(desk)
    days = (readiness.expires_at - datetime.now(UTC)).days if readiness.expires_at else None
    return CertificatePage(
        readiness=readiness,
        team=identity_of(settings_of(desk)).team if readiness.is_ready else "",
        days=days,
        fault=fault.text if fault else "",
        remedy=fault.remedy if fault else "",
    )


async def _file(work: Work, name: str) -> bytes:
    upload = (await work.request.files).get(name)
    return upload.read(MOST_BYTES + 1) if upload is not None and upload.filename else b""
