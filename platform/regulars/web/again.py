"""A form that cannot be accepted: nothing of it is kept; its page comes back with what was typed and what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from quart import Response

from regulars.contracts.errors import InvalidInput, RegularsError
from regulars.contracts.pages import PageContext
from regulars.web.answers import answer
from regulars.web.work import PlatformWork, Work

P = ParamSpec("P")
Page = TypeVar("Page", bound=PageContext)
_VARIANTS: dict[tuple[str, str, int], Any] = {}
FORM = ""
"""Key of what is wrong with a form as a whole."""


class TryAgain(Exception):
    """Raised by a view: rolls its work back and answers with the page, status 422.

    Args:
        work: of the view.
        page: with what was typed and the sentences.
    """

    status = 422

    def __init__(self, work: Work | PlatformWork, page: PageContext) -> None:
        super().__init__()
        self.work = work
        self.page = page


class Rehearsed(TryAgain):
    """Raised by a view that has done a thing only to see what it comes to: all of it is rolled back, the page says it.

    What is confirmed is so never reckoned in another way than it is done.
    """

    status = 200


def forgiving(view: Callable[P, Awaitable[Response]]) -> Callable[P, Awaitable[Response]]:
    """Answer `TryAgain` of a finished Quart view; stands outside of the unit of work."""

    @wraps(view)
    async def run(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return await view(*args, **kwargs)
        except TryAgain as refused:
            return await answer(with_status(refused.page, refused.status), refused.work)

    return run


def faults_of(error: RegularsError) -> Mapping[str, str]:
    """Field → sentence of a service's refusal; what belongs to no field stands under `FORM`."""
    if isinstance(error, InvalidInput) and error.fields:
        return error.fields
    return {FORM: error.detail or str(error)}


def with_status(page: Page, status: int) -> Page:
    """The same page, answered with another status.

    Args:
        page: any page.
        status: HTTP status.
    """
    values = {one.name: getattr(page, one.name) for one in fields(page)}
    return _variant(page, status)(**values)


def _variant(page: Page, status: int) -> Callable[..., Page]:
    """The page's class with another status, made once; one of the same name, so that themes and tests know it."""
    kind: Any = type(page)
    key = (kind.__module__, kind.__qualname__, status)
    if key not in _VARIANTS:
        _VARIANTS[key] = type(kind)(
            kind.__name__, (kind,), {"__slots__": (), "__doc__": kind.__doc__, "status": status}
        )
    found: Callable[..., Page] = _VARIANTS[key]
    return found
