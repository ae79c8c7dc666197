"""JSON without its dark corners."""

from __future__ import annotations

import time

import pytest

from regulars.contracts.errors import MalformedRequest
from regulars.web.bodies import Body, parse_json

HOSTILE = (
    b'{"a": "' + b"\\" * 60_000,
    b'"' * 60_001,
    b"[" * 65_000,
    b'{"a":' * 13_000,
    b"[" * 20 + b'"' + b"[" * 60_000,
    b"9" * 65_000,
    b"[" + b"1," * 32_000,
)


@pytest.mark.parametrize("raw", HOSTILE)
def test_hostile_texts_are_refused_quickly(raw: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(MalformedRequest):
        parse_json(raw)
    assert time.perf_counter() - started < 1


def test_brackets_in_texts_are_no_nesting() -> None:
    assert parse_json(b'{"a": "' + b"[{" * 1000 + b'"}') == {"a": "[{" * 1000}
    assert parse_json(b'{"a": "\\"' + b"[" * 1000 + b'"}') == {"a": '"' + "[" * 1000}


def test_the_fingerprint_goes_by_content() -> None:
    one = Body(b"", {"a": 1, "b": "\u00e9"}).fingerprint("POST", "/x", "s")
    assert Body(b"", {"b": "\u00e9", "a": 1}).fingerprint("POST", "/x", "s") == one
    others = {
        Body(b"", {"a": 1, "b": "e"}).fingerprint("POST", "/x", "s"),
        Body(b"", {"a": 1.0, "b": "\u00e9"}).fingerprint("POST", "/x", "s"),
        Body(b"", {"a": 1, "b": "\u00e9"}).fingerprint("POST", "/y", "s"),
        Body(b"", {"a": 1, "b": "\u00e9"}).fingerprint("PATCH", "/x", "s"),
        Body(b"", {"a": 1, "b": "\u00e9"}).fingerprint("POST", "/x", "t"),
    }
    assert len(others) == 5
    assert one not in others
