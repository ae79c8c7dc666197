"""Names for the demo's members: as mixed as the streets of Luxembourg."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass

FIRST = (
    "Marie",
    "Lucas",
    "Sophie",
    "Noah",
    "Emma",
    "Louis",
    "Léa",
    "Gabriel",
    "Chloé",
    "Jules",
    "Camille",
    "Hugo",
    "Zoé",
    "Tom",
    "Anna",
    "Ben",
    "Lena",
    "Paul",
    "Mia",
    "Felix",
    "Hannah",
    "Jonas",
    "Greta",
    "Max",
    "Ingrid",
    "Jürgen",
    "Sarah",
    "David",
    "Laura",
    "Alex",
    "Julia",
    "Pedro",
    "Inês",
    "João",
    "Beatriz",
    "Tiago",
    "Marta",
    "Rui",
    "Ana",
    "Giulia",
    "Marco",
    "Francesca",
    "Luca",
    "Chiara",
    "Matteo",
    "Ieva",
    "Jonas",
    "Rūta",
    "Tomas",
    "Gabija",
    "Lukas",
    "Eglė",
    "Mantas",
    "Austėja",
    "Dovydas",
    "Olga",
    "Pavel",
    "Nina",
    "Yann",
    "Maëlle",
    "Théo",
    "Inès",
    "Sven",
    "Britt",
)
LAST = (
    "Weber",
    "Muller",
    "Schmit",
    "Hoffmann",
    "Wagner",
    "Thill",
    "Reuter",
    "Kieffer",
    "Faber",
    "Klein",
    "Becker",
    "Martin",
    "Bernard",
    "Dubois",
    "Laurent",
    "Lefèvre",
    "Moreau",
    "Girard",
    "Roux",
    "Fournier",
    "Ledoux",
    "Petit",
    "Silva",
    "Santos",
    "Ferreira",
    "Pereira",
    "Costa",
    "Rodrigues",
    "Martins",
    "Almeida",
    "Rossi",
    "Bianchi",
    "Ricci",
    "Conti",
    "Marino",
    "Kazlauskas",
    "Petrauskas",
    "Jankauskas",
    "Stankevičius",
    "Žukauskaitė",
    "Šimkus",
    "Butkus",
    "Fischer",
    "Schneider",
    "Krüger",
    "Vogel",
    "Lang",
    "Novák",
    "Horváth",
    "Kowalski",
    "O'Brien",
    "Taylor",
    "Jensen",
)
LOCALES = ("en", "fr", "de", "lt")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who gets a card."""

    name: str
    email: str
    phone: str
    locale: str


def people(dice: random.Random, count: int) -> list[Person]:
    """So many different people, the same for the same dice.

    Args:
        dice: seeded.
        count: up to a few thousand.
    """
    pairs = dice.sample([(first, last) for first in sorted(set(FIRST)) for last in LAST], count)
    return [_person(dice, first, last, number) for number, (first, last) in enumerate(pairs)]


def _person(dice: random.Random, first: str, last: str, number: int) -> Person:
    plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower().replace("'", "")
    phone = f"+352621{100000 + number * 7 % 900000:06d}" if dice.random() < 0.3 else ""
    name = "" if dice.random() < 0.06 else f"{first} {last}"
    return Person(name, f"{plain}@example.com", phone, dice.choice(LOCALES))
