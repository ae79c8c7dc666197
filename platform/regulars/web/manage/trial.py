"""Testing rules before they hold: a typed-in sale, judged by what is saved or by the form that is not saved yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from regulars.contracts.pages import PageContext
from regulars.domain.programs.service import Program
from regulars.domain.trials.draft import changes_of
from regulars.domain.trials.dry_run import Trial, try_sale
from regulars.domain.trials.service import Brief, Status, latest
from regulars.kernel import ids
from regulars.kernel.i18n import format_date
from regulars.kernel.i18n import gettext as _
from regulars.kernel.settings import FormField
from regulars.kernel.templating.chrome import Link
from regulars.web.again import TryAgain
from regulars.web.lists import url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.program import PATH, chosen_program, program_page, program_url
from regulars.web.manage.program_form import HOST, ReadForm, Sent, plugin_settings, read_program_form
from regulars.web.manage.trial_form import PREFIX, read_trial, summary, trial_fields
from regulars.web.results import Result
from regulars.web.work import Work

TEST, BACK_TESTS = f"{PATH}/test", f"{PATH}/back-tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPage(PageContext):
    """A sale to try, and what came of it.

    Attributes:
        url: of this page.
        program_url: of the form.
        fields: of the sale, by name.
        sent: the program's form as it was typed, to be sent again; empty for what is saved.
        changed: titles of the parts of the form that are not saved yet.
        summary: (full field name, the field's label and what is wrong with it).
        trial: the result, `None` before there is one.
        begin_url: where a test on past sales begins.
        back_tests: the last ones; the badge says how far they are.
    """

    template: ClassVar[str] = "manage/trial.html"
    url: str
    program_url: str
    program: Program
    fields: Mapping[str, FormField]
    sent: Sent
    changed: Sequence[str]
    summary: Sequence[tuple[str, str]]
    trial: Trial | None
    begin_url: str
    back_tests: Sequence[Link]


@blueprint.get("/program/test")
@manage_page("programs.manage")
async def trial_form(work: Work) -> Result:
    """An empty sale, for the rules in force."""
    return await trial_page(work, await chosen_program(work), {}, {})


@blueprint.post("/program/test")
@manage_page("programs.manage")
async def try_rules(work: Work) -> Result:
    """The program's form comes here as it is; sent from here it brings a sale."""
    program = await chosen_program(work)
    sent = (await work.request.form).to_dict()
    read = await read_program_form(work, program, sent) if _has_rules(sent) else None
    if read is not None and read.errors:
        raise TryAgain(work, await program_page(work, program, sent, read.errors))
    if sent.get("step") != "try":
        return await trial_page(work, program, sent, {}, read)
    sale, errors = await read_trial(work, program, sent)
    if sale is None:
        raise TryAgain(work, await trial_page(work, program, sent, errors, read))
    draft = read.settings if read is not None else {}
    trial = await try_sale(work.session, work.ctx, work.services.ledger, program.id, sale, draft)
    return await trial_page(work, program, sent, {}, read, trial)


def _has_rules(sent: Sent) -> bool:
    """Whether the program's form was sent; without it nothing of it counts, ticks least of all."""
    return f"{HOST}name" in sent


async def trial_page(
    work: Work,
    program: Program,
    sent: Sent,
    errors: Mapping[str, str],
    read: ReadForm | None = None,
    trial: Trial | None = None,
) -> TrialPage:
    """The page.

    Args:
        work: of the request.
        program: whose rules.
        sent: everything that was typed.
        errors: full field name → sentence.
        read: the program's form, when it came along.
        trial: the result.
    """
    typed = sent if sent.get("step") == "try" else None
    fields = await trial_fields(work, typed, errors)
    return TrialPage(
        url=trial_url(program),
        program_url=program_url(program),
        program=program,
        fields=fields,
        sent={name: text for name, text in sent.items() if name != "step" and not name.startswith(PREFIX)},
        changed=await _changed(work, program, read) if read is not None else (),
        summary=summary(fields, errors),
        trial=trial,
        begin_url=url_of(BACK_TESTS, {"program": ids.show(ids.PROGRAM, program.id)}),
        back_tests=[_line(one) for one in await latest(work.session, work.ctx, program.id)],
    )


def _line(one: Brief) -> Link:
    when = _("%(first)s to %(last)s", first=format_date(one.since), last=format_date(one.until))
    return Link(label=when, url=back_test_url(one.id), badge=status_words(one.status))


def status_words(status: Status) -> str:
    """How far a back-test is."""
    return {
        "waiting": _("Waiting"),
        "running": _("Running"),
        "done": _("Done"),
        "cancelled": _("Cancelled"),
        "failed": _("Failed"),
    }[status]


def back_test_url(key: UUID) -> str:
    """Address of a back-test."""
    return f"{BACK_TESTS}/{ids.show(ids.BACK_TEST, key)}"


async def _changed(work: Work, program: Program, read: ReadForm) -> Sequence[str]:
    live = await plugin_settings(work, program.info)
    plugins = work.services.plugins
    return [_(plugins.plugin(name).manifest.title) for name in changes_of(live, read.settings)]


def trial_url(program: Program) -> str:
    """Address of the test of a program."""
    return url_of(TEST, {"program": ids.show(ids.PROGRAM, program.id)})
