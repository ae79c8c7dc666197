"""What `regulars plugin check` says of migrations, without a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from regulars.kernel.migrate.history import history_faults, unnamed_tables
from regulars.kernel.migrate.targets import all_targets
from regulars.kernel.plugins.registry import PluginRegistry

HISTORIES: dict[str, tuple[dict[str, tuple[str, str | None]], list[str]]] = {
    "sound": ({"a": ("0001", None), "b": ("0002", "0001")}, []),
    "missing": (
        {"a": ("0001", None), "b": ("0002", "0009")},
        ["Revision 0009 referenced from 0009 -> 0002 (head),  is not present"],
    ),
    "twice": ({"a": ("0001", None), "b": ("0001", None)}, ["Revision 0001 is present more than once"]),
    "two heads": (
        {"a": ("0001", None), "b": ("0002", "0001"), "c": ("0003", "0001")},
        ["two revisions follow nothing or the same one; the newest are 0002, 0003"],
    ),
    "circle": (
        {"a": ("0001", "0002"), "b": ("0002", "0001")},
        ["Cycle is detected in revisions (0001, 0002)"],
    ),
}


@pytest.mark.parametrize("case", HISTORIES)
def test_a_history_is_one_line(tmp_path: Path, case: str) -> None:
    revisions, told = HISTORIES[case]
    for file, (revision, down) in revisions.items():
        (tmp_path / f"{file}.py").write_text(f"revision = {revision!r}\ndown_revision = {down!r}\n", "utf-8")
    assert list(history_faults(tmp_path)) == told


def test_a_file_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import nowhere_to_be_found\n", "utf-8")
    told = "a revision cannot be imported: ModuleNotFoundError: No module named 'nowhere_to_be_found'"
    assert list(history_faults(tmp_path)) == [told]


def test_ours_are_sound_and_a_table_without_migration_is_told(registry: PluginRegistry) -> None:
    assert {target.name: list(history_faults(target.versions)) for target in all_targets(registry)} == {
        target.name: [] for target in all_targets(registry)
    }
    stamps = registry.plugin("stamps")
    names = [table.name for table in stamps.tables]
    assert list(unnamed_tables(stamps.migrations, [*names, "forgotten"])) == ["forgotten"]
    assert list(unnamed_tables(None, names)) == names
