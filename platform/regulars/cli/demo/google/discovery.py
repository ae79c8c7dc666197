"""Google's own description of its API as JSON schemas: whatever it does not know is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_DOCUMENT = "discovery_cache/documents/walletobjects.v1.json"


@cache
def document() -> Mapping[str, Any] | None:
    """The discovery document of `google-api-python-client`, `None` where that is not installed."""
    found = find_spec("googleapiclient")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / _DOCUMENT
    content: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def faults(name: str, payload: Any, *, is_change: bool = False) -> list[str]:
    """What is wrong with a payload, one line each; nothing where there is no document.

    Args:
        name: of the schema: `LoyaltyClass`, `LoyaltyObject`.
        payload: as it was sent.
        is_change: of a PATCH: nothing is required, and `null` empties a field.
    """
    schema = _schema(name, is_change)
    if schema is None:
        return []
    from jsonschema import Draft202012Validator

    found = Draft202012Validator(schema).iter_errors(payload)
    return [f"{'/'.join(str(part) for part in one.absolute_path)}: {one.message}" for one in found]


@cache
def _schema(name: str, is_change: bool) -> Mapping[str, Any] | None:
    described = document()
    if described is None:
        return None
    kinds = {kind: _object(one) for kind, one in described["schemas"].items()}
    whole = kinds[name]
    method = f"walletobjects.{name.lower()}.insert"
    needed = [
        field
        for field, one in described["schemas"][name]["properties"].items()
        if method in one.get("annotations", {}).get("required", ()) or one.get("description", "").startswith("Required")
    ]
    if is_change:
        properties = {
            field: one if field in needed else {"anyOf": [one, {"type": "null"}]}
            for field, one in whole["properties"].items()
        }
        whole = {**whole, "properties": properties}
    else:
        whole = {**whole, "required": needed}
    return {"$defs": kinds, **whole}


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: _field(one) for name, one in schema.get("properties", {}).items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _field(one: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in one:
        return {"$ref": f"#/$defs/{one['$ref']}"}
    if one.get("type") == "array":
        return {"type": "array", "items": _field(one["items"])}
    if "properties" in one:
        return _object(one)
    return {name: one[name] for name in ("type", "enum") if name in one}
