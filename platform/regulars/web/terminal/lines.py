"""Cards in lists of the till: who, which number, how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from regulars.contracts.context import AccountState
from regulars.contracts.providers import Progress
from regulars.domain.cards.service import CardHit
from regulars.domain.programs.service import plugins_outside
from regulars.kernel import ids
from regulars.web.work import Work


@dataclass(frozen=True, slots=True)
class CardLine:
    """A card in a list.

    Attributes:
        url: of the customer's view.
        name: empty when the customer gave none.
        number: 12 digits.
        active: whether the card can be used.
        progress: where it stands in each unit.
    """

    url: str
    name: str
    email: str
    number: str
    active: bool
    progress: Sequence[Progress]
    last_activity_at: datetime


def card_url(card_id: UUID) -> str:
    """Address of a customer's view at the till."""
    return f"/terminal/cards/{ids.show(ids.CARD, card_id)}"


async def card_lines(work: Work, hits: Sequence[CardHit]) -> Sequence[CardLine]:
    """Cards as lists show them; the settings of each program are asked for once."""
    settings = {
        program_id: await work.services.settings.get_all(work.session, work.ctx.tenant, program_id)
        for program_id in {hit.program_id for hit in hits}
    }
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    return [_line(work, hit, programs.get(hit.program_id).kind, settings[hit.program_id]) for hit in hits]


def _line(work: Work, hit: CardHit, kind: str, settings: Mapping[str, BaseModel]) -> CardLine:
    enabled = work.ctx.tenant.enabled - plugins_outside(kind)
    progress = [
        one.provider.progress(AccountState(one.unit, hit.balances.get(one.unit, 0)), one.settings)
        for one in work.services.plugins.unit_providers.of_program(settings, enabled)
    ]
    return CardLine(
        url=card_url(hit.id),
        name=hit.name,
        email=hit.email,
        number=hit.number,
        active=hit.status == "active",
        progress=progress,
        last_activity_at=hit.last_activity_at,
    )
