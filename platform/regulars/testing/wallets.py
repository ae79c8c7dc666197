"""Sample cards for the plugins of wallets: what a café's pass shows, in four languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Literal
from uuid import UUID

from PIL import Image, ImageDraw

from regulars.contracts.wallets import (
    StampRow,
    WalletCard,
    WalletFace,
    WalletField,
    WalletLook,
    WalletPass,
    WalletPlace,
    WalletTier,
)

Kind = Literal["stamps", "points", "hybrid"]
CHANGED_AT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Words:
    """What a sample says in one language."""

    description: str
    stamps: str
    more: Callable[[int], str]
    free: str
    reward: str
    points: str
    next: str
    drink: str
    member: str
    tier: str
    number: str
    terms: str


_WORDS = {
    "en": _Words(
        "Card of Café Rusta",
        "Stamps",
        lambda left: f"{left} more until your free coffee!",
        "Your free coffee is ready!",
        "Reward",
        "Points",
        "Next reward",
        "500 points: free drink",
        "Member",
        "Tier",
        "Card number",
        'Say "Rusta" at the till.\nOne stamp a coffee.',
    ),
    "lt": _Words(
        "„Café Rusta“ kortelė",
        "Antspaudai",
        lambda left: f"Liko {left} iki nemokamos kavos!",
        "Jūsų nemokama kava paruošta!",
        "Dovana",
        "Taškai",
        "Kita dovana",
        "500 taškų: nemokamas gėrimas",
        "Narys",
        "Lygis",
        "Kortelės numeris",
        "Vienas antspaudas už kavą.",
    ),
    "fr": _Words(
        "Carte de Café Rusta",
        "Tampons",
        lambda left: f"Plus que {left} avant votre café offert !",
        "Votre café offert vous attend !",
        "Récompense",
        "Points",
        "Prochaine récompense",
        "500 points : boisson offerte",
        "Membre",
        "Niveau",
        "Numéro de carte",
        "Un tampon par café.",
    ),
    "de": _Words(
        "Karte von Café Rusta",
        "Stempel",
        lambda left: f"Noch {left} bis zu deinem Gratiskaffee!",
        "Dein Gratiskaffee wartet!",
        "Prämie",
        "Punkte",
        "Nächste Prämie",
        "500 Punkte: Gratisgetränk",
        "Mitglied",
        "Stufe",
        "Kartennummer",
        "Ein Stempel pro Kaffee.",
    ),
}


def make_card(
    kind: Kind = "stamps",
    *,
    count: int = 8,
    target: int = 10,
    points: int = 750,
    locales: tuple[str, ...] = ("en", "lt", "fr", "de"),
    **changes: Any,
) -> WalletCard:
    """A sample card: 8 of 10 stamps, 750 points, or both.

    Args:
        kind: what the card counts; `hybrid` also has a tier.
        count: full boxes.
        target: all boxes.
        points: the balance.
        locales: languages of the tenant, its own first.
        changes: fields of `WalletCard` to be otherwise.
    """
    card = WalletCard(
        card_id=UUID("01900000-0000-7000-8000-000000000001"),
        merchant="Café Rusta",
        program="Rusta Club",
        program_id=UUID("01900000-0000-7000-8000-000000000002"),
        tier=WalletTier("gold", "Gold") if kind == "hybrid" else None,
        number="4821-7493-2841",
        code="482174932841",
        holder="Mia Ozola",
        url="https://rusta.example/card",
        default_locale=locales[0],
        faces={locale: _face(kind, _WORDS[locale], count, target, points) for locale in locales},
        look=WalletLook("#4a2c2a", "#ffffff", "#e8d5c4", "coffee", logo=_logo()),
        places=(WalletPlace("Café Rusta, Pilies 3", 54.6828, 25.2877),),
    )
    return replace(card, **changes)


def make_pass(card: WalletCard | None = None, **changes: Any) -> WalletPass:
    """A sample pass of a card; the stamps' one, if none is named."""
    one = WalletPass(
        id=UUID("01900000-0000-7000-8000-000000000003"),
        serial="4f1c9a6b2d8e4f7091a3c5d7e9fb1d3f",
        version=7,
        changed_at=CHANGED_AT,
        card=card or make_card(),
    )
    return replace(one, **changes)


def _face(kind: Kind, words: _Words, count: int, target: int, points: int) -> WalletFace:
    """All lines of a pass in one language."""
    lines, row = [], None
    if kind != "points":
        row = StampRow(count, target, "coffee")
        ready = count >= target
        lines += [
            WalletField("stamps.count", words.stamps, f"{count}/{target}", "header"),
            WalletField(
                "stamps.next",
                words.reward,
                words.free if ready else words.more(target - count),
                "secondary",
                changed=words.free if ready else words.more(target - count),
            ),
        ]
    if kind != "stamps":
        place: Literal["primary", "secondary"] = "primary" if kind == "points" else "secondary"
        lines += [
            WalletField("points.balance", words.points, f"★ {points} ★", place, changed=f"{words.points}: %@"),
            WalletField("rewards.next", words.next, words.drink, "secondary"),
        ]
    if kind == "hybrid":
        lines.append(WalletField("tiers.standing", words.tier, "Gold", "auxiliary"))
    lines += [
        WalletField("core.holder", words.member, "Mia Ozola", "auxiliary"),
        WalletField("core.number", words.number, "4821-7493-2841", "back"),
        WalletField("core.terms", "Café Rusta", words.terms, "back", order=200),
    ]
    return WalletFace(words.description, tuple(lines), row)


def _logo() -> bytes:
    """A cup in a circle, as a merchant's logo might be."""
    picture = Image.new("RGBA", (240, 240), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((4, 4, 236, 236), fill="#e8d5c4")
    draw.rounded_rectangle((70, 90, 150, 170), radius=18, fill="#4a2c2a")
    draw.arc((140, 100, 190, 150), -90, 90, fill="#4a2c2a", width=12)
    kept = BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue()
