"""Texts are found in Python and in templates with the committed babel.cfg."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg

ROOT = Path(__file__).resolve().parents[2]


def extracted(folder: Path) -> set[object]:
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = DEFAULT_KEYWORDS | parse_keywords(["N_", "LazyText"])
    return {entry[2] for entry in extract_from_dir(folder, methods, options, keywords)}


@pytest.fixture(scope="module")
def host() -> set[object]:
    return extracted(ROOT / "platform" / "regulars")


def test_python_is_read(host: set[object]):
    assert "Something went wrong on our side." in host


def test_templates_are_read(host: set[object]):
    assert {"Skip to content", "Powered by %(platform)s"} <= host
    assert ("%(num)s more to go", "%(num)s more to go") in host


def test_plain_text_templates_and_lazy_texts_are_read(tmp_path: Path):
    (tmp_path / "templates" / "mails").mkdir(parents=True)
    (tmp_path / "templates" / "mails" / "hello.txt").write_text("{% trans name=x %}Hello {{ name }}{% endtrans %}")
    (tmp_path / "titles.py").write_text('TITLE = LazyText("Punch cards")\nLABEL = N_("Punch")\n')
    assert extracted(tmp_path) == {"Hello %(name)s", "Punch cards", "Punch"}
