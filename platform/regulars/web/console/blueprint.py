"""The console's blueprint, the door of its pages, and what several of them ask for: a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, ParamSpec

from pydantic import BaseModel, Field
from quart import Blueprint

from regulars.contracts.errors import Conflict, InvalidInput
from regulars.contracts.pages import PageContext
from regulars.web.again import faults_of, forgiving
from regulars.web.areas import CONSOLE
from regulars.web.toolkit import ConsoleView, QuartView, console_page
from regulars.web.work import ConsoleWork

P = ParamSpec("P")

blueprint = Blueprint(CONSOLE.name, __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonPage(PageContext):
    """Says what an action means, and asks why.

    Attributes:
        title: a question or an imperative.
        crumbs: (label, address) from the top, the last address is empty.
        effects: what will happen, one sentence each.
        action: where the form is sent.
        cancel_url: where "Cancel" leads.
        confirm: text of the button.
        is_danger: whether the button warns.
        fields: sent along.
        reason: as typed before.
        error: what is wrong with it, empty at first.
    """

    template: ClassVar[str] = "console/reason.html"
    title: str
    crumbs: Sequence[tuple[str, str]]
    effects: Sequence[str]
    action: str
    cancel_url: str
    confirm: str
    is_danger: bool = True
    fields: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    error: str = ""


class ReasonForm(BaseModel):
    """Why something is done."""

    reason: str = Field(default="", max_length=2000)


def again(page: ReasonPage, reason: str, error: InvalidInput | Conflict) -> ReasonPage:
    """A page that asks why, with what was typed and what is wrong."""
    return replace(page, reason=reason, error=faults_of(error).get("reason", error.detail))


def operator_page(view: ConsoleView[P]) -> QuartView[P]:
    """Make a view for operators; it may raise `TryAgain`."""
    return forgiving(console_page()(view))


def renew(work: ConsoleWork) -> None:
    """Make this process look tenants up anew after the commit; the others hear of it from the database."""

    async def forget() -> None:
        work.services.snapshots.clear()

    work.later(forget)
