"""The till's part of a tenant's host, and the door of its pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec

from quart import Blueprint, Response

from regulars.web.again import forgiving
from regulars.web.areas import TERMINAL
from regulars.web.results import Redirect, Result
from regulars.web.terminal.desk import Desk, desk_of
from regulars.web.terminal.navigation import PLACE
from regulars.web.toolkit import page
from regulars.web.work import Work

P = ParamSpec("P")
DeskView = Callable[..., Awaitable[Result]]

blueprint = Blueprint(TERMINAL.name, __name__, url_prefix=TERMINAL.prefix, subdomain=TERMINAL.host)


def till_page(permission: str = "terminal.use") -> Callable[[DeskView], Callable[..., Awaitable[Response]]]:
    """Make a view `async (work, desk, **url_args)` of the till; it may raise `TryAgain`.

    A device that has not said in which of several shops it stands is asked first.

    Args:
        permission: what the signed-in staff member must be allowed to do.

    Returns:
        A decorator; the result is a Quart view.
    """

    def decorate(view: DeskView) -> Callable[..., Awaitable[Response]]:
        @wraps(view)
        async def run(work: Work, **arguments: str) -> Result:
            desk: Desk = await desk_of(work)
            if desk.shop is None and desk.shops:
                return Redirect(PLACE)
            return await view(work, desk, **arguments)

        return forgiving(page(audience="staff", permission=permission)(run))

    return decorate
