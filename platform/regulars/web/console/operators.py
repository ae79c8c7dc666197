"""Operators, and the API keys of the one who is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.operators import service
from regulars.domain.operators.service import KeyInfo, OperatorInfo
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.console.blueprint import blueprint, operator_page
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words
from regulars.web.work import ConsoleWork, read_id

LIST = "/operators"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key of the reader's own, in words."""

    key: KeyInfo
    url: str
    made: str
    revoked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorsPage(PageContext):
    """All operators, and the reader's keys.

    Attributes:
        me: id of the reader.
        name: of a new key, as typed before.
        error: what is wrong with it, empty at first.
    """

    template: ClassVar[str] = "console/operators.html"
    operators: Sequence[OperatorInfo]
    me: UUID | None
    keys: Sequence[KeyRow]
    name: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShownPage(PageContext):
    """A new key, for the only time."""

    template: ClassVar[str] = "console/key_shown.html"
    name: str
    key: str
    base_url: str


class KeyForm(BaseModel):
    """What a key is for."""

    name: str = Field(default="", max_length=500)


@blueprint.get("/operators")
@operator_page
async def operator_list(work: ConsoleWork) -> Result:
    """The list."""
    return await _page(work)


@blueprint.post("/operators/keys")
@operator_page
async def create_key(work: ConsoleWork) -> Result:
    """Make a key and show it once."""
    name = ((await work.form(KeyForm)).data or KeyForm()).name
    try:
        created = await service.create_key(work.session, work.actor, name)
    except InvalidInput as error:
        raise TryAgain(work, await _page(work, name, faults_of(error).get("name", error.detail))) from error
    config = work.services.config
    return KeyShownPage(name=name, key=created.key, base_url=config.url(config.console_host, "/api/v1/admin/loyalty"))


@blueprint.post("/operators/keys/<key>/revoke")
@operator_page
async def revoke_key(work: ConsoleWork, key: str) -> Result:
    """End a key of the reader's own."""
    await service.revoke_key(work.session, work.actor, read_id(ids.API_KEY, key))
    work.flash(_("The key does not work any more."))
    return Redirect(LIST)


async def _page(work: ConsoleWork, name: str = "", error: str = "") -> OperatorsPage:
    me = work.principal.id
    keys = await service.list_keys(work.session, me) if me is not None else []
    return OperatorsPage(
        operators=await service.list_operators(work.session),
        me=me,
        keys=[
            KeyRow(
                key,
                f"{LIST}/keys/{ids.show(ids.API_KEY, key.id)}",
                moment_words(key.created_at),
                moment_words(key.revoked_at) if key.revoked_at else "",
            )
            for key in keys
        ],
        name=name,
        error=error,
    )
