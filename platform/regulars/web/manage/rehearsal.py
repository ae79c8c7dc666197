"""Before something is done to a card: it is done, looked at and taken back, and what it comes to is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.pages import PageContext
from regulars.web.rehearsal import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalPage(PageContext):
    """Says what will happen to one card or two, and asks.

    Attributes:
        title: what is done.
        crumbs: (label, address) of the pages above.
        changes: of balances; none when nothing changes.
        notes: sentences to know before.
        action: where the confirmation is sent to.
        fields: what is sent with it.
        confirm_label: what the button says.
        back_url: of the form.
    """

    template: ClassVar[str] = "manage/rehearsal.html"
    title: str
    crumbs: Sequence[tuple[str, str]]
    changes: Sequence[Change]
    notes: Sequence[str]
    action: str
    fields: Mapping[str, str | Sequence[str]]
    confirm_label: str
    back_url: str
