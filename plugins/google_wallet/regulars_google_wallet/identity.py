"""As whom a merchant's passes are made, and what is missing for that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel

from regulars.sdk import BadValue
from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletProblem, WalletReadiness, WalletUnavailable
from regulars_google_wallet.account import LARGEST, ServiceAccount, read_account
from regulars_google_wallet.settings import GoogleWalletSettings

GOOGLE = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Where Google's services are.

    Attributes:
        api, token, save, keys: addresses of the REST API, of tokens, of the page that saves a card, of the public keys
            of callbacks.
        is_stand_in: it is not Google itself.
    """

    api: str
    token: str
    save: str
    keys: str
    is_stand_in: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """An issuer with the account that acts for it.

    Attributes:
        own: it is the merchant's, not the platform's.
    """

    issuer_id: str
    account: ServiceAccount
    places: Places
    own: bool


def places_of(endpoint: str) -> Places:
    """The services at an address; without one Google's own."""
    if endpoint == GOOGLE:
        return Places(
            api="https://walletobjects.googleapis.com/walletobjects/v1",
            token="https://oauth2.googleapis.com/token",  # noqa: S106 -- an address
            save="https://pay.google.com/gp/v/save",
            keys="https://pay.google.com/gp/m/issuer/keys",
            is_stand_in=False,
        )
    return Places(
        api=f"{endpoint}/walletobjects/v1",
        token=f"{endpoint}/token",
        save=f"{endpoint}/gp/v/save",
        keys=f"{endpoint}/gp/m/issuer/keys",
        is_stand_in=True,
    )


def identity_of(settings: BaseModel) -> Identity:
    """As whom to speak to Google.

    Args:
        settings: the plugin's.

    Raises:
        WalletUnavailable: something is missing or wrong.
    """
    found = look(settings)
    if isinstance(found, WalletProblem):
        raise WalletUnavailable(found.text)
    return found


def readiness_of(settings: BaseModel) -> WalletReadiness:
    """Whether passes can be made, and as whom."""
    found = look(settings)
    if isinstance(found, WalletProblem):
        return WalletReadiness((found,))
    return WalletReadiness(own=found.own, identity=found.issuer_id, is_development=found.places.is_stand_in)


def look(settings: BaseModel) -> Identity | WalletProblem:
    """The merchant's own identity, else the platform's, else what is missing for one."""
    assert isinstance(settings, GoogleWalletSettings)
    places = places_of(settings.endpoint)
    own, issuer = settings.service_account.get_secret_value(), settings.issuer_id
    if own and issuer:
        return Identity(issuer, read_account(own), places, own=True)
    if own:
        return WalletProblem(_("The issuer ID is missing."), _("Enter it: a long number in Google's console."))
    if issuer:
        return WalletProblem(
            _("The key of the service account is missing."), _("Upload the .json file that Google gives you for it.")
        )
    return _platforms(settings, places)


def _platforms(settings: GoogleWalletSettings, places: Places) -> Identity | WalletProblem:
    path = settings.platform_account_path.get_secret_value()
    if not path or not settings.platform_issuer_id:
        return WalletProblem(
            _("There is no Google issuer yet."),
            _("Get an issuer account from Google, make a service account, and enter both here."),
        )
    try:
        account = read_account(_content(path, Path(path).stat().st_mtime_ns))
    except (OSError, UnicodeDecodeError, BadValue):
        return WalletProblem(
            _("The platform's service account cannot be read."),
            _("Whoever runs the platform has to look after LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON; or use your own."),
        )
    return Identity(settings.platform_issuer_id, account, places, own=False)


@lru_cache(maxsize=4)
def _content(path: str, _changed: int) -> str:
    """A file's text, read again when it has changed."""
    with Path(path).open(encoding="utf-8") as file:
        return file.read(LARGEST + 1)
