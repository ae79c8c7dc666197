"""The platform's own pages: the landing page, and what problem types mean."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from asyncpg import Connection
from visitors import read

import regulars
from regulars.contracts.errors import ConfigurationError, RegularsError
from regulars.testing.web import WebServer
from regulars.testing.world import World
from regulars.web.site.problem_types import problem_type, problem_types

SOURCES = Path(regulars.__file__).parent


async def test_the_landing_page_says_what_there_is(web: WebServer, cafe: World, pizza: World, sql: Connection) -> None:
    await sql.execute("""UPDATE core.tenant SET branding = '{"tagline": "La vera pizza"}' WHERE slug = 'pizza'""")
    page = read(await web.at("localhost").get("/"))
    assert "Turn customers into regulars." in page.text
    assert "La vera pizza" in page.text
    assert {f"http://{cafe.host}:8000/", f"http://{pizza.host}:8000/"} <= set(page.links)
    for words in ("Shops", "Programs", "Stamp cards", "API access", "Everything"):
        assert words in page.text


async def test_sandboxes_and_closed_merchants_are_not_shown(
    web: WebServer, cafe: World, pizza: World, sql: Connection
) -> None:
    await sql.execute("UPDATE core.tenant SET status = 'suspended' WHERE slug = 'cafe'")
    await sql.execute("UPDATE core.tenant SET live_tenant_id = $1 WHERE slug = 'pizza'", cafe.tenant.id)
    page = read(await web.at("localhost").get("/"))
    assert not [link for link in page.links if cafe.host in link or pizza.host in link]


async def test_a_platform_without_anything_has_a_landing_page(web: WebServer) -> None:
    assert "Turn customers into regulars." in read(await web.at("localhost").get("/")).text


@pytest.mark.parametrize("host", ["localhost", "console.localhost", "cafe.localhost"])
async def test_every_problem_type_is_explained_on_every_host(web: WebServer, cafe: World, host: str) -> None:
    visitor = web.at(host)
    index = read(await visitor.get("/problems"))
    for one in problem_types():
        assert f"/problems/{one.code}" in index.links
        page = read(await visitor.get(f"/problems/{one.code}"))
        assert one.code in page.text
        assert one.title in page.text
        assert one.meaning
    assert "retry_at" in read(await visitor.get("/problems/antifraud.cooldown")).text
    assert (await visitor.get("/problems/antifraud.")).status_code == 404
    assert (await visitor.get("/problems/nobody.knows")).status_code == 404
    assert (await visitor.get("/problems/nonsense")).status_code == 404


def test_all_errors_and_refusals_are_there(registry: object) -> None:
    known = {one.code for one in problem_types()}
    assert codes_of_errors() <= known
    assert codes_of_refusals() == {code for code in known if "." in code}
    found = problem_type(registry, "stamps.too_many")  # type: ignore[arg-type]
    assert found is not None
    assert found.plugin == "Stamp cards"


def codes_of_errors() -> set[str]:
    """Codes of all errors that the host can raise at a visitor."""

    def below(kind: type[RegularsError]) -> set[type[RegularsError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    return {kind.code for kind in below(RegularsError) - below(ConfigurationError)}


def codes_of_refusals() -> set[str]:
    """Codes of all refusals that stand in the host's sources."""
    return {
        node.args[0].value
        for path in (SOURCES / "domain").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Refusal"
        and isinstance(node.args[0], ast.Constant)
    }
