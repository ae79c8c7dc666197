"""Addresses of static files change with their content, and only files that were given out can be fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regulars.kernel.templating.assets import Assets
from regulars.kernel.templating.errors import AssetMissing


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"app.css": "app.AB12.css"}))
    (folder / "app.AB12.css").write_text("body{}")
    (folder / "font.CD34.woff2").write_bytes(b"wOF2")
    (folder / ".built").write_text("")
    return folder


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    (tmp_path / "static" / "img").mkdir(parents=True)
    (tmp_path / "static" / "img" / "cup.svg").write_text("<svg/>")
    return tmp_path / "static"


def test_files_of_the_build(dist: Path):
    assets = Assets(dist)
    assert assets.url("app.css") == "/_assets/host/app.AB12.css"
    assert assets.find("host/app.AB12.css") == dist / "app.AB12.css"
    assert assets.find("host/font.CD34.woff2") == dist / "font.CD34.woff2"


def test_files_of_plugins_and_themes_carry_their_hash(dist: Path, plugin: Path):
    before = Assets(dist, plugins={"punch": plugin}).plugin_url("punch", "img/cup.svg")
    assert before.startswith("/_assets/p/punch/")
    assert before.endswith("/img/cup.svg")
    (plugin / "img" / "cup.svg").write_text("<svg><path/></svg>")
    assets = Assets(dist, plugins={"punch": plugin}, themes={"oak": plugin})
    after = assets.plugin_url("punch", "img/cup.svg")
    assert after != before
    assert assets.find(after.removeprefix("/_assets/")) == plugin / "img" / "cup.svg"
    assert assets.theme_url("oak", "img/cup.svg").startswith("/_assets/t/oak/")


@pytest.mark.parametrize(
    "path",
    ["host/../manifest.json", "host/manifest.json", "host/.built", "../dist/app.AB12.css", "host/", "", "p/punch/x/y"],
)
def test_nothing_else_is_served(dist: Path, path: str):
    assert Assets(dist).find(path) is None


def test_what_is_missing_says_so(dist: Path, tmp_path: Path):
    with pytest.raises(AssetMissing, match=r"No asset 'app\.js'"):
        Assets(dist).url("app.js")
    with pytest.raises(AssetMissing, match="npm run build"):
        Assets(tmp_path / "nowhere")
