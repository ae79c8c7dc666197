"""Own words: the list of texts in one language, and one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.contracts.paging import Paged
from regulars.domain.wording import service
from regulars.domain.wording.notation import shown
from regulars.kernel.i18n import Phrase, Wording, language_name
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n.wording import numbers_of_forms
from regulars.kernel.templating.chrome import Link
from regulars.web.again import FORM, TryAgain
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.manage.languages import PERMISSION, WORDING_URL
from regulars.web.manage.phrases import is_for_customers, key_of, phrases_of
from regulars.web.results import Redirect, Result
from regulars.web.work import Work

Show = Literal["customers", "own", "all"]


class WordingQuery(ListQuery):
    """Which texts are wanted."""

    language: str = Field(default="", max_length=20)
    show: Show = "customers"

    def kept(self, **changes: str) -> dict[str, str]:
        """Everything but the page, for addresses."""
        show = "" if self.show == "customers" else self.show
        return {"language": self.language, "q": self.q, "show": show, **changes}


class TextQuery(BaseModel):
    """Which text, in which language."""

    language: str = Field(default="", max_length=20)
    key: str = Field(default="", max_length=16)


@dataclass(frozen=True, slots=True)
class TextRow:
    """A text: ours, and the own words, empty without."""

    ours: Sequence[str]
    own: Sequence[str]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingPage(PageContext):
    """The list.

    Attributes:
        language: its name.
        filters: what customers read, own words, everything.
        kept: language and filter, for the search box.
        word_url: where a word is replaced everywhere.
        menu: what else can be done with the own words; nothing without any.
    """

    template: ClassVar[str] = "manage/wording.html"
    language: str
    rows: Sequence[TextRow]
    pager: Pager
    query: WordingQuery
    filters: Sequence[Link]
    kept: Mapping[str, str]
    word_url: str
    menu: Sequence[Link]


@dataclass(frozen=True, slots=True)
class FormField:
    """One form of a text.

    Attributes:
        label: which numbers it is for, empty where there is only one form.
        ours: the standard text.
        error: a sentence, empty when all is well.
    """

    name: str
    label: str
    ours: str
    value: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPage(PageContext):
    """One text in own words.

    Attributes:
        english: the source, empty in English.
        error: what is wrong with the whole.
    """

    template: ClassVar[str] = "manage/wording_text.html"
    language: str
    english: str
    fields: Sequence[FormField]
    action: str
    list_url: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPage(PageContext):
    """Asks before all own words of a language go."""

    template: ClassVar[str] = "manage/wording_reset.html"
    language: str
    action: str
    list_url: str


@blueprint.get("/languages/wording")
@manage_page(PERMISSION)
async def wording_list(work: Work) -> Result:
    """A page of the list."""
    query = work.query(WordingQuery)
    if not query.language:
        return Redirect(url_of(WORDING_URL, query.kept(language=work.ctx.tenant.default_locale)))
    phrases, own = await phrases_of(work, query.language), await service.own_words(work.session, query.language)
    found = [one for one in phrases if _is_wanted(one, own, query)]
    request = query.request()
    paged = Paged(found[request.offset : request.offset + request.size], len(found), request)
    if beyond := beyond_url(paged, WORDING_URL, query.kept()):
        return Redirect(beyond)
    language = {"language": query.language}
    return WordingPage(
        language=language_name(query.language),
        rows=[
            TextRow(_shown(one.forms), _shown(own.get(_id(one), ())), _text_url(query.language, one))
            for one in paged.items
        ],
        pager=make_pager(paged, WORDING_URL, query.kept()),
        query=query,
        filters=_filters(query),
        kept={name: value for name, value in query.kept(q="").items() if value},
        word_url=url_of(f"{WORDING_URL}/word", language),
        menu=_menu(language) if own else (),
    )


@blueprint.get("/languages/wording/export")
@manage_page(PERMISSION)
async def export_wording(work: Work) -> Response:
    """The own words of a language as a file."""
    query = work.query(TextQuery)
    phrases, own = await phrases_of(work, query.language), await service.own_words(work.session, query.language)
    said = [(one, own[_id(one)]) for one in phrases if _id(one) in own]

    async def lines() -> AsyncIterator[Sequence[str]]:
        yield [_("Standard text"), _("Your words")]
        for phrase, words in said:
            for ours, form in zip(phrase.forms, words, strict=False):
                yield [shown(ours), shown(form)]

    return csv_response(lines(), f"{work.ctx.tenant.slug}-wording-{query.language}.csv")


@blueprint.get("/languages/wording/text")
@manage_page(PERMISSION)
async def text_form(work: Work) -> Result:
    """One text, with what is said now."""
    query = work.query(TextQuery)
    phrase = await find_phrase(work, query.language, query.key)
    own = await service.own_words(work.session, query.language)
    return _text_page(query.language, phrase, own.get(_id(phrase), ()), {})


@blueprint.post("/languages/wording/text")
@manage_page(PERMISSION)
async def change_text(work: Work) -> Result:
    """Say it in own words; in ours when all is left empty."""
    query = work.query(TextQuery)
    phrase = await find_phrase(work, query.language, query.key)
    sent = await work.request.form
    forms = tuple(sent.get(f"form{number}", "") for number in range(len(phrase.forms)))
    try:
        await service.save(work.session, work.ctx, query.language, [service.Proposal(phrase, forms)])
    except InvalidInput as error:
        faults = error.fields or {FORM: error.detail}
        raise TryAgain(work, _text_page(query.language, phrase, forms, faults)) from error
    renew(work)
    work.flash(_("Saved. Your customers see it at once."))
    return Redirect(url_of(WORDING_URL, {"language": query.language, "show": "own"}))


@blueprint.get("/languages/wording/reset")
@manage_page(PERMISSION)
async def reset_wording_form(work: Work) -> Result:
    """Ask."""
    language = work.query(TextQuery).language
    await phrases_of(work, language)
    address = {"language": language}
    return ResetPage(
        language=language_name(language),
        action=url_of(f"{WORDING_URL}/reset", address),
        list_url=url_of(WORDING_URL, address),
    )


@blueprint.post("/languages/wording/reset")
@manage_page(PERMISSION)
async def reset_wording(work: Work) -> Result:
    """Say everything in our words again."""
    language = work.query(TextQuery).language
    await phrases_of(work, language)
    await service.reset(work.session, work.ctx, language)
    renew(work)
    work.flash(_("Everything is said in the standard words again."))
    return Redirect(url_of(WORDING_URL, {"language": language}))


async def find_phrase(work: Work, locale: str, key: str) -> Phrase:
    """The text of a key.

    Raises:
        NotFound: there is none in this tenant and language.
    """
    found = next((one for one in await phrases_of(work, locale) if key_of(one) == key), None)
    if found is None:
        raise NotFound
    return found


def _shown(forms: Sequence[str]) -> list[str]:
    return [shown(form) for form in forms]


def _id(phrase: Phrase) -> tuple[str, str]:
    return phrase.context, phrase.english[0]


def _text_url(locale: str, phrase: Phrase) -> str:
    return url_of(f"{WORDING_URL}/text", {"language": locale, "key": key_of(phrase)})


def _is_wanted(phrase: Phrase, own: Wording, query: WordingQuery) -> bool:
    words = own.get(_id(phrase), ())
    if (query.show == "own" and not words) or (query.show == "customers" and not is_for_customers(phrase)):
        return False
    sought = query.q.strip().casefold()
    return any(sought in shown(text).casefold() for text in (*phrase.forms, *words, *phrase.english))


def _filters(query: WordingQuery) -> list[Link]:
    choices: tuple[tuple[Show, str], ...] = (
        ("customers", _("What customers read")),
        ("own", _("Your words")),
        ("all", _("Everything")),
    )
    return [
        Link(
            label=label,
            url=url_of(WORDING_URL, query.kept(show="" if show == "customers" else show)),
            active=query.show == show,
        )
        for show, label in choices
    ]


def _menu(language: Mapping[str, str]) -> Sequence[Link]:
    return (
        Link(label=_("Export"), url=url_of(f"{WORDING_URL}/export", language), icon="download"),
        Link(
            label=_("Use the standard words everywhere"),
            url=url_of(f"{WORDING_URL}/reset", language),
            icon="undo-2",
            danger=True,
        ),
    )


def _text_page(locale: str, phrase: Phrase, forms: Sequence[str], faults: Mapping[str, str]) -> TextPage:
    counted = len(phrase.forms) > 1
    numbers = numbers_of_forms(locale) if counted else [()]
    fields = [
        FormField(
            name=f"form{number}",
            label=_("For %(numbers)s", numbers=", ".join(map(str, examples))) if counted else "",
            ours=shown(phrase.forms[number]),
            value=shown(forms[number]) if number < len(forms) else "",
            error=faults.get(f"0.{number}", ""),
        )
        for number, examples in enumerate(numbers)
    ]
    return TextPage(
        language=language_name(locale),
        english="" if phrase.forms == phrase.english else shown(phrase.english[-1]),
        fields=fields,
        action=_text_url(locale, phrase),
        list_url=url_of(WORDING_URL, {"language": locale}),
        error=faults.get(FORM, ""),
    )
