"""What a pass shows: made of the card as it is now, by the host and the plugins, in every language of the tenant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from regulars.contracts.context import Context, Principal, TenantSnapshot
from regulars.contracts.errors import NotFound, PluginFault
from regulars.contracts.wallets import (
    StampRow,
    WalletCard,
    WalletFace,
    WalletField,
    WalletLook,
    WalletPart,
    WalletTier,
)
from regulars.domain.cards import service as cards
from regulars.domain.cards.numbers import format_number
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.redemptions.service import Redemptions
from regulars.domain.tenants.logos import tenant_folder
from regulars.domain.wallets import repository
from regulars.kernel.config import Config
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import use_locale
from regulars.kernel.observability.metrics import PLUGIN_FAULTS
from regulars.kernel.templating.colour import Colour, readable_on

log = structlog.get_logger(__name__)

HOST = "card"
"""Stands before the keys of the host's own lines; no plugin can be named so."""
_PLACES = {"header": 0, "primary": 1, "secondary": 2, "auxiliary": 3, "back": 4}
_SHOPS = 20


class Faces:
    """Makes what passes show.

    Args:
        ledger: the engine, for the same facts and rules as a transaction.
        config: for addresses and the folder of logos.
    """

    def __init__(self, ledger: Ledger, config: Config) -> None:
        self._ledger = ledger
        self._config = config
        self._redemptions = Redemptions(ledger)

    async def card(self, session: TenantSession, tenant: TenantSnapshot, card_id: UUID) -> WalletCard:
        """All that a card's pass shows now; that of a merged card shows the one to which it leads.

        Args:
            session: the transaction, may be read-only.
            tenant: as it is now.
            card_id: which card.

        Raises:
            NotFound: the tenant has no such card.
        """
        try:
            hit = await cards.get(session, card_id)
        except NotFound:
            return await self._void(session, tenant, card_id)
        ctx = Context(tenant=tenant, principal=Principal(kind="system"), source="job")
        opened = await self._ledger.look(session, ctx, hit.info)
        shops = await session.rows(repository.SHOPS, {"tenant": session.tenant_id, "size": _SHOPS})
        lines = [", ".join(filter(None, (shop.name, shop.address))) for shop in shops]
        faces, tiers = {}, {}
        for locale in tenant.locales:
            with use_locale(locale, tenant.timezone, tenant.wording.get(locale, {})):
                parts = list(self._parts(opened))
                tiers[locale] = next((one for _plugin, one in parts if isinstance(one, WalletTier)), None)
                faces[locale] = self._face(tenant, parts, hit, lines)
        return WalletCard(
            card_id=card_id,
            merchant=tenant.name,
            program=opened.rules.program.name,
            program_id=hit.program_id,
            tier=tiers[tenant.default_locale],
            number=format_number(hit.number),
            code=self._config.url(tenant.host, f"/c/{hit.token}"),
            holder=hit.name,
            url=self._config.url(tenant.host, "/card"),
            default_locale=tenant.default_locale,
            faces=faces,
            look=self._look(tenant),
            state="active" if hit.status == "active" else "void",
        )

    async def _void(self, session: TenantSession, tenant: TenantSnapshot, card_id: UUID) -> WalletCard:
        """What is left of the card of somebody who was erased: that it is no longer good."""
        row = await session.one_or_none(repository.WHOSE, {"tenant": session.tenant_id, "card": card_id})
        if row is None:
            raise NotFound(_("We could not find this card."))
        faces = {}
        for locale in tenant.locales:
            with use_locale(locale, tenant.timezone, tenant.wording.get(locale, {})):
                faces[locale] = WalletFace(_plain_title(tenant), ())
        return WalletCard(
            card_id=card_id,
            merchant=tenant.name,
            program=row.program,
            program_id=row.program_id,
            tier=None,
            number=format_number(row.number),
            code=self._config.url(tenant.host, f"/c/{row.token}"),
            holder="",
            url=self._config.url(tenant.host, "/card"),
            default_locale=tenant.default_locale,
            faces=faces,
            look=self._look(tenant),
            state="void",
        )

    def _parts(self, opened: OpenCard) -> Iterator[tuple[str, WalletPart]]:
        """What the plugins say, in the current language; one that fails is left out."""
        offers = self._redemptions.shown(opened)
        accounts = opened.shared()
        for plugin, call in self._ledger.registry.hooks.ledger("wallet_fields", opened.enabled):
            try:
                context = opened.ledger_context(plugin, accounts)
                found = call(context, offers, opened.plugin_facts(plugin))
                yield from ((plugin, part) for part in found)
            except PluginFault as error:
                log.warning("wallet_fields_failed", plugin=plugin, exc_info=error)
                PLUGIN_FAULTS.labels(plugin, "wallet").inc()

    def _face(
        self, tenant: TenantSnapshot, parts: Sequence[tuple[str, WalletPart]], hit: cards.CardHit, shops: Sequence[str]
    ) -> WalletFace:
        """A face of what the plugins say and what the host adds."""
        fields = [replace(part, key=f"{plugin}.{part.key}") for plugin, part in parts if isinstance(part, WalletField)]
        fields += self._own_fields(tenant, hit, shops)
        unique = {field.key: field for field in reversed(fields)}
        ordered = sorted(unique.values(), key=lambda field: (_PLACES[field.place], field.order, field.key))
        stamps = next((part for _plugin, part in parts if isinstance(part, StampRow)), None)
        stamp_card = _("Stamp card of %(merchant)s", merchant=tenant.name)
        return WalletFace(stamp_card if stamps else _plain_title(tenant), tuple(ordered), stamps)

    def _own_fields(self, tenant: TenantSnapshot, hit: cards.CardHit, shops: Sequence[str]) -> Iterator[WalletField]:
        page, terms = (self._config.url(tenant.host, path) for path in ("/card", "/terms"))
        if hit.name:
            yield WalletField(f"{HOST}.holder", _("Name"), hit.name, "auxiliary", order=900)
        yield WalletField(f"{HOST}.number", _("Card number"), format_number(hit.number), "back", order=500)
        yield WalletField(f"{HOST}.url", _("Your card online"), page, "back", order=510)
        if shops:
            yield WalletField(f"{HOST}.shops", _("Shops"), "\n".join(shops), "back", order=520)
        yield WalletField(f"{HOST}.terms", _("Terms"), terms, "back", order=530)

    def _look(self, tenant: TenantSnapshot) -> WalletLook:
        brand = tenant.branding
        text = str(readable_on(Colour.parse(brand.primary_color)))
        folder = tenant_folder(self._config.data_dir, tenant.id)
        logo = _file(folder / brand.logo) if brand.logo else b""
        return WalletLook(brand.primary_color.lower(), text, text, brand.icon, logo)


def digest_of(card: WalletCard) -> bytes:
    """What tells two states of a pass apart: SHA-256 over all that it shows."""
    pictures = {name: hashlib.sha256(getattr(card.look, name)).hexdigest() for name in ("logo", "picture")}
    shown: Mapping[str, Any] = asdict(replace(card, look=replace(card.look, logo=b"", picture=b"")))
    return hashlib.sha256(to_json({**shown, "look": {**shown["look"], **pictures}}).encode()).digest()


def _plain_title(tenant: TenantSnapshot) -> str:
    return _("Loyalty card of %(merchant)s", merchant=tenant.name)


@lru_cache(maxsize=256)
def _file(path: Path) -> bytes:
    """A tenant's own picture; its name changes with what is in it."""
    return path.read_bytes() if path.is_file() else b""
