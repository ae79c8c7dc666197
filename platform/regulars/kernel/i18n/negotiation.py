"""Which language a reader gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from babel import Locale


def negotiate(preferred: Sequence[str], accept_language: str, default: str, supported: Sequence[str]) -> str:
    """Choose a locale: the person's own, the browser's, the tenant's default, in this order.

    Args:
        preferred: chosen by the person (record, cookie), best first; empty ones count as none.
        accept_language: the HTTP header, empty for none; garbage in it is ignored.
        default: of the tenant.
        supported: locales of the tenant.

    Returns:
        One of `supported`; its first entry if even the default is not among them; `default` if it is empty.
    """
    for wanted in (*preferred, *_accepted(accept_language), default):
        match = _match(wanted, supported)
        if match:
            return match
    return supported[0] if supported else default


def language_name(locale: str) -> str:
    """A language in its own words, with a capital: `lt` → `Lietuvių`."""
    name = Locale.parse(locale).get_language_name() or locale
    return name[:1].upper() + name[1:]


def _match(wanted: str, supported: Sequence[str]) -> str:
    code = wanted.replace("-", "_").lower()
    exact = next((locale for locale in supported if locale.lower() == code), "")
    language = code.partition("_")[0]
    return exact or next((locale for locale in supported if locale.lower().partition("_")[0] == language), "")


def _accepted(header: str) -> Iterator[str]:
    """Languages of an Accept-Language header, best first."""
    weighted = []
    for position, part in enumerate(header.split(",")):
        code, _, parameter = part.strip().partition(";")
        weight = parameter.strip().removeprefix("q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if code and code != "*" and quality > 0:
            weighted.append((-quality, position, code))
    return (code for _, _, code in sorted(weighted))
