"""Google Wallet, as the host speaks to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from regulars.sdk.i18n import _
from regulars.sdk.wallets import (
    Delivery,
    PassLink,
    WalletDesk,
    WalletPass,
    WalletReadiness,
    WalletUnavailable,
)
from regulars_google_wallet import names, payloads, repository
from regulars_google_wallet.failures import Refused
from regulars_google_wallet.identity import identity_of, readiness_of
from regulars_google_wallet.links import save_link
from regulars_google_wallet.rest import connected
from regulars_google_wallet.sending import SECONDS, Sender
from regulars_google_wallet.tokens import Tokens

AT_ONCE = 5
"""Cards that are told of at a time: answers of some 200 ms then keep Google's pace."""
DELIVERY_SECONDS = 20.0
_SOON = 5.0


@dataclass(slots=True)
class _Told:
    """What came of some passes so far.

    Attributes:
        failure: why no further one is tried.
        is_busy: somebody else was just sending one of them.
    """

    done: list[Delivery] = field(default_factory=list)
    failure: WalletUnavailable | None = None
    is_busy: bool = False

    async def note(self, one: WalletPass, sender: Sender) -> None:
        """Send one, and note what came of it."""
        try:
            found = await sender.send(one, again=True)
        except Refused as error:
            found = Delivery(one.id, fault=error.sentence)
        except WalletUnavailable as error:
            self.failure = self.failure or error
            return
        if found is None:
            self.is_busy = True
        else:
            self.done.append(found)


class GoogleWallet:
    """The provider. One of a process; it keeps tokens only."""

    wallet = "google"
    title = "Google Wallet"

    def __init__(self) -> None:
        self._tokens = Tokens()

    async def readiness(self, desk: WalletDesk) -> WalletReadiness:
        """Whether passes can be made; settings only."""
        return readiness_of(desk.settings)

    async def hand_over(self, desk: WalletDesk, one: WalletPass) -> PassLink:
        """Have Google make the object and give the link that saves it.

        Raises:
            WalletUnavailable: Google cannot be reached, or refuses.
        """
        who = identity_of(desk.settings)
        object_id = names.object_id(who.issuer_id, one.serial)
        class_id = names.class_id(who.issuer_id, desk.key("class"), one.card)
        payload: dict[str, Any] = {"id": object_id, "classId": class_id}
        try:
            async with connected(who, self._tokens, desk.turn) as google:
                await Sender(desk, google, who).send(one)
        except Refused as error:
            raise WalletUnavailable(error.sentence) from None
        except WalletUnavailable:
            async with desk.step() as session:
                is_known = await repository.has_class(session, class_id)
            if not is_known:
                raise
            payload = payloads.plain_payload(one.card, object_id, class_id)
        link = save_link(who, payload, one.card.url)
        if link is None:
            raise WalletUnavailable(_("The link for Google Wallet would be too long."))
        return PassLink(link)

    async def deliver(self, desk: WalletDesk, passes: Sequence[WalletPass]) -> Sequence[Delivery]:
        """Change the objects of passes at Google, a few at a time: each is another card's.

        Raises:
            WalletUnavailable: some of them cannot be changed now, or somebody else is just changing them.
        """
        who = identity_of(desk.settings)
        told = _Told()
        at_once = asyncio.Semaphore(AT_ONCE)
        async with connected(who, self._tokens, desk.turn) as google:
            sender = Sender(desk, google, who)

            async def tell(one: WalletPass) -> None:
                async with at_once:
                    if told.failure is None:
                        await told.note(one, sender)

            try:
                async with asyncio.timeout(DELIVERY_SECONDS), asyncio.TaskGroup() as tasks:
                    for one in passes:
                        tasks.create_task(tell(one))
            except TimeoutError:
                told.failure = WalletUnavailable(_("Google Wallet takes too long."))
        if told.failure is None and told.is_busy:
            told.failure = WalletUnavailable(_("A card is just being changed at Google."), _SOON)
        if told.failure is not None:
            raise WalletUnavailable(told.failure.reason, told.failure.retry_after, told.done)
        return told.done

    async def try_out(self, settings: BaseModel) -> str:
        """Ask Google whether issuer and account go together.

        Args:
            settings: the plugin's.

        Returns:
            A sentence that says what is wrong, empty when all is well.
        """

        async def at_once(_service: str, _per_second: float) -> None:
            """One question of a person waits for nobody."""

        try:
            who = identity_of(settings)
            async with asyncio.timeout(SECONDS), connected(who, self._tokens, at_once) as google:
                await google.try_out()
        except Refused as error:
            return error.sentence
        except WalletUnavailable as error:
            return error.reason
        except TimeoutError:
            return _("Google Wallet takes too long.")
        return ""
