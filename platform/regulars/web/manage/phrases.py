"""The texts that a merchant may say in own words: found in the phrasebook, told apart by short keys."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256

from regulars.contracts.errors import NotFound
from regulars.kernel.i18n import Phrase
from regulars.web.work import Work

_HOST = "regulars"
_CUSTOMERS = (
    "domain/cards/",
    "domain/messaging/",
    "web/api/storefront.py",
    "web/portal/",
    "web/templates/components/loyalty.html",
    "web/templates/layouts/mail.html",
    "web/templates/layouts/portal.html",
    "web/templates/mails/",
    "web/templates/portal/",
    "web/when.py",
)
"""Where the host keeps what customers read."""
_NOT_FOR_CUSTOMERS = ("__init__.py", "settings.py", "web/manage", "settings.toml", "theme.toml")
"""Where plugins and themes keep what customers do not read, besides templates of the merchant's pages."""


async def phrases_of(work: Work, locale: str) -> Sequence[Phrase]:
    """Every text of the host, the tenant's plugins and its theme, sorted as people sort.

    Raises:
        NotFound: the tenant does not speak the language.
    """
    tenant = work.ctx.tenant
    if locale not in tenant.locales:
        raise NotFound
    themes = {theme.manifest.name for theme in work.services.templates.themes.chain(tenant.theme)}
    present = {_HOST, *tenant.enabled, *themes}
    found = await asyncio.to_thread(work.services.phrasebook.phrases, locale)
    return sorted(
        (one for one in found if one.domain in present), key=lambda one: (one.forms[0].casefold(), key_of(one))
    )


def is_for_customers(phrase: Phrase) -> bool:
    """Whether customers read it, on a page or in a mail."""
    if phrase.domain == _HOST:
        return any(file.startswith(_CUSTOMERS) for file in phrase.files)
    manage = f"templates/{phrase.domain}/manage"
    return any(not file.startswith((*_NOT_FOR_CUSTOMERS, manage)) for file in phrase.files)


def key_of(phrase: Phrase) -> str:
    """A short name of a text, for addresses."""
    return sha256(f"{phrase.context}\x04{phrase.english[0]}".encode()).hexdigest()[:16]
