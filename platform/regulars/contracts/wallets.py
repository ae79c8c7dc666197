"""The card in the phone: what a pass shows, and what a wallet plugin does with it.

The host knows which passes there are, what each shows and whether the phone has heard of it; a wallet's plugin knows
how its phones are spoken to. A pass is always made from the card as it is now, never from an event: whatever comes late
or twice, the last state wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel

from regulars.contracts.context import Context

FieldPlace = Literal["header", "primary", "secondary", "auxiliary", "back"]
"""Where a line stands: `primary` is the one large figure, `back` is what one turns the pass for."""


@dataclass(frozen=True, slots=True)
class WalletField:
    """One line of a pass, in the language in which it was asked for.

    Attributes:
        key: what the line is about, the same in every language and at every balance; the host puts the plugin's name
            before it (`stamps.count`).
        label: small text above the value, in sentence case: "Stamps".
        value: "8/10".
        place: where it belongs; a wallet that has no room shows it on the back.
        changed: what the phone says when the value has become another one, "2 more until your free coffee!"; empty for
            nothing.
        order: among the lines of one place, lowest first.
    """

    key: str
    label: str
    value: str
    place: FieldPlace
    changed: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True)
class StampRow:
    """The boxes of a stamp card, drawn across the pass.

    Attributes:
        count: full ones, at most `target`.
        target: all of them.
        icon: name of the merchant's stamp icon, empty for that of the brand.
    """

    count: int
    target: int
    icon: str = ""


@dataclass(frozen=True, slots=True)
class WalletTier:
    """The group of customers whose passes look alike, such as gold members.

    Attributes:
        key: as rules name it, the same in every language.
        name: as customers know it.
    """

    key: str
    name: str


WalletPart = WalletField | StampRow | WalletTier
"""What a plugin may add to a pass."""


@dataclass(frozen=True, slots=True)
class WalletFace:
    """A pass in one language.

    Attributes:
        description: for those who hear the pass: "Stamp card of Café Rusta".
        fields: by place, then order; keys are unique.
        stamps: the boxes, `None` where no stamp card is shown.
    """

    description: str
    fields: tuple[WalletField, ...]
    stamps: StampRow | None = None

    def at(self, place: FieldPlace) -> tuple[WalletField, ...]:
        """The lines of one place, in their order."""
        return tuple(field for field in self.fields if field.place == place)


@dataclass(frozen=True, slots=True)
class WalletLook:
    """What a pass looks like; the contrast of both foregrounds on the background is WCAG AA or better.

    Attributes:
        background, foreground, label: `#rrggbb`.
        icon: name of the merchant's stamp icon.
        logo: the merchant's logo as PNG, empty without one.
        picture: a photo of the merchant's choice behind strip or hero, as PNG; empty without one.
    """

    background: str
    foreground: str
    label: str
    icon: str
    logo: bytes = b""
    picture: bytes = b""


@dataclass(frozen=True, slots=True)
class WalletPlace:
    """A shop near which the phone shows the pass.

    Attributes:
        text: what it says there, in the tenant's own language.
        latitude, longitude: degrees.
    """

    text: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class WalletCard:
    """All that a pass shows of a card.

    Attributes:
        card_id: whose pass it is.
        merchant: name of the tenant.
        program: name of the program.
        program_id: a Google class and the like belong to it.
        tier: the member's, in the tenant's own language, `None` without tiers.
        number: as people read it, `4821-7493-2841`.
        code: text of the QR code, the same as on the card's page.
        holder: the member's name, perhaps empty.
        url: the card's page.
        default_locale: language of the tenant, one of `faces`.
        faces: language → face, for every language of the tenant.
        look: colours and pictures.
        places: shops, at most 10.
        state: a void pass is grey and cannot be used: the card was blocked or closed, the member erased.
        expires_at: when all that is on the card is gone, `None` for never.
    """

    card_id: UUID
    merchant: str
    program: str
    program_id: UUID
    tier: WalletTier | None
    number: str
    code: str
    holder: str
    url: str
    default_locale: str
    faces: Mapping[str, WalletFace]
    look: WalletLook
    places: tuple[WalletPlace, ...] = ()
    state: Literal["active", "void"] = "active"
    expires_at: datetime | None = None

    @property
    def face(self) -> WalletFace:
        """The face in the tenant's own language."""
        return self.faces[self.default_locale]


@dataclass(frozen=True, slots=True)
class WalletPass:
    """One card's pass in one wallet.

    Attributes:
        id: of the host's row.
        serial: the name by which the wallet knows it, never changes; unguessable, says nothing of the member.
        version: grows whenever what it shows has changed, over all passes of the installation: a later change has a
            larger number.
        changed_at: when that was.
        card: what it shows now.
    """

    id: UUID
    serial: str
    version: int
    changed_at: datetime
    card: WalletCard


@dataclass(frozen=True, slots=True)
class PassFile:
    """A pass that the phone downloads."""

    content: bytes
    mimetype: str
    name: str


@dataclass(frozen=True, slots=True)
class PassLink:
    """An address of the wallet's maker where the phone takes the pass over."""

    url: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of telling phones about one pass.

    Attributes:
        pass_id: which one.
        reached: phones (or copies of the pass) that were told; 0 when nobody has it.
        fault: why it failed for this pass alone and will again until something is changed, translated for the merchant;
            empty when it went well. What is wrong with the whole service is a `WalletUnavailable`.
    """

    pass_id: UUID
    reached: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class WalletProblem:
    """Something that merchant or operator has to mend.

    Attributes:
        text: what is wrong.
        remedy: what to do.
        stops: whether passes cannot be handed out or kept up to date until it is mended.
    """

    text: str
    remedy: str
    stops: bool = True


@dataclass(frozen=True, slots=True)
class WalletReadiness:
    """Whether a wallet can be offered.

    Attributes:
        problems: what is missing or wrong; one that stops takes the customers' buttons away.
        own: whether the merchant's own certificate or issuer is used instead of the platform's.
        identity: as whom passes are made: a pass type identifier, an issuer id; empty without one.
        expires_at: when certificate or key ends, `None` for never or unknown.
        is_development: passes are signed by the demo's own authority and open in simulators only.
    """

    problems: tuple[WalletProblem, ...] = ()
    own: bool = False
    identity: str = ""
    expires_at: datetime | None = None
    is_development: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether passes can be made."""
        return not any(problem.stops for problem in self.problems)


class WalletUnavailable(Exception):
    """The wallet's service cannot be reached or wants us to slow down; nothing is known to be wrong with the passes.

    Args:
        reason: for the health page, translated.
        retry_after: seconds that the service asked for, `None` where it asked for nothing.
        delivered: what went well before.
    """

    def __init__(self, reason: str, retry_after: float | None = None, delivered: Sequence[Delivery] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.delivered = tuple(delivered)


class WalletDesk(Protocol):
    """What a wallet's provider may use. No transaction is open while it is called."""

    @property
    def context(self) -> Context:
        """The tenant; whoever asks."""

    @property
    def settings(self) -> BaseModel:
        """The plugin's settings for the tenant."""

    @property
    def hook_url(self) -> str:
        """Address of the plugin's inbound views for this tenant, on the platform's host; without a slash at its end.

        It never changes, whatever domains the merchant has: it is burnt into passes.
        """

    def key(self, purpose: str) -> bytes:
        """32 bytes that only this installation knows, the same for ever, another for each tenant and purpose."""

    def step(self) -> AbstractAsyncContextManager[Any]:
        """A transaction of the tenant (`sdk.db.TenantSession`); commits at its end.

        Not to be held while phones are told.
        """

    async def turn(self, service: str, per_second: float) -> None:
        """Wait until the whole platform may make one more request to a service that counts them.

        Args:
            service: lower case, the same for all tenants (`kernel.ratelimit.Pace`).
            per_second: requests that it allows us.

        Raises:
            WalletUnavailable: too many others wait.
        """


class WalletProvider(Protocol):
    """How one wallet is spoken to.

    Attributes:
        wallet: `apple`, `google`; also part of the address of its button.
        title: name of the wallet as its maker writes it; not translated.
    """

    wallet: str
    title: str

    async def readiness(self, desk: WalletDesk) -> WalletReadiness:
        """Whether passes can be made: settings only, neither network nor database, since customers' pages ask it."""

    async def hand_over(self, desk: WalletDesk, one: WalletPass) -> PassFile | PassLink:
        """Give a pass to the phone that asks for it.

        Raises:
            WalletUnavailable: the wallet's maker cannot be reached.
        """

    async def deliver(self, desk: WalletDesk, passes: Sequence[WalletPass]) -> Sequence[Delivery]:
        """Tell the phones that passes have changed, in the order given; safe to repeat.

        Args:
            desk: of the tenant.
            passes: at most 100, oldest change first; void ones are taken back as the wallet can do it.

        Raises:
            WalletUnavailable: none of the rest can be told now; the host tries again later.
        """
