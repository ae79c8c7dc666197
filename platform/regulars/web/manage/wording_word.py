"""One word in all texts, “Stempel” to “Bohne”: each sentence is shown before it is saved and can be bent by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.wording import service
from regulars.domain.wording.notation import shown
from regulars.domain.wording.service import Proposal
from regulars.kernel.i18n import Phrase, language_name, ngettext
from regulars.kernel.i18n.upkeep import placeholders
from regulars.web.again import FORM, TryAgain
from regulars.web.lists import url_of
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.manage.languages import PERMISSION, WORDING_URL
from regulars.web.manage.phrases import is_for_customers, key_of, phrases_of
from regulars.web.results import Redirect, Result
from regulars.web.work import Work

MOST = 60
"""Texts on the page; a word that more have is no word for a thing."""


class WordQuery(BaseModel):
    """Which word becomes which; the forms for many are optional."""

    language: str = Field(default="", max_length=20)
    one: str = Field(default="", max_length=60)
    own_one: str = Field(default="", max_length=60)
    many: str = Field(default="", max_length=60)
    own_many: str = Field(default="", max_length=60)


@dataclass(frozen=True, slots=True)
class WordRow:
    """A text that has the word.

    Attributes:
        key: of the text; its fields are `<key>.<number of the form>`, its tick is `use`.
        forms: (field, standard text, proposed text, error) of each form.
        use: whether it is ticked.
    """

    key: str
    forms: Sequence[tuple[str, str, str, str]]
    use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPage(PageContext):
    """The word, and every text that has it.

    Attributes:
        more: how many further texts have it that are not shown.
    """

    template: ClassVar[str] = "manage/wording_word.html"
    language: str
    query: WordQuery
    rows: Sequence[WordRow]
    more: int
    action: str
    list_url: str
    errors: Mapping[str, str] = field(default_factory=dict)


@blueprint.get("/languages/wording/word")
@manage_page(PERMISSION)
async def word_form(work: Work) -> Result:
    """Ask for the word, and propose each text with the other one in its place."""
    query = work.query(WordQuery)
    found = await _texts_with(work, query)
    own = await service.own_words(work.session, query.language)
    rows = []
    for phrase in found[:MOST]:
        now = own.get((phrase.context, phrase.english[0]), phrase.forms)
        proposed = _proposed(phrase, now, query)
        rows.append(_row(phrase, proposed, {}, use=proposed != tuple(now)))
    return _page(query, rows, len(found) - len(rows))


@blueprint.post("/languages/wording/word")
@manage_page(PERMISSION)
async def replace_word(work: Work) -> Result:
    """Save the texts that are ticked, as they were sent."""
    query, sent = work.query(WordQuery), await work.request.form
    found = await _texts_with(work, query)
    ticked = set(sent.getlist("use"))
    typed = {phrase: _sent_forms(phrase, sent) for phrase in found[:MOST]}
    chosen = [phrase for phrase in typed if key_of(phrase) in ticked]
    try:
        changed = await service.save(
            work.session, work.ctx, query.language, [Proposal(phrase, typed[phrase]) for phrase in chosen]
        )
    except InvalidInput as error:
        faults = error.fields or {FORM: error.detail}
        rows = [
            _row(phrase, forms, _faults_at(chosen, phrase, faults), use=phrase in chosen)
            for phrase, forms in typed.items()
        ]
        raise TryAgain(work, _page(query, rows, len(found) - len(rows), faults)) from error
    renew(work)
    work.flash(ngettext("%(num)s text was changed.", "%(num)s texts were changed.", changed))
    return Redirect(url_of(WORDING_URL, {"language": query.language, "show": "own"}))


async def _texts_with(work: Work, query: WordQuery) -> list[Phrase]:
    """What customers read that has the word, also inside another word; nothing without a word."""
    phrases, words = await phrases_of(work, query.language), _words(query)
    return [
        one
        for one in phrases
        if is_for_customers(one) and any(word.casefold() in form.casefold() for word in words for form in one.forms)
    ]


def _words(query: WordQuery) -> list[str]:
    return [word for word in (query.one.strip(), query.many.strip()) if word]


def _proposed(phrase: Phrase, now: Sequence[str], query: WordQuery) -> tuple[str, ...]:
    """Each form with the other word; a text with a number in it, and all forms but the first, take that for many."""
    counted = len(phrase.forms) > 1
    many = [(counted and number > 0) or (not counted and bool(placeholders(form))) for number, form in enumerate(now)]
    return tuple(_replaced(form, query, is_many) for form, is_many in zip(now, many, strict=True))


def _replaced(text: str, query: WordQuery, is_many: bool) -> str:
    one, many = query.own_one.strip(), query.own_many.strip() or query.own_one.strip()
    same = query.one.strip().casefold() == (query.many.strip() or query.one.strip()).casefold()
    pairs = {query.many.strip(): many, query.one.strip(): many if same and is_many else one}
    for word, own in pairs.items():
        text = _put(text, word, own) if word and own else text
    return text


def _put(text: str, word: str, own: str) -> str:
    """Put the own word where the other one stands by itself, with a capital where that has one."""

    def with_its_capital(found: re.Match[str]) -> str:
        return own[:1].upper() + own[1:] if found[0][:1].isupper() else own

    return re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", with_its_capital, text, flags=re.IGNORECASE)


def _sent_forms(phrase: Phrase, sent: Mapping[str, str]) -> tuple[str, ...]:
    key = key_of(phrase)
    return tuple(sent.get(f"{key}.{number}", "") for number in range(len(phrase.forms)))


def _faults_at(chosen: Sequence[Phrase], phrase: Phrase, faults: Mapping[str, str]) -> dict[int, str]:
    if phrase not in chosen:
        return {}
    start = f"{chosen.index(phrase)}."
    return {int(name.removeprefix(start)): sentence for name, sentence in faults.items() if name.startswith(start)}


def _row(phrase: Phrase, forms: Sequence[str], faults: Mapping[int, str], *, use: bool) -> WordRow:
    key = key_of(phrase)
    fields = [
        (f"{key}.{number}", shown(ours), shown(forms[number]), faults.get(number, ""))
        for number, ours in enumerate(phrase.forms)
    ]
    return WordRow(key, fields, use)


def _page(query: WordQuery, rows: Sequence[WordRow], more: int, errors: Mapping[str, str] | None = None) -> WordPage:
    return WordPage(
        language=language_name(query.language),
        query=query,
        rows=rows,
        more=more,
        action=url_of(f"{WORDING_URL}/word", query.model_dump()),
        list_url=url_of(WORDING_URL, {"language": query.language}),
        errors=errors or {},
    )
