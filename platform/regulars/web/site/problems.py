"""Pages that explain problem types: the addresses in the `type` of problem documents lead here, on every host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from quart import Response
from quart.blueprints import BlueprintSetupState

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.ledger.problems import PROBLEM_TYPE_PREFIX
from regulars.kernel.i18n import gettext as _
from regulars.web.answers import HTML
from regulars.web.hosts import HOST_KINDS
from regulars.web.pages import render_page
from regulars.web.services import services
from regulars.web.site.blueprint import blueprint
from regulars.web.site.problem_types import ProblemType, problem_type, problem_types


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemPage(PageContext):
    """What one problem type means.

    Attributes:
        problem: the type.
        address: of this page, as it stands in problem documents.
    """

    template: ClassVar[str] = "site/problem.html"
    problem: ProblemType
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemsPage(PageContext):
    """All problem types.

    Attributes:
        problems: errors by status, then the refusals of the till.
        plugins: (name, title) of the extensions that may refuse with codes of their own.
    """

    template: ClassVar[str] = "site/problems.html"
    problems: Sequence[ProblemType]
    plugins: Sequence[tuple[str, str]]


async def problems() -> Response:
    """List all types."""
    plugins = [(plugin.name, _(plugin.manifest.title)) for plugin in services().plugins.plugins]
    return await _answer(ProblemsPage(problems=problem_types(), plugins=plugins))


async def problem(code: str) -> Response:
    """Explain one type."""
    found = problem_type(services().plugins, code)
    if found is None:
        raise NotFound
    return await _answer(ProblemPage(problem=found, address=f"{PROBLEM_TYPE_PREFIX}{found.code}"))


async def _answer(page: PageContext) -> Response:
    return Response(await render_page(page), content_type=HTML)


@blueprint.record
def _on_every_host(state: BlueprintSetupState) -> None:
    """Add the pages to all kinds of hosts: a problem's type is an address of the host that answered with it."""
    address = PROBLEM_TYPE_PREFIX.rstrip("/")
    for kind in HOST_KINDS:
        state.app.add_url_rule(address, f"problems_{kind}", problems, subdomain=kind)
        state.app.add_url_rule(f"{address}/<code>", f"problem_{kind}", problem, subdomain=kind)
