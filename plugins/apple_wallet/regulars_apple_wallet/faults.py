"""What can be wrong with certificates, said when it is read: in the language of whoever reads it."""

from __future__ import annotations

from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletProblem


class IdentityFault(Exception):
    """Something is missing or wrong.

    Args:
        text: what, marked with `N_`.
        remedy: what to do, marked with `N_`.
        values: for both.
    """

    def __init__(self, text: str, remedy: str, **values: str) -> None:
        super().__init__(text)
        self._text, self._remedy, self._values = text, remedy, values

    @property
    def text(self) -> str:
        """What is wrong, translated."""
        return _(self._text, **self._values)

    @property
    def remedy(self) -> str:
        """What to do, translated."""
        return _(self._remedy, **self._values)

    @property
    def problem(self) -> WalletProblem:
        """Both for the health page."""
        return WalletProblem(self.text, self.remedy)
