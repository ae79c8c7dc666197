"""The whole API under schemathesis: no server error, nothing that is not in the document, whatever is sent."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
import schemathesis
from asyncpg import Connection
from conftest import EVERYTHING
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from regulars.app import create_app
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.keys import digest
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import WebServer, serving
from regulars.testing.world import World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
"""Requests such as the document allows, and such as it does not."""
EXAMPLES = 12
"""For each operation and mode."""
NEED_HISTORY = {
    "/api/v1/store/loyalty/stamp/redeem",
    "/api/v1/store/loyalty/sales/undo",
    "/api/v1/store/loyalty/adjustments",
    "/api/v1/store/loyalty/adjustments/limit",
    "/api/v1/store/loyalty/adjustments/{adjustment_id}",
    "/api/v1/store/loyalty/adjustments/{adjustment_id}/approve",
    "/api/v1/store/loyalty/adjustments/{adjustment_id}/refuse",
    "/api/v1/store/loyalty/events",
    "/api/v1/store/loyalty/households/size",
    "/api/v1/store/loyalty/households/{household_id}",
    "/api/v1/store/loyalty/households/{household_id}/leave",
    "/api/v1/store/loyalty/transfers",
    "/api/v1/store/loyalty/bills",
    "/api/v1/store/loyalty/bills/{bill_id}/refund",
    "/api/v1/store/loyalty/members/merge",
    "/api/v1/store/loyalty/members/merges/{merge_id}/undo",
    "/api/v1/store/loyalty/refunds",
    "/api/v1/store/loyalty/refunds/{refund_id}",
    "/api/v1/store/loyalty/program/changes/{change_id}",
    "/api/v1/store/loyalty/redemptions/several",
    "/api/v1/store/loyalty/sales/several",
    "/api/v1/store/loyalty/receipts",
    "/api/v1/store/loyalty/receipts/claim",
    "/api/v1/store/loyalty/receipts/days",
    "/api/v1/store/loyalty/redemptions/{redemption}",
    "/api/v1/store/loyalty/redemptions/{redemption}/capture",
    "/api/v1/store/loyalty/redemptions/{redemption}/fulfilment",
    "/api/v1/store/loyalty/redemptions/{redemption}/release",
}
"""Refused on a card that nobody has used; all others must have succeeded at least once."""
OPERATOR = (
    "WITH boss AS (INSERT INTO core.operator (id, email, name, password_hash) "
    "VALUES (gen_random_uuid(), 'op@example.org', 'Op', 'x') RETURNING id) "
    "INSERT INTO core.operator_key (id, operator_id, name, prefix, key_hash) "
    "SELECT gen_random_uuid(), id, 'key', 'rk_ops_', $1 FROM boss"
)


@pytest.fixture
async def server(config: Config, probed_registry: PluginRegistry) -> AsyncIterator[WebServer]:
    """The application behind a proxy that says who calls, so that no limit of one address ends the test."""
    changed = config.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1/32"),)})
    async with serving(create_app(changed, registry=probed_registry)) as running:
        yield running


@pytest.mark.timeout(600)
async def test_the_api_answers_as_documented(
    server: WebServer, make_world: Callable[..., Awaitable[World]], sql: Connection
) -> None:
    shop = await make_world("fuzzed", offering="all", features=EVERYTHING)
    await sql.execute(OPERATOR, digest("rk_ops_secret"))
    known: dict[str, object] = {
        "card": shop.card.number,
        "staff": ids.show(ids.STAFF, shop.anna.id),
        "shop": ids.show(ids.SHOP, shop.shop_id),
        "pin": shop.anna.pin,
        "email": "somebody@example.org",
        "terms": True,
        "is_active": True,
        "is_paused": False,
        "quantity": 1,
        "staff_id": ids.show(ids.STAFF, shop.staff[1].id),
        "program_id": ids.show(ids.PROGRAM, shop.program_id),
        "member_id": ids.show(ids.MEMBER, shop.card.member_id),
    }
    callers = {
        "store": (shop.host, f"Bearer {shop.api_key}"),
        "storefront": (shop.host, f"Bearer {shop.card.token}"),
        "admin": ("console.localhost", "Bearer rk_ops_secret"),
    }
    called = {
        door: await asyncio.to_thread(fuzz, server.port, host, authorization, door, known)
        for door, (host, authorization) in callers.items()
    }
    documents = {door: await server.contract(host) for door, (host, _) in callers.items()}
    for door, contract in documents.items():
        expected = {path for path in contract.document["paths"] if f"/{door}/" in path}
        assert {path for path, _status in called[door]} == expected
        assert {path for path, status in called[door] if status < 300} >= expected - NEED_HISTORY


def fuzz(port: int, host: str, authorization: str, door: str, known: Mapping[str, object]) -> set[tuple[str, int]]:
    """Call every operation of a door in every mode.

    Args:
        port: of the server.
        host: whose document is read.
        authorization: the header of a caller who may do everything.
        door: which part of the API.
        known: field → a value that exists, which takes the place of most made-up ones.

    Returns:
        Which paths answered with which statuses.
    """
    base = f"http://127.0.0.1:{port}"
    document = httpx.get(f"{base}/api/openapi.json", headers={"Host": host}, timeout=60, trust_env=False).json()
    settled = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_dict(document, config=settled)
    visitors = itertools.count(1)
    answers: set[tuple[str, int]] = set()

    def explore(operation: Any, mode: Any) -> None:
        @given(case=operation.as_strategy(generation_mode=mode), keep=st.integers(0, 3))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def call(case: Any, keep: int) -> None:
            number = next(visitors)
            if keep == 1 and isinstance(case.body, dict):  # what is made up besides is often wrong in itself
                case.body = {name: value for name, value in case.body.items() if name in known}
            if case.method == "PATCH" or (keep and case.method != "DELETE"):  # nothing that others need is switched off
                put_known(case, known)
                case.headers = {**(case.headers or {}), "Idempotency-Key": f"key-{number}"}
            case.headers = {
                **(case.headers or {}),
                "Host": host,
                "Authorization": authorization,
                "X-Forwarded-For": f"198.18.{number // 250 % 250}.{number % 250 + 1}",
            }
            response = case.call(base_url=base)
            case.validate_response(response, checks=CHECKS)
            answers.add((operation.path, response.status_code))

        call()

    operations = [operation for operation in every_operation(schema) if f"/{door}/" in operation.path]
    for operation in sorted(operations, key=lambda one: "/stamp" not in one.path):  # before others change the program
        can_be_wrong = any(True for _ in (*operation.body, *operation.query))
        for mode in MODES if can_be_wrong else MODES[:1]:
            explore(operation, mode)
    return answers


def every_operation(schema: Any) -> list[Any]:
    """All operations of a document; one with faults fails."""
    return [result.ok() for result in schema.get_all_operations()]


def put_known(case: Any, known: Mapping[str, object]) -> None:
    """Let a made-up request speak of things that exist, and say who stands at the till."""
    for values in (case.path_parameters, case.body):
        if isinstance(values, dict):
            named = {*values, "staff", "pin"} if "card" in values else values
            values.update({name: value for name, value in known.items() if name in named})
