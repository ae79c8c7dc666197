"""Rules of own words: which text may be said how. A text is data; it keeps our placeholders and brings no markup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regulars.contracts.context import Context
from regulars.contracts.errors import InvalidInput
from regulars.domain.audit import service as audit
from regulars.domain.staff.permissions import require
from regulars.domain.wording import repository
from regulars.domain.wording.notation import shown, stored
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import Phrase, Wording
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n.upkeep import forms_of_one_number, placeholders
from regulars.kernel.i18n.wording import plural_expression
from regulars.kernel.text import one_line

MAX_LENGTH = 400
MAX_TEXTS = 500
"""Own texts of a tenant in one language: they travel with its snapshot."""
PERMISSION = "branding.manage"
_SIGNS = re.compile(r"[%{}<>]")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Own words for a text.

    Attributes:
        forms: as many as the text has in the language, as typed; all empty for "ours again".
    """

    phrase: Phrase
    forms: tuple[str, ...]


async def own_words(session: TenantSession, locale: str) -> Wording:
    """What the tenant says itself in a language."""
    rows = await session.rows(repository.OF_LANGUAGE, {"tenant": session.tenant_id, "of_locale": locale})
    return {(row.context, row.english): tuple(row.forms) for row in rows}


async def counts(session: TenantSession) -> Mapping[str, int]:
    """Language → how many own texts."""
    rows = await session.rows(repository.COUNTS, {"tenant": session.tenant_id})
    return {row.locale: row.texts for row in rows}


async def save(session: TenantSession, ctx: Context, locale: str, proposals: Sequence[Proposal]) -> int:
    """Say texts in own words, in force with the next request.

    Args:
        session: the transaction.
        ctx: who acts; needs `branding.manage`.
        locale: one of the tenant's languages.
        proposals: what is said how; what is said already as wished changes nothing.

    Returns:
        How many texts have changed.

    Raises:
        InvalidInput: a text cannot be used; field is its number among the proposals, a dot and the form's, from 0.
    """
    require(ctx, PERMISSION)
    clean = [Proposal(one.phrase, tuple(_clean(form, one.phrase) for form in one.forms)) for one in proposals]
    faults = {
        f"{number}.{form}": sentence
        for number, one in enumerate(clean)
        for form, sentence in faults_of(one, locale).items()
    }
    if faults:
        raise InvalidInput(" ".join(dict.fromkeys(faults.values())), fields=faults)
    known = dict(await own_words(session, locale))
    changed = 0
    for one in clean:
        key = (one.phrase.context, one.phrase.english[0])
        wanted = one.forms if any(one.forms) and one.forms != one.phrase.forms else ()
        if known.get(key, ()) != wanted:
            await _write(session, ctx, locale, key, wanted)
            known[key] = wanted
            changed += 1
    if sum(map(bool, known.values())) > MAX_TEXTS:
        raise InvalidInput(_("You can say at most %(most)s texts in your own words.", most=MAX_TEXTS))
    return changed


async def reset(session: TenantSession, ctx: Context, locale: str) -> None:
    """Say everything in our words again, in one language."""
    require(ctx, PERMISSION)
    done = await session.execute(repository.RESET_LANGUAGE, {"tenant": session.tenant_id, "of_locale": locale})
    if done.rowcount:
        await audit.record(
            session, ctx, "wording.reset", "tenant", session.tenant_id, {"language": locale, "texts": done.rowcount}
        )


def faults_of(proposal: Proposal, locale: str) -> dict[int, str]:
    """Form → what is wrong with it, a sentence; nothing when all are empty.

    Args:
        proposal: own words, cleaned.
        locale: their language.
    """
    if not any(proposal.forms):
        return {}
    counted = len(proposal.phrase.english) > 1
    unsaid = forms_of_one_number(plural_expression(locale)) if counted else frozenset()
    faults = {}
    for number, form in enumerate(proposal.forms):
        allowed = [proposal.phrase.english[-1], *(proposal.phrase.english[:1] if number in unsaid else ())]
        sentence = _fault(form, allowed)
        if sentence:
            faults[number] = sentence
    return faults


def _clean(form: str, phrase: Phrase) -> str:
    return stored(one_line(form), phrase.english[-1])


def _fault(text: str, allowed: Sequence[str]) -> str:
    if not text:
        return _("Please fill this in.")
    if len(text) > MAX_LENGTH:
        return _("At most %(max_length)s characters are possible.", max_length=MAX_LENGTH)
    wanted = placeholders(allowed[0])
    if placeholders(text) not in [placeholders(one) for one in allowed]:
        if not wanted:
            return _("No value is put in here. Please leave out names in braces.")
        names = " ".join(shown(name) for name in sorted(wanted))
        return _("Values are put in here. Keep each of these as it stands: %(names)s", names=names)
    rest = text
    for name in wanted:
        rest = rest.replace(name, "")
    if found := _SIGNS.search(rest):
        return _("The sign %(sign)s cannot be used here.", sign=found[0])
    return ""


async def _write(
    session: TenantSession, ctx: Context, locale: str, key: tuple[str, str], forms: tuple[str, ...]
) -> None:
    context, english = key
    where = {"tenant": session.tenant_id, "of_locale": locale, "of_context": context, "of_english": english}
    row = {"tenant_id": session.tenant_id, "locale": locale, "context": context, "english": english, "forms": [*forms]}
    if forms:
        await session.execute(repository.SAVE, row)
    else:
        await session.execute(repository.RESET, where)
    details = {"language": locale, "text": english, "words": " · ".join(forms)}
    await audit.record(session, ctx, "wording.changed", "tenant", session.tenant_id, details)
