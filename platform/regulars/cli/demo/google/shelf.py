"""What the stand-in keeps: classes and objects, by the rules of Google's API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regulars.cli.demo.google.discovery import faults

NAME = re.compile(r"^[0-9]+\.[A-Za-z0-9._-]{1,100}$")
SCHEMAS = {"loyaltyClass": "LoyaltyClass", "loyaltyObject": "LoyaltyObject"}
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS"}


class Answer(Exception):
    """Something is wrong with a request.

    Args:
        status: of the answer.
        text: Google's kind of message.
        body: instead of the usual one.
    """

    def __init__(self, status: int, text: str, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status = status
        usual = {"error": {"code": status, "message": text, "status": _STATUSES.get(status, "UNKNOWN")}}
        self.body = body or usual


class Shelf:
    """Classes and objects by kind and name.

    Args:
        file: where they are written down; nowhere when left out.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.kept: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in SCHEMAS}
        self._file = file
        if file is not None and file.exists():
            self.kept |= json.loads(file.read_text("utf-8"))

    def insert(self, kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Take a new one; `Answer` as Google refuses."""
        self._check(kind, payload)
        if payload["id"] in self.kept[kind]:
            raise Answer(409, f"Resource already exists: {payload['id']}")
        return self._keep(kind, dict(payload))

    def patch(self, kind: str, name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Change fields of one; lists are replaced, `null` empties. Errors as `insert`."""
        before = self.get(kind, name)
        self._check(kind, payload, is_change=True)
        merged = {field: value for field, value in {**before, **payload}.items() if value is not None}
        return self._keep(kind, merged)

    def replace(self, kind: str, name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Put one in another's place; errors as `insert`."""
        before = self.get(kind, name)
        self._check(kind, payload)
        return self._keep(kind, {**payload, "hasUsers": before["hasUsers"]} if "hasUsers" in before else dict(payload))

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """One; errors as `insert`."""
        found = self.kept[kind].get(name)
        if found is None:
            raise Answer(404, f"{SCHEMAS[kind]} not found: {name}")
        return found

    def hold(self, name: str, *, held: bool) -> None:
        """Note whether somebody has an object in the phone."""
        self._keep("loyaltyObject", {**self.get("loyaltyObject", name), "hasUsers": held})

    def _keep(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        if kind == "loyaltyObject":
            self.get("loyaltyClass", payload["classId"])
            payload.setdefault("hasUsers", False)
            payload.pop("notifyPreference", None)
        self.kept[kind][payload["id"]] = payload
        if self._file is not None:
            self._file.write_text(json.dumps(self.kept), "utf-8")
        return payload

    @staticmethod
    def _check(kind: str, payload: Mapping[str, Any], *, is_change: bool = False) -> None:
        found = faults(SCHEMAS[kind], payload, is_change=is_change)
        if found:
            raise Answer(400, "; ".join(found))
        names = [payload[field] for field in ("id", "classId") if payload.get(field) is not None]
        if bad := [name for name in names if not NAME.match(name)]:
            raise Answer(400, f"Invalid resource ID: {bad[0]}")
