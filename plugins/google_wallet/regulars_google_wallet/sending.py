"""One pass on its way to Google: who may send it, whether it must be sent at all, and what for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from regulars.sdk.i18n import _
from regulars.sdk.wallets import Delivery, WalletDesk, WalletPass, WalletUnavailable
from regulars_google_wallet import names, payloads, repository
from regulars_google_wallet.identity import Identity
from regulars_google_wallet.pictures import Picture, hero, logo
from regulars_google_wallet.repository import Claim
from regulars_google_wallet.rest import Google

SECONDS = 20.0
"""For one object, its class and all waiting included; shorter than the lease of a claim."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A pass as it is to be sent: what the class says, what the object says, and the pictures that both name."""

    one: WalletPass
    class_id: str
    object_id: str
    shared: Mapping[str, Any]
    own: Mapping[str, Any]
    pictures: tuple[Picture, ...]

    @property
    def digest(self) -> str:
        """Of what the object says."""
        return _digest(self.own)


class Sender:
    """Sends passes of one tenant.

    Args:
        desk: the host's.
        google: a connection.
        who: the issuer.
    """

    def __init__(self, desk: WalletDesk, google: Google, who: Identity) -> None:
        self._desk = desk
        self._google = google
        self._who = who

    async def send(self, one: WalletPass, *, again: bool = False) -> Delivery | None:
        """Let Google have a pass as it is.

        Args:
            one: the pass.
            again: send it also when this very version was sent before.

        Returns:
            What came of it; `None` while somebody else is sending it.

        Raises:
            WalletUnavailable: not now.
            Refused: Google does not take it.
        """
        draft = await asyncio.to_thread(self._draft, one)
        async with self._desk.step() as session:
            claim = await repository.claim(session, one.id, draft.object_id, draft.class_id, one.version)
            if claim.state == "mine":
                pictures = {picture.digest: picture.content for picture in draft.pictures}
                await repository.keep_pictures(session, pictures)
        if claim.state != "mine":
            return Delivery(one.id) if claim.state == "newer" else None
        news, is_settled = payloads.news_of(one.card), False
        try:
            async with asyncio.timeout(SECONDS):
                reached = await self._put(draft, claim, news, again=again)
            async with self._desk.step() as session:
                await repository.settle(session, one.id, draft.object_id, one.version, draft.digest, news)
            is_settled = True
        except TimeoutError:
            raise WalletUnavailable(_("Google Wallet takes too long.")) from None
        finally:
            if not is_settled:
                async with self._desk.step() as session:
                    await repository.release(session, one.id)
        return Delivery(one.id, reached)

    def _draft(self, one: WalletPass) -> _Draft:
        """Everything that takes only thinking and drawing."""
        card, issuer = one.card, self._who.issuer_id
        class_id = names.class_id(issuer, self._desk.key("class"), card)
        object_id = names.object_id(issuer, one.serial)
        sign, row = logo(card.look), hero(card.look, card.face.stamps)
        shared = payloads.class_payload(card, class_id, logo_url=self._url(sign), callback_url=self._callback_url())
        if card.state == "void":
            return _Draft(one, class_id, object_id, shared, payloads.void_payload(object_id, class_id), (sign,))
        own = payloads.object_payload(card, object_id, class_id, hero_url=self._url(row) if row else "")
        return _Draft(one, class_id, object_id, shared, own, (sign, row) if row else (sign,))

    def _url(self, picture: Picture) -> str:
        return f"{self._desk.hook_url}/picture/{picture.digest}.png"

    def _callback_url(self) -> str | None:
        """Google calls HTTPS only, and refuses a class that says anything else."""
        url = f"{self._desk.hook_url}/callback"
        return url if url.startswith("https:") or self._who.places.is_stand_in else None

    async def _put(self, draft: _Draft, claim: Claim, news: str, *, again: bool) -> int:
        """Class first, where it has changed; then the object. How many phones have it."""
        if draft.one.card.state == "void":
            return _reached(await self._google.replace("loyaltyObject", draft.own))
        await self._put_class(draft, claim.class_digest)
        is_same = claim.digest == draft.digest
        if is_same and not (again and claim.version == draft.one.version):
            return 0
        if not claim.digest:
            return _reached(await self._google.make("loyaltyObject", draft.own))
        tells = {"notifyPreference": payloads.NOTIFY} if news and news != claim.news else {}
        return _reached(await self._google.change("loyaltyObject", {**draft.own, **tells}))

    async def _put_class(self, draft: _Draft, before: str) -> None:
        """Once for each change, whatever the number of cards."""
        digest = _digest(draft.shared)
        if digest == before:
            return
        put = self._google.change if before else self._google.make
        await put("loyaltyClass", draft.shared)
        async with self._desk.step() as session:
            await repository.note_class(session, draft.class_id, digest)


def _digest(payload: Mapping[str, Any]) -> str:
    return sha256(json.dumps(payload, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _reached(answer: Mapping[str, Any]) -> int:
    return 1 if answer.get("hasUsers") else 0
