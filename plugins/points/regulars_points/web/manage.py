"""The merchant's page of the plugin: the rules in plain sentences, and what is owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regulars.sdk import PageContext
from regulars.sdk.i18n import format_money
from regulars.sdk.web import Blueprint, Result, Work, page
from regulars_points import queries, texts
from regulars_points.settings import settings_of

bp = Blueprint("points", __name__)


@dataclass(frozen=True, slots=True)
class ProgramPoints:
    """A program that gives points.

    Attributes:
        rules: in plain sentences.
        out: points on its cards, in words.
        worth: the same in money, empty where nobody said what points are worth.
    """

    name: str
    rules: Sequence[str]
    out: str
    worth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesPage(PageContext):
    """Every program that gives points.

    Attributes:
        programs: in their order.
    """

    template: ClassVar[str] = "points/manage/rules.html"
    programs: Sequence[ProgramPoints]


@bp.get("/")
@page(audience="staff", permission="points.view")
async def rules(work: Work) -> Result:
    """The rules of all programs."""
    out = await queries.points_out(work.session)
    shops = await queries.shop_names(work.session.tenant_id, work.session.rows)
    found = []
    for one in await work.rules("points"):
        if one.program.kind == "stamps":
            continue
        settings, points = settings_of(one.settings), out.get(one.program.id, 0)
        hundred = settings.hundred_worth_minor
        worth = "" if hundred is None else format_money(points * hundred // 100, one.program.currency)
        sentences = tuple(texts.rules(settings, one.program.currency, shops))
        found.append(ProgramPoints(one.program.name, sentences, texts.amount(points), worth))
    return RulesPage(programs=found)
