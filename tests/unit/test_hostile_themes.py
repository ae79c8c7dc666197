"""Fault G9: whatever somebody sends or stores as a theme's setting, nothing of it becomes CSS."""

from __future__ import annotations

import re

import pytest

from regulars.kernel.paths import bundled
from regulars.kernel.templating.theme_settings import RangeField, in_force, tenant_css, value_faults
from regulars.kernel.templating.themes import Source, discover
from tests.themes_under_test import PACKAGE

THEMES = discover([bundled("themes")], "1.0.0", others=[Source(PACKAGE, "fixture")])
HOSTILE = (
    "red;}body{background:url(//evil)}",
    "</style><script>alert(1)</script>",
    "@import url(//evil.example/x.css)",
    "#fff\0",
    "#ffffff\n}",
    "\\0 red",
    "var(--brand)",
    "var(--a, var(--a))",
    "data:font/woff2;base64,AAAA",
    "url(data:image/svg+xml,<svg/>)",
    "expression(alert(1))",
    "inter, evil",
    "calc(1px * 99999)",
    "1e309",
    "nan",
    "١٢px",
    "../../secret.png",
    "/etc/passwd",
    "a.png?x=</style>",
    "x" * 10_000,
)
OTHERS: tuple[object, ...] = (None, True, -1, 10**30, float("nan"), float("inf"), ["#ffffff"], {"a": 1}, b"#ffffff")
PROPERTY = re.compile(r"^  --[a-z-]+: [^;{}<>@\\]+;$")


@pytest.mark.parametrize("theme", ["classic", "noir", "fixture"])
def test_every_type_refuses_it_with_a_sentence(theme: str) -> None:
    fields = THEMES.fields(theme)
    for field in fields:
        for value in (*HOSTILE, *OTHERS):
            faults = value_faults(fields, {field.key: value})
            assert list(faults) == [field.key], (field, value)
            assert faults[field.key].endswith("."), faults
        for text in HOSTILE:
            with pytest.raises(ValueError, match=r"\.$"):
                field.read(text)


@pytest.mark.parametrize("theme", ["classic", "noir", "fixture"])
def test_what_is_stored_all_the_same_counts_as_not_set(theme: str) -> None:
    fields = THEMES.fields(theme)
    defaults = in_force(fields, {})
    for value in (*HOSTILE, *OTHERS):
        stored = {field.key: value for field in fields}
        assert in_force(fields, stored) == defaults
        sheet = tenant_css(fields, {**stored, "primary": "#4f46e5", "no-such": value})
        lines = [line for line in sheet.splitlines() if line.startswith("  ")]
        assert [line for line in lines if not PROPERTY.match(line)] == []
        assert sheet.count("{") == sheet.count("}") == 4


def test_numbers_are_bounded_before_they_are_written() -> None:
    field = next(field for field in THEMES.fields("fixture") if field.key == "space")
    assert isinstance(field, RangeField)
    assert [field.read(text) for text in ("2", " 2.0 ", "0.5")] == [2, 2, 0.5]
    assert field.css(2.0) == "2rem"
