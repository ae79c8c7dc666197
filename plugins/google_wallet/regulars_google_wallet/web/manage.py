"""The merchant's page: the own issuer at Google, and whether it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.sdk import BadValue, InvalidInput, PageContext
from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletReadiness
from regulars.sdk.web import Blueprint, Redirect, Result, TryAgain, Work, forgiving, page, save_settings
from regulars_google_wallet.account import LARGEST, read_account
from regulars_google_wallet.identity import readiness_of
from regulars_google_wallet.provider import GoogleWallet
from regulars_google_wallet.settings import GoogleWalletSettings

PLUGIN, PATH, MAY = "google_wallet", "/manage/p/google_wallet/", "google_wallet.manage"
bp = Blueprint(PLUGIN, __name__)


class Issuer(BaseModel):
    """The form; the key comes as a file or as its text."""

    issuer_id: str = Field(default="", max_length=40)
    service_account: str = Field(default="", max_length=LARGEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerPage(PageContext):
    """As whom cards are made for Google Wallet.

    Attributes:
        readiness: as customers' buttons go by it.
        email: of the own service account, empty for none.
        values, errors: of a form that could not be saved.
    """

    template: ClassVar[str] = "google_wallet/manage/issuer.html"
    readiness: WalletReadiness
    email: str
    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPage(PageContext):
    """Asks whether the own issuer shall go."""

    template: ClassVar[str] = "google_wallet/manage/forget.html"


@bp.get("/")
@page(audience="staff", permission=MAY)
async def issuer(work: Work) -> Result:
    """The page."""
    settings = await _settings(work)
    return _page(settings, {"issuer_id": settings.issuer_id}, {})


@bp.post("/")
@forgiving
@page(audience="staff", permission=MAY)
async def save(work: Work) -> Result:
    """Use an own issuer; the key stays as it is when none is sent."""
    settings, form = await _settings(work), await work.form(Issuer)
    sent = (form.values.get("service_account", "") or await _file(work)).strip()
    kept = {"issuer_id": form.values.get("issuer_id", "")}
    number = kept["issuer_id"].strip().replace(" ", "").replace("-", "")
    errors = _faults(number, sent, has_key=bool(settings.service_account.get_secret_value()))
    if errors:
        raise TryAgain(work, _page(settings, kept, errors))
    try:
        await save_settings(work, PLUGIN, {"issuer_id": number, "service_account": sent})
    except InvalidInput as error:
        raise TryAgain(work, _page(settings, kept, error.fields or {"": error.detail})) from error
    work.flash(_("Saved. Test now whether Google agrees."))
    return Redirect(PATH)


@bp.post("/test")
@page(audience="staff", permission=MAY, transaction=False)
async def test(work: Work) -> Result:
    """Ask Google whether issuer and key go together."""
    parts, tenant = work.services, work.ctx.tenant
    async with parts.database.tenant(tenant.id, read_only=True) as session:
        settings = await parts.settings.get(session, tenant, PLUGIN, tenant.id)
    fault = await GoogleWallet().try_out(settings)
    work.flash(fault or _("Google answers: issuer and key go together."), "error" if fault else "success")
    return Redirect(PATH)


@bp.get("/forget")
@page(audience="staff", permission=MAY)
async def ask(work: Work) -> Result:
    """Ask first."""
    return ForgetPage()


@bp.post("/forget")
@page(audience="staff", permission=MAY)
async def forget(work: Work) -> Result:
    """Use the own issuer no more."""
    await save_settings(work, PLUGIN, {"issuer_id": "", "service_account": None})
    work.flash(_("Your own issuer is removed."))
    return Redirect(PATH)


async def _settings(work: Work) -> GoogleWalletSettings:
    settings = await work.settings(PLUGIN)
    assert isinstance(settings, GoogleWalletSettings)
    return settings


async def _file(work: Work) -> str:
    """The text of the file that was sent; what is no text is none of Google's."""
    upload = (await work.request.files).get("account_file")
    if upload is None or not upload.filename:
        return ""
    content: bytes = upload.read(LARGEST + 1)
    return content.decode("utf-8-sig", errors="replace")


def _faults(number: str, account: str, *, has_key: bool) -> dict[str, str]:
    """Field → what is wrong with what was sent."""
    errors = {}
    if not number:
        errors["issuer_id"] = _("Enter the issuer ID.")
    elif not (number.isascii() and number.isdecimal() and 6 <= len(number) <= 25):
        errors["issuer_id"] = _("An issuer ID is a long number, such as 3388000000012345678.")
    if account:
        try:
            read_account(account)
        except BadValue as error:
            errors["account_file"] = _(error.message) % error.values
    elif not has_key:
        errors["account_file"] = _("Choose the .json file with the key of the service account.")
    return errors


def _page(settings: GoogleWalletSettings, values: Mapping[str, str], errors: Mapping[str, str]) -> IssuerPage:
    own = settings.service_account.get_secret_value()
    return IssuerPage(
        readiness=readiness_of(settings), email=read_account(own).email if own else "", values=values, errors=errors
    )
