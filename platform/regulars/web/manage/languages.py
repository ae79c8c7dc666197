"""Which languages the merchant's pages speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel

from regulars.contracts.errors import InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.tenants.self_service import set_languages
from regulars.domain.wording import service as wording
from regulars.kernel.i18n import LANGUAGES, language_name
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.lists import url_of
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.results import Redirect, Result
from regulars.web.work import Work

LANGUAGES_URL = "/manage/languages"
WORDING_URL = f"{LANGUAGES_URL}/wording"
PERMISSION = wording.PERMISSION


@dataclass(frozen=True, slots=True)
class LanguageRow:
    """A language to choose.

    Attributes:
        on: whether the pages speak it.
        url: of the own words in it, empty for one that is off.
        texts: how many there are.
    """

    code: str
    name: str
    on: bool
    url: str
    texts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguagesPage(PageContext):
    """The languages, and the way to the own words in each.

    Attributes:
        default: the language for whoever wants none of them.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/languages.html"
    rows: Sequence[LanguageRow]
    default: str
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def choices(self) -> Sequence[tuple[str, str]]:
        """(code, name) of the languages that the default can be."""
        return [(row.code, row.name) for row in self.rows]


class LanguagesForm(BaseModel):
    """The default; the languages themselves are ticked one by one."""

    default: str = ""


@blueprint.get("/languages")
@manage_page(PERMISSION)
async def languages(work: Work) -> Result:
    """Show what is spoken."""
    tenant = work.ctx.tenant
    return await _page(work, tenant.locales, tenant.default_locale)


@blueprint.post("/languages")
@manage_page(PERMISSION)
async def change_languages(work: Work) -> Result:
    """Speak others."""
    wanted = (await work.form(LanguagesForm)).data or LanguagesForm()
    ticked = (await work.request.form).getlist("language")
    spoken = tuple(code for code in _offered(work) if code in ticked)
    try:
        if not spoken:
            sentence = _("Choose one of the languages.")
            raise InvalidInput(sentence, fields={"locales": sentence})
        await set_languages(work.session, work.ctx, spoken, wanted.default)
    except InvalidInput as error:
        raise TryAgain(work, await _page(work, spoken, wanted.default, faults_of(error))) from error
    renew(work)
    work.flash(_("Saved. Your customers see it at once."))
    return Redirect(LANGUAGES_URL)


async def _page(
    work: Work, spoken: Sequence[str], default: str, errors: Mapping[str, str] | None = None
) -> LanguagesPage:
    texts = await wording.counts(work.session)
    rows = [
        LanguageRow(
            code=code,
            name=language_name(code),
            on=code in spoken,
            url=url_of(WORDING_URL, {"language": code}) if code in work.ctx.tenant.locales else "",
            texts=texts.get(code, 0),
        )
        for code in _offered(work)
    ]
    return LanguagesPage(rows=rows, default=default, errors=errors or {})


def _offered(work: Work) -> Sequence[str]:
    """Ours, and those that somebody else has given the tenant."""
    return (*LANGUAGES, *(code for code in work.ctx.tenant.locales if code not in LANGUAGES))
