"""The page of what is there names tests and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "features.md"
ROW = re.compile(r"^\| (✓|–) \| (.+?) \| (.+) \|$")


def test_each_tick_names_what_shows_it() -> None:
    rows = [found for line in PAGE.read_text("utf-8").splitlines() if (found := ROW.match(line))]
    assert len(rows) > 130
    faults = []
    for row in rows:
        shown = re.findall(r"`([^`]+)`", row[3])
        if (row[1] == "✓") != bool(shown):
            faults.append(f"{row[2]}: a tick names what shows it, anything else says what is missing")
        faults += [f"{row[2]}: {one}" for one in shown if not _is_there(one)]
    assert faults == []


def _is_there(name: str) -> bool:
    path, _, test = name.partition("::")
    file = ROOT / path
    if not test:
        return file.exists()
    return re.search(rf"^(async )?def {test}\(", file.read_text("utf-8"), re.MULTILINE) is not None
