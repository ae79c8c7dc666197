"""Sentences about a stamp card, in the reader's language."""

from __future__ import annotations

from regulars.sdk.i18n import _, ngettext
from regulars_stamps.settings import StampSettings


def missing_stamps(settings: StampSettings, count: int) -> int:
    """Stamps until the card is full, 0 when it is."""
    return max(0, settings.target - count)


def label(settings: StampSettings, count: int) -> str:
    """`8 / 10 stamps`."""
    return _("%(count)s / %(target)s stamps", count=count, target=settings.target)


def progress_sentence(settings: StampSettings, count: int) -> str:
    """`2 more stamps until your free coffee!`."""
    missing = missing_stamps(settings, count)
    if missing == 0:
        return _("Your %(reward)s is ready!", reward=settings.reward_text)
    return ngettext(
        "%(num)s more stamp until your %(reward)s!",
        "%(num)s more stamps until your %(reward)s!",
        missing,
        reward=settings.reward_text,
    )


def short_progress(settings: StampSettings, count: int) -> str:
    """`2 more until FREE COFFEE`, for the till and the small card."""
    missing = missing_stamps(settings, count)
    reward = settings.reward_text.upper()
    if missing == 0:
        return _("%(reward)s ready", reward=reward)
    return ngettext("%(num)s more until %(reward)s", "%(num)s more until %(reward)s", missing, reward=reward)
