"""The merchant's part of a tenant's host, and the door of its pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from quart import Blueprint

from regulars.contracts.errors import NotFound
from regulars.web.again import forgiving
from regulars.web.areas import MANAGE
from regulars.web.results import Result
from regulars.web.toolkit import QuartView, View, page
from regulars.web.work import Work

P = ParamSpec("P")

blueprint = Blueprint(MANAGE.name, __name__)


def manage_page(
    permission: str | None, *, feature: str | None = None, transaction: bool = True
) -> Callable[[View[P]], QuartView[P]]:
    """Make a view of the merchant's pages; it may raise `TryAgain`.

    Args:
        permission: what the staff member must be allowed to do; `None` for all staff.
        feature: a feature without which the page does not exist; `None` for none.
        transaction: whether the view gets an open transaction; without, it opens its own.

    Returns:
        A decorator; the result is a Quart view.
    """

    def decorate(view: View[P]) -> QuartView[P]:
        @wraps(view)
        async def run(work: Work, /, *args: P.args, **kwargs: P.kwargs) -> Result:
            if feature is not None and not work.ctx.tenant.has(feature):
                raise NotFound
            return await view(work, *args, **kwargs)

        return forgiving(page(audience="staff", permission=permission, transaction=transaction)(run))

    return decorate


def renew(work: Work) -> None:
    """Make this process look the tenant up anew after the commit; the others hear of it from the database."""

    async def forget() -> None:
        work.services.snapshots.drop(work.ctx.tenant.id)

    work.later(forget)
