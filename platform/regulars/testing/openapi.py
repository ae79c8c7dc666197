"""Holds recorded answers against an OpenAPI 3.1 document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

PROBLEM = "application/problem+json"


@lru_cache(maxsize=64)
def contract_of(document: str) -> ApiContract:
    """The contract of a document's text; each text is validated once."""
    return ApiContract(json.loads(document))


class ApiContract:
    """What a document promises.

    Args:
        document: the parsed OpenAPI document.

    Raises:
        openapi_spec_validator.validation.exceptions.OpenAPIValidationError: it is no valid OpenAPI 3.1 document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        OpenAPIV31SpecValidator(_alike_as_one(document)).validate()
        self.document = document
        self._paths = [(_pattern(template), template) for template in sorted(document["paths"], key=_specific_first)]

    def operation(self, method: str, path: str) -> Mapping[str, Any] | None:
        """The operation that answers a request, `None` when the document has none."""
        template = next((template for pattern, template in self._paths if pattern.fullmatch(path)), None)
        found: Mapping[str, Any] | None = self.document["paths"][template].get(method.lower()) if template else None
        return found

    def check(self, response: httpx.Response) -> None:
        """Check status, media type, headers and body of an answer.

        Raises:
            AssertionError: with what was promised and what came.
        """
        request = response.request
        where = f"{request.method} {request.url.path} → {response.status_code}"
        operation = self.operation("GET" if request.method == "HEAD" else request.method, request.url.path)
        if operation is None:
            assert response.status_code in {400, 403, 404, 405}, f"{where}: not in the document, but it answers"
            self._check_body(where, {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}, response)
            return
        promised = operation["responses"].get(str(response.status_code))
        assert promised is not None, f"{where}: this status is not in the document: {response.text[:500]}"
        for name, header in promised.get("headers", {}).items():
            assert name in response.headers or not header.get("required"), f"{where}: the header {name} is missing"
            if name in response.headers:
                self._validate(f"{where}, {name}", header["schema"], _typed(response.headers[name], header["schema"]))
        content = promised.get("content", {})
        if content and request.method != "HEAD":
            self._check_body(where, content, response)
        else:
            assert response.content == b"", f"{where}: a body was not promised"

    def _check_body(self, where: str, content: Mapping[str, Any], response: httpx.Response) -> None:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        assert kind in content, f"{where}: {kind} was not promised, but {', '.join(content)}"
        if response.request.method != "HEAD":
            self._validate(where, content[kind]["schema"], response.json())

    def _validate(self, where: str, schema: Mapping[str, Any], value: object) -> None:
        whole = {"allOf": [schema], "components": self.document.get("components", {})}
        validator = Draft202012Validator(whole, format_checker=FormatChecker())
        faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]
        assert not faults, f"{where}: " + "; ".join(faults)


def _alike_as_one(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with one object for all that are equal: the validator judges an object once, wherever it stands."""
    known: dict[str, dict[str, Any]] = {}
    whole: dict[str, Any] = json.loads(
        json.dumps(document), object_hook=lambda one: known.setdefault(json.dumps(one), one)
    )
    return whole


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", template)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts))


def _specific_first(template: str) -> tuple[int, str]:
    return template.count("{"), template


def _typed(text: str, schema: Mapping[str, Any]) -> object:
    return int(text) if schema.get("type") == "integer" else text
