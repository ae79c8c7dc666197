"""Pages of the reference on what callers and operators use: the API and the command line."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import click
from cryptography.fernet import Fernet
from describe import code, codes, head, table, text_of

from regulars.app import create_app
from regulars.cli import main as command
from regulars.kernel.config import load_config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.web.api.toolkit import operation_of
from regulars.web.request import RegularsApp
from regulars.web.site.problem_types import problem_types

METHODS = ("get", "post", "put", "patch", "delete")
YES = "✓"


def make_app(plugins: PluginRegistry) -> RegularsApp:
    """The application, to look at; it connects to nothing."""
    urls = {
        f"REGULARS_DATABASE_URL_{role}": f"postgresql://{role.lower()}@localhost/regulars"
        for role in ("APP", "PLATFORM", "MIGRATOR")
    }
    secrets = {"REGULARS_SECRET_KEY": "s" * 32, "REGULARS_PIN_PEPPER": "p" * 32}
    others = {"REGULARS_ENCRYPTION_KEY": Fernet.generate_key().decode(), "REGULARS_REDIS_URL": "redis://localhost"}
    return create_app(load_config(urls | secrets | others), registry=plugins)


def openapi(app: RegularsApp) -> dict[str, Any]:
    """The document that describes everything, as the platform's bare host serves it."""

    async def ask() -> bytes:
        answer = await app.test_client().get("/api/openapi.json", headers={"Host": "localhost"})
        return bytes(await answer.get_data(as_text=False))

    document: dict[str, Any] = json.loads(asyncio.run(ask()))
    return document


def api_page(plugins: PluginRegistry) -> str:
    """Paths of the API and the problem types."""
    app = make_app(plugins)
    document = openapi(app)
    views = {rule.endpoint.replace(".", "_"): rule.endpoint for rule in app.url_map.iter_rules()}
    text = head("API", "the OpenAPI document", API_INTRO)
    for tag in dict.fromkeys(one["tags"][0] for _, _, one in operations(document)):
        rows = []
        for method, path, one in operations(document):
            operation = operation_of(app.view_functions[views[one["operationId"]]])
            assert operation is not None
            if one["tags"][0] == tag:
                body = code(operation.body.__name__) if operation.body else ""
                rows.append((code(f"{method.upper()} {path}"), one["summary"], code(operation.permission or ""), body))
        text += f"\n## {tag}\n\n" + table(("path", "what it does", "permission", "body"), rows)
    schemas = document["components"]["schemas"]
    text += "\n## Bodies\n"
    for name in dict.fromkeys(name for _, _, one in operations(document) if (name := _body(one))):
        needed = schemas[name].get("required", ())
        described = schemas[name]["properties"].items()
        lines = [(code(field), YES if field in needed else "", one.get("description", "")) for field, one in described]
        text += f"\n### `{name}`\n\n{schemas[name].get('description', '')}\n\n"
        text += table(("field", "needed", "meaning"), lines)
    text += "\n## Problem types\n\nThe last part of a problem's `type`, which is an address of the same host.\n\n"
    return text + table(
        ("code", "status", "what happened"), [(code(one.code), one.status, one.title) for one in problem_types()]
    )


API_INTRO = """\
The complete description (every body, parameter, answer and problem) is the OpenAPI 3.1 document of each host,
`/api/openapi.json`; a shop's own lists what that shop has enabled. This page is its table of contents.

| door | host | who may call |
| --- | --- | --- |
| `/api/v1/store/loyalty/` | the shop's | an API key (`rk_live_…`, in a sandbox `rk_test_…`), or staff signed in |
| `/api/v1/storefront/loyalty/` | the shop's | a card (the text of its QR code), or a member signed in |
| `/api/v1/admin/loyalty/` | the console's | an operator's key (`rk_ops_…`) |

Keys and the text of a QR code go into the header `Authorization: Bearer …`.

Writes at the till need an `Idempotency-Key`: the same key with the same request gives the stored answer again, byte for
byte. Errors are RFC 9457 problem documents. Money is in minor units; times are ISO 8601 with an offset.
"""


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(method, path, operation) of a document."""
    for path, item in document["paths"].items():
        yield from ((method, path, item[method]) for method in METHODS if method in item)


def _body(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return next((one["schema"]["$ref"].rpartition("/")[2] for one in content.values()), "")


def commands_page() -> str:
    """The command line."""
    text = head("Commands", "the command line itself", "Every command of `regulars`; `--help` says the same.")
    context = click.Context(command, info_name="regulars")
    for words, one in _commands("regulars", command, context):
        options = [
            (codes(option.opts), option.help or "", _shown_default(option))
            for option in one.params
            if isinstance(option, click.Option)
        ]
        usage = " ".join([words, *(one.collect_usage_pieces(click.Context(one))[len(options) == 0 :])])
        text += f"\n## `{words}`\n\n```\n{usage}\n```\n\n{text_of(inspect.cleandoc(one.help or ''))}\n"
        text += "\n" + table(("option", "meaning", "default"), options) if options else ""
    return text


def _shown_default(option: click.Option) -> str:
    return code(option.default) if option.show_default else ""


def _commands(words: str, found: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """A command, or all those below a group."""
    if not isinstance(found, click.Group):
        if not found.hidden:
            yield words, found
        return
    for name in found.list_commands(context):
        one = found.get_command(context, name)
        assert one is not None
        yield from _commands(f"{words} {name}", one, click.Context(one, parent=context, info_name=name))
