"""What Google's answers mean when they are not what was wanted."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx

from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletUnavailable

_LONGEST = 300


class Refused(Exception):
    """Google does not want what was sent, and will not later.

    Attributes:
        sentence: for the merchant, translated.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def unavailable(cause: httpx.HTTPError | httpx.Response) -> WalletUnavailable:
    """Google cannot be reached, is broken, or wants us to slow down."""
    if isinstance(cause, httpx.HTTPError):
        return WalletUnavailable(_("Google Wallet cannot be reached."))
    if cause.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return WalletUnavailable(_("Google Wallet asks us to slow down."), retry_after(cause))
    text = _("Google Wallet has a problem of its own (%(status)s).", status=cause.status_code)
    return WalletUnavailable(text, retry_after(cause))


def refused(answer: httpx.Response, *, issuer_id: str, email: str) -> Refused:
    """Google's own message in a sentence that says what to do."""
    reason = said_by(answer)
    if answer.status_code == httpx.codes.FORBIDDEN:
        text = _(
            "Google does not let %(email)s use the issuer %(issuer)s. Add it as a user in the Google Pay & Wallet "
            "Console. Google says: %(reason)s",
            email=email,
            issuer=issuer_id,
            reason=reason,
        )
        return Refused(text)
    return Refused(_("Google Wallet refuses the card: %(reason)s", reason=reason))


def said_by(answer: httpx.Response) -> str:
    """The message in an answer, in Google's own English; its status where there is none."""
    try:
        content = answer.json()
        error = content["error"]
        text = error["message"] if isinstance(error, dict) else content.get("error_description") or error
    except (ValueError, KeyError, TypeError, AttributeError):
        text = ""
    return " ".join(str(text).split())[:_LONGEST] or f"HTTP {answer.status_code}"


def retry_after(answer: httpx.Response) -> float | None:
    """Seconds that Google asks for: a number or a date; `None` for none."""
    text = answer.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
