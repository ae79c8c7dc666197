"""The order of the tests, and what all of them share."""

from __future__ import annotations

import gc

import pytest

FIRST = (
    "test_kills.py",
    "test_pages.py",
    "test_stop.py",
    "test_story.py",
    "test_live.py",
    "test_camera.py",
    "test_watch.py",
    "test_sign_up.py",
    "test_weight.py",
    "test_without_scripts.py",
    "test_themes.py",
    "test_demo.py",
    "test_embedded_up.py",
    "test_jobs_crash.py",
    "test_toggles.py",
    "test_wheel.py",
    "test_bench.py",
    "test_machine.py",
    "test_at_once.py",
    "test_api.py",
    "test_admin_port.py",
    "test_api_fuzzed.py",
    "test_health_server.py",
    "test_openapi.py",
    "test_markers.py",
    "test_ledger_machine.py",
    "test_isolation.py",
    "test_foreign_ids.py",
    "test_untranslated.py",
)
"""The files that take longest, in the order of their beginning; those with a browser in a row: they share a house,
and the story comes before the themes, whose customers have the same names."""

_RANKS = {name: rank for rank, name in enumerate(FIRST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: a long file that begins last lets all other cores wait for it."""
    items.sort(key=lambda item: _RANKS.get(item.path.name, len(FIRST)))


def pytest_collection_finish() -> None:
    """Tell the garbage collector that what is loaded stays, as a server does after its start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
