"""Rules tried on the program's own past sales: begun from the test of the form, watched, cancelled, exported."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.ledger.history import words_of
from regulars.domain.programs.service import Program
from regulars.domain.trials import service as trials
from regulars.domain.trials.draft import Changes, changes_of
from regulars.domain.trials.service import BackTest, Mover
from regulars.kernel import ids
from regulars.kernel.i18n import format_money, format_month, format_number
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain
from regulars.web.exports import csv_response
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.news import member_url
from regulars.web.manage.program import chosen_program, program_page, program_url
from regulars.web.manage.program_form import HOST, plugin_settings, read_program_form
from regulars.web.manage.trial import back_test_url, trial_page
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_title
from regulars.web.work import Work, read_id


class BackTestForm(BaseModel):
    """How far back."""

    days: int = Field(default=90, alias="_back.days")


@dataclass(frozen=True, slots=True)
class MoverRow:
    """Somebody who would gain or lose.

    Attributes:
        change: with its sign.
    """

    name: str
    url: str
    old: int
    new: int
    change: str


@dataclass(frozen=True, slots=True)
class UnitPart:
    """What it comes to in one unit.

    Attributes:
        old, new: in words, as the rules gave it and as they would.
        change: with its sign.
        old_cost, new_cost, cost_change: in money, empty where nobody has said what the unit is worth.
        gain, lose, same: cards.
        gainers, losers: who gains and loses most.
    """

    title: str
    old: str
    new: str
    change: str
    old_cost: str
    new_cost: str
    cost_change: str
    gain: int
    lose: int
    same: int
    gainers: Sequence[MoverRow]
    losers: Sequence[MoverRow]
    series: Sequence[str]
    months: Sequence[Sequence[str | int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTestPage(PageContext):
    """A back-test, at work or done.

    Attributes:
        url: of this page.
        program_url: of the form.
        changed: titles of the extensions whose settings are tried.
        failed: title of the extension that failed, empty when none did.
        units: what it comes to, empty until it is done.
    """

    template: ClassVar[str] = "manage/back_test.html"
    url: str
    program_url: str
    test: BackTest
    changed: Sequence[str]
    failed: str
    units: Sequence[UnitPart]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTestProgress(BackTestPage):
    """The same, without the frame: a page that is open fetches it again."""

    template: ClassVar[str] = "manage/back_test_part.html"


@blueprint.post("/program/back-tests")
@manage_page("programs.manage")
async def begin_back_test(work: Work) -> Result:
    """Begin; the program's form comes along as it is, or not at all."""
    program = await chosen_program(work)
    sent = (await work.request.form).to_dict()
    changes: Changes = {}
    if f"{HOST}name" in sent:
        read = await read_program_form(work, program, sent)
        if read.errors:
            raise TryAgain(work, await program_page(work, program, sent, read.errors))
        changes = changes_of(await plugin_settings(work, program.info), read.settings)
    form = await work.form(BackTestForm)
    try:
        found = await trials.begin(work.session, work.ctx, program.id, changes, form.require().days)
    except (Conflict, InvalidInput) as error:
        raise TryAgain(work, await trial_page(work, program, sent, {"_back.days": error.detail})) from error
    return Redirect(back_test_url(found))


@blueprint.get("/program/back-tests/<back_test>")
@manage_page("programs.manage")
async def show_back_test(work: Work, back_test: str) -> Result:
    """How far it is, or what it came to."""
    return BackTestPage(**await _shown(work, back_test))


@blueprint.get("/program/back-tests/<back_test>/progress")
@manage_page("programs.manage")
async def back_test_progress(work: Work, back_test: str) -> Result:
    """The same for a page that is open."""
    return BackTestProgress(**await _shown(work, back_test))


@blueprint.post("/program/back-tests/<back_test>/cancel")
@manage_page("programs.manage")
async def cancel_back_test(work: Work, back_test: str) -> Result:
    """End it; it has changed nothing, so nothing is asked."""
    key = read_id(ids.BACK_TEST, back_test)
    await trials.cancel(work.session, work.ctx, key)
    return Redirect(back_test_url(key))


@blueprint.get("/program/back-tests/<back_test>/export")
@manage_page("programs.manage")
async def export_back_test(work: Work, back_test: str) -> Result:
    """Months and units as a file."""
    test = await trials.get(work.session, work.ctx, read_id(ids.BACK_TEST, back_test))
    return csv_response(_lines(test, await _program(work, test)), f"{work.ctx.tenant.slug}-back-test.csv")


async def _lines(test: BackTest, program: Program) -> AsyncIterator[Sequence[str]]:
    yield [
        _("Month"),
        _("Sales"),
        _("Unit"),
        _("Given"),
        _("Would be given"),
        _("Cost"),
        _("Would cost"),
        _("Currency"),
    ]
    result = test.result or {"months": (), "worth": {}}
    for month, sales, units in result["months"]:
        for unit, pair in units.items():
            costs = [_cost(amount, worth) for amount, worth in zip(pair, _worth(result, unit), strict=True)]
            money = ["" if cost is None else str(cost) for cost in costs]
            yield [month, str(sales), unit, *map(str, pair), *money, program.currency]


async def _program(work: Work, test: BackTest) -> Program:
    return (await work.services.programs.programs(work.session, work.ctx.tenant)).get(test.program_id)


async def _shown(work: Work, back_test: str) -> Mapping[str, Any]:
    test = await trials.get(work.session, work.ctx, read_id(ids.BACK_TEST, back_test))
    program, plugins = await _program(work, test), work.services.plugins
    titles = {name: _(plugins.plugin(name).manifest.title) for name in plugins.names}
    units = test.result["units"] if test.result else {}
    return {
        "url": back_test_url(test.id),
        "program_url": program_url(program),
        "test": test,
        "changed": [titles.get(name, name) for name in test.changes],
        "failed": titles.get(test.problem, test.problem),
        "units": [await _unit(work, program, test, unit, found) for unit, found in units.items()],
    }


async def _unit(work: Work, program: Program, test: BackTest, unit: str, found: Mapping[str, Any]) -> UnitPart:
    assert test.result is not None
    words = words_of(work.services.plugins, unit)
    amounts = [found["old"], found["new"]]
    costs = [_cost(amount, worth) for amount, worth in zip(amounts, _worth(test.result, unit), strict=True)]
    money = ["" if cost is None else format_money(cost, program.currency) for cost in costs]
    difference = costs[1] - costs[0] if costs[0] is not None and costs[1] is not None else None
    return UnitPart(
        title=unit_title(work, unit),
        old=words.amount(amounts[0]) if words else format_number(amounts[0]),
        new=words.amount(amounts[1]) if words else format_number(amounts[1]),
        change=_signed(amounts[1] - amounts[0]),
        old_cost=money[0],
        new_cost=money[1],
        cost_change="" if difference is None else _sign(difference) + format_money(abs(difference), program.currency),
        gain=found["gain"],
        lose=found["lose"],
        same=test.result["cards"] - found["gain"] - found["lose"],
        gainers=[_mover(one) for one in await trials.movers(work.session, found["gainers"])],
        losers=[_mover(one) for one in await trials.movers(work.session, found["losers"])],
        series=(_("Month"), _("Given"), _("Would be given")),
        months=[
            (format_month(date.fromisoformat(f"{month}-01")), *units.get(unit, (0, 0)))
            for month, _sales, units in test.result["months"]
        ],
    )


def _mover(one: Mover) -> MoverRow:
    return MoverRow(one.name, member_url(one.member_id), one.old, one.new, _signed(one.new - one.old))


def _worth(result: Mapping[str, Any], unit: str) -> Sequence[Sequence[int] | None]:
    found: Sequence[Sequence[int] | None] = result["worth"].get(unit, (None, None))
    return found


def _cost(amount: int, worth: Sequence[int] | None) -> int | None:
    """Minor units of money, to the nearest; `None` where the unit's worth is not known."""
    return None if worth is None else round(amount * Fraction(worth[0], worth[1]))


def _signed(number: int) -> str:
    return _sign(number) + format_number(abs(number))


def _sign(number: int) -> str:
    return "+" if number > 0 else "−" if number < 0 else ""
