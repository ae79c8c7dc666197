"""The customer's part of a tenant's host, and the door of its pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec

from quart import Blueprint, Response

from regulars.web.again import forgiving
from regulars.web.areas import PORTAL
from regulars.web.toolkit import View, page

P = ParamSpec("P")

blueprint = Blueprint(PORTAL.name, __name__, subdomain=PORTAL.host)


def open_page(view: View[P]) -> Callable[P, Awaitable[Response]]:
    """Make a view of a page that everybody may see; it may raise `TryAgain`."""
    return forgiving(page()(view))


def member_page(view: View[P]) -> Callable[P, Awaitable[Response]]:
    """Make a view of a signed-in member's page; it may raise `TryAgain`."""
    return forgiving(page(audience="member")(view))
