"""The OpenAPI document is complete and true, and what checks it against answers notices lies."""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from conftest import EVERYTHING

from regulars.testing.openapi import ApiContract, contract_of
from regulars.testing.web import WebServer
from regulars.testing.world import World
from regulars.web.api.toolkit import operation_of

DOCUMENT = "/api/openapi.json"
STORE = {
    "/api/v1/store/loyalty/program": {"get", "post", "patch"},
    "/api/v1/store/loyalty/program/changes": {"get", "post"},
    "/api/v1/store/loyalty/program/changes/{change_id}": {"delete"},
    "/api/v1/store/loyalty/programs/test": {"post"},
    "/api/v1/store/loyalty/stats": {"get"},
    "/api/v1/store/loyalty/cards": {"get"},
    "/api/v1/store/loyalty/cards/enroll": {"post"},
    "/api/v1/store/loyalty/pins": {"get", "post"},
    "/api/v1/store/loyalty/pins/{staff_id}": {"patch", "delete"},
    "/api/v1/store/loyalty/pins/{staff_id}/unlock": {"post"},
    "/api/v1/store/loyalty/sales/several": {"post"},
    "/api/v1/store/loyalty/sales/undo": {"post"},
    "/api/v1/store/loyalty/redemptions": {"get", "post"},
    "/api/v1/store/loyalty/redemptions/several": {"post"},
    "/api/v1/store/loyalty/redemptions/{redemption}": {"get"},
    "/api/v1/store/loyalty/redemptions/{redemption}/capture": {"post"},
    "/api/v1/store/loyalty/redemptions/{redemption}/release": {"post"},
    "/api/v1/store/loyalty/redemptions/{redemption}/fulfilment": {"post"},
    "/api/v1/store/loyalty/adjustments": {"get", "post"},
    "/api/v1/store/loyalty/adjustments/limit": {"put"},
    "/api/v1/store/loyalty/adjustments/{adjustment_id}": {"get"},
    "/api/v1/store/loyalty/adjustments/{adjustment_id}/approve": {"post"},
    "/api/v1/store/loyalty/adjustments/{adjustment_id}/refuse": {"post"},
    "/api/v1/store/loyalty/events": {"post"},
    "/api/v1/store/loyalty/transfers": {"post"},
    "/api/v1/store/loyalty/bills": {"post"},
    "/api/v1/store/loyalty/bills/{bill_id}/refund": {"post"},
    "/api/v1/store/loyalty/receipts": {"get", "post"},
    "/api/v1/store/loyalty/receipts/claim": {"post"},
    "/api/v1/store/loyalty/receipts/days": {"put"},
    "/api/v1/store/loyalty/members/merge": {"post"},
    "/api/v1/store/loyalty/members/merges/{merge_id}/undo": {"post"},
    "/api/v1/store/loyalty/members/{member_id}/merges": {"get"},
    "/api/v1/store/loyalty/households": {"get", "post"},
    "/api/v1/store/loyalty/households/size": {"put"},
    "/api/v1/store/loyalty/households/{household_id}": {"get"},
    "/api/v1/store/loyalty/households/{household_id}/leave": {"post"},
    "/api/v1/store/loyalty/refunds": {"get", "post"},
    "/api/v1/store/loyalty/refunds/{refund_id}": {"get"},
}
STAMPS = {"/api/v1/store/loyalty/stamp": {"post"}, "/api/v1/store/loyalty/stamp/redeem": {"post"}}
POINTS = {"/api/v1/store/loyalty/points": {"post"}, "/api/v1/store/loyalty/points/redeem": {"post"}}
TIERS = {"/api/v1/store/loyalty/tiers/ladders": {"get"}}
PROBE = {"/api/v1/store/loyalty/probe/echo": {"post"}, "/api/v1/storefront/loyalty/probe/hello": {"get"}}
PROMOTIONS = {
    "/api/v1/store/loyalty/promotions/": {"get"},
    "/api/v1/store/loyalty/promotions/participations": {"get"},
}
STOREFRONT = {
    "/api/v1/storefront/loyalty/card": {"get"},
    "/api/v1/storefront/loyalty/transactions": {"get"},
    "/api/v1/storefront/loyalty/enroll": {"post"},
}
ADMIN = {
    "/api/v1/admin/loyalty/programs": {"get"},
    "/api/v1/admin/loyalty/programs/{program_id}": {"get"},
    "/api/v1/admin/loyalty/stats": {"get"},
}


async def document(web: WebServer, host: str) -> dict[str, Any]:
    response = await web.at(host).get(DOCUMENT)
    assert response.headers["Content-Type"] == "application/json"
    content: dict[str, Any] = response.json()
    contract_of(response.text)
    return content


def paths(content: dict[str, Any]) -> dict[str, set[str]]:
    return {path: set(item) for path, item in content["paths"].items()}


async def test_each_host_lists_what_it_has(
    web: WebServer, cafe: World, make_world: Callable[..., Awaitable[World]]
) -> None:
    everything = await make_world("everything", offering="all", features=EVERYTHING)
    nothing = await make_world("nothing", offering="none", features=())
    assert paths(await document(web, cafe.host)) == STORE | STAMPS | STOREFRONT
    assert paths(await document(web, everything.host)) == STORE | STAMPS | STOREFRONT | PROBE
    assert paths(await document(web, nothing.host)) == STORE | STOREFRONT
    assert paths(await document(web, "console.localhost")) == ADMIN
    bundled = STAMPS | POINTS | PROMOTIONS | TIERS
    assert paths(await document(web, "localhost")) == STORE | bundled | STOREFRONT | PROBE | ADMIN


async def test_every_route_of_the_api_is_described(web: WebServer) -> None:
    for rule in web.app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/"):
            operation = operation_of(web.app.view_functions[rule.endpoint])
            assert operation is not None, rule.rule


async def test_a_page_of_every_list_of_a_shop_can_follow_a_row(web: WebServer) -> None:
    """Rows without an id of their own, and the platform's shops, are the exception."""
    content = await document(web, "localhost")
    asked = {
        path: {one["name"] for one in methods["get"].get("parameters", ())}
        for path, methods in content["paths"].items()
        if "get" in methods
    }
    lists = {path for path, names in asked.items() if "page" in names}
    assert {path for path in lists if "after" not in asked[path]} == {
        "/api/v1/store/loyalty/promotions/participations",
        "/api/v1/admin/loyalty/programs",
    }


async def test_the_document_says_what_can_happen(web: WebServer, cafe: World) -> None:
    content = await document(web, cafe.host)
    assert content["openapi"] == "3.1.0"
    stamp = content["paths"]["/api/v1/store/loyalty/stamp"]["post"]
    expected = {"200", "400", "401", "403", "404", "408", "409", "413", "415", "422", "500", "503"}
    assert set(stamp["responses"]) == expected
    assert [(one["name"], one["in"], one["required"]) for one in stamp["parameters"]] == [
        ("Idempotency-Key", "header", True)
    ]
    body = content["components"]["schemas"]["StampBodyAtTill"]
    assert body["additionalProperties"] is False
    assert set(body["properties"]) == {
        *("card", "staff", "pin", "shop", "external_ref", "quantity", "counts", "unit"),
        *("amount", "amount_minor", "currency", "items", "channel", "occurred_at"),
    }
    assert body["required"] == ["card"]
    answer = content["components"]["schemas"]["StampAnswer"]
    assert set(answer["properties"]) == {
        "success",
        "stamp_count",
        "stamps_target",
        "stamps_until_reward",
        "message",
        "next_stamp_available",
        "benefits",
    }
    mismatch = stamp["responses"]["422"]["content"]["application/problem+json"]["schema"]["allOf"][1]
    assert mismatch["properties"]["type"]["anyOf"][0]["enum"] == [
        "/problems/idempotency_mismatch",
        "/problems/invalid_input",
    ]
    assert stamp["responses"]["200"]["headers"]["Idempotency-Replayed"]["schema"] == {"const": "true"}
    assert content["paths"]["/api/v1/store/loyalty/cards"]["get"]["responses"]["429"]["headers"]["Retry-After"]
    listed = content["paths"]["/api/v1/store/loyalty/cards"]["get"]["parameters"]
    assert [one["name"] for one in listed] == ["page", "size", "after", "q", "filter", "order"]
    for path, item in content["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (path, method)
            assert operation["security"], (path, method)
            assert operation["tags"], (path, method)
    names = [operation["operationId"] for item in content["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


async def test_a_plugins_own_api_is_held_to_the_same(
    web: WebServer, make_world: Callable[..., Awaitable[World]]
) -> None:
    world = await make_world("everything", offering="all", features=EVERYTHING)
    visitor = web.at(world.host, authorization=f"Bearer {world.api_key}")
    said = await visitor.post("/api/v1/store/loyalty/probe/echo", json={"text": "hello", "number": 3})
    assert (said.status_code, said.json()) == (200, {"text": "hello", "number": 3})
    wrong = await visitor.post("/api/v1/store/loyalty/probe/echo", json={"text": "hello", "number": True})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["number"])
    assert (await web.at(world.host).get("/api/v1/storefront/loyalty/probe/hello")).status_code == 200


def answer(status: int, content: Any, *, path: str = "/api/v1/store/loyalty/pins", **headers: str) -> httpx.Response:
    kind = "application/json" if status < 400 else "application/problem+json"
    response = httpx.Response(
        status,
        content=json.dumps(content).encode(),
        headers={"Content-Type": kind, "X-Request-ID": "1", **{k.replace("_", "-"): v for k, v in headers.items()}},
    )
    response.request = httpx.Request("GET", f"http://x{path}")
    return response


async def test_lies_are_noticed(web: WebServer, cafe: World) -> None:
    contract = ApiContract(await document(web, cafe.host))
    person = {"id": "staff_1", "name": "A", "role": "staff", "status": "active"}
    true = {"items": [person | {"locked_until": None, "last_used_at": None}]}
    contract.check(answer(200, true))
    problem = {"type": "/problems/forbidden", "title": "t", "status": 403, "detail": "d", "code": "forbidden"}
    contract.check(answer(403, problem))
    for lie, what in (
        (answer(200, {}), "'items' is a required property"),
        (answer(200, {"items": [person | {"role": "boss", "locked_until": None, "last_used_at": None}]}), "boss"),
        (answer(201, true), "this status is not in the document"),
        (answer(200, true, Content_Type="text/html"), "was not promised"),
        (answer(403, problem | {"status": 404}), "403 was expected"),
        (answer(403, problem | {"type": "/problems/other"}), "/problems/other"),
        (answer(401, problem | {"type": "/problems/unauthenticated", "status": 401}), "WWW-Authenticate is missing"),
        (answer(200, true, path="/api/v1/store/loyalty/secret"), "not in the document, but it answers"),
    ):
        with pytest.raises(AssertionError, match=what):
            contract.check(lie)
    broken = copy.deepcopy(dict(contract.document))
    del broken["info"]
    with pytest.raises(Exception, match="info"):
        ApiContract(broken)
