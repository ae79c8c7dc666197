"""Themes are found and checked; every fault names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from regulars.kernel.paths import bundled
from regulars.kernel.templating.errors import ThemeError
from regulars.kernel.templating.theme_files import load_theme
from regulars.kernel.templating.theme_settings import tenant_css, value_faults
from regulars.kernel.templating.themes import ThemeLoadError, Themes, discover

GOOD = 'name = "oak"\nversion = "1.0"\nhost = ">=1,<2"\n'
SETTINGS = """
[primary]
type = "colour"
label = "Brand colour"
default = "#0f766e"

[accent]
type = "colour"
label = "Accent"
default = "#b45309"

[gap]
type = "range"
label = "Distance"
minimum = 0
maximum = 40
unit = "px"
default = 16

[headline]
type = "font"
label = "Headline"
default = "fraunces"

[mood]
type = "choice"
label = "Mood"
options = { calm = "Calm", loud = "Loud" }
default = "calm"

[photo]
type = "image"
label = "Photo"
default = ""
"""


def make(folder: Path, manifest: str = GOOD, settings: str = "", name: str = "oak") -> Path:
    theme = folder / name
    theme.mkdir(parents=True)
    (theme / "theme.toml").write_text(manifest, "utf-8")
    if settings:
        (theme / "settings.toml").write_text(settings, "utf-8")
    return theme


def chained(folder: Path, **parents: str) -> Themes:
    for name, parent in parents.items():
        make(folder, f'name = "{name}"\nversion = "1"\nhost = ">=1"\nextends = "{parent}"\n', name=name)
    return discover([folder, folder / "missing"], "1.0.0")


def test_a_theme_is_read(tmp_path: Path):
    theme = load_theme(make(tmp_path, settings=SETTINGS), "1.4.0")
    assert (theme.manifest.name, theme.manifest.title, str(theme.manifest.version)) == ("oak", "Oak", "1.0")
    assert [(field.key, field.kind, field.default) for field in theme.fields] == [
        ("primary", "colour", "#0f766e"),
        ("accent", "colour", "#b45309"),
        ("gap", "range", 16),
        ("headline", "font", "fraunces"),
        ("mood", "choice", "calm"),
        ("photo", "image", ""),
    ]


@pytest.mark.parametrize(
    ("manifest", "key"),
    [
        (GOOD.replace('"1.0"', '"one"'), "version"),
        (GOOD.replace('">=1,<2"', '">=2"'), "host"),
        (GOOD.replace('">=1,<2"', '"about 1"'), "host"),
        (GOOD.replace('"oak"', '"elm"'), "name"),
        (GOOD.replace('"oak"', '"Oak!"'), "name"),
        (GOOD + 'extend = "classic"\n', "extend"),
        (GOOD.replace('version = "1.0"', "version = 1"), "version"),
        ('version = "1.0"\nhost = ">=1"\n', "name"),
        ("name = ", ""),
    ],
)
def test_a_bad_manifest_names_file_and_key(tmp_path: Path, manifest: str, key: str):
    folder = make(tmp_path, manifest)
    with pytest.raises(ThemeError) as caught:
        load_theme(folder, "1.0.0")
    assert (caught.value.file, caught.value.key) == (folder / "theme.toml", key)
    assert str(caught.value).startswith(f"{folder}/theme.toml: {key}")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ('[a]\ntype = "colour"\nlabel = "A"\ndefault = "red"', "a.default"),
        ('[a]\ntype = "color"\nlabel = "A"\ndefault = "#000000"', "a.type"),
        ('[a]\ntype = "font"\nlabel = "A"\ndefault = "comic"', "a.default"),
        ('[a]\ntype = "font"\ndefault = "inter"', "a.label"),
        ('[a]\ntype = "range"\nlabel = "A"\nminimum = 0\nmaximum = 9\ndefault = 10', "a.default"),
        ('[a]\ntype = "range"\nlabel = "A"\nminimum = 0\nmaximum = 9\ndefault = true', "a.default"),
        ('[a]\ntype = "range"\nlabel = "A"\nminimum = 0\nmaximum = 9\ndefault = 1\nunit = "px; }"', "a.unit"),
        ('[a]\ntype = "range"\nlabel = "A"\ndefault = 1', "a"),
        ('[a]\ntype = "choice"\nlabel = "A"\noptions = { b = "B" }\ndefault = "c"', "a.default"),
        ('[a]\ntype = "image"\nlabel = "A"\ndefault = "../secret"', "a.default"),
        ('[a]\ntype = "font"\nlabel = "A"\ndefault = "inter"\nsize = 3', "a.size"),
        ('[A]\ntype = "font"\nlabel = "A"\ndefault = "inter"', "A"),
        ("a = 1", "a"),
    ],
)
def test_bad_settings_name_file_and_key(tmp_path: Path, settings: str, key: str):
    folder = make(tmp_path, settings=settings)
    with pytest.raises(ThemeError) as caught:
        load_theme(folder, "1.0.0")
    assert (caught.value.file, caught.value.key) == (folder / "settings.toml", key)


def test_chains_and_inherited_fields(tmp_path: Path):
    make(tmp_path, settings=SETTINGS)
    make(
        tmp_path,
        'name = "elm"\nversion = "1"\nhost = ">=1"\nextends = "oak"\n',
        '[gap]\ntype = "range"\nlabel = "Gap"\nminimum = 0\nmaximum = 8\ndefault = 4',
        name="elm",
    )
    themes = discover([tmp_path], "1.0.0")
    assert [theme.manifest.name for theme in themes.chain("elm")] == ["elm", "oak"]
    assert {field.key: field.default for field in themes.fields("elm")}["gap"] == 4
    assert themes.names == ("elm", "oak")


def test_missing_parents_circles_and_twins_are_refused(tmp_path: Path):
    with pytest.raises(ThemeLoadError, match=r"lone/theme.toml: extends: there is no theme 'ghost'"):
        chained(tmp_path / "a", lone="ghost")
    with pytest.raises(ThemeLoadError, match="extend each other"):
        chained(tmp_path / "b", one="two", two="one")
    make(tmp_path / "c")
    make(tmp_path / "d")
    with pytest.raises(ThemeLoadError, match="'oak' is already used by"):
        discover([tmp_path / "c", tmp_path / "d"], "1.0.0")


def test_settings_become_custom_properties(tmp_path: Path):
    fields = load_theme(make(tmp_path, settings=SETTINGS), "1.0.0").fields
    css = tenant_css(fields, {"gap": 24, "mood": "loud", "from_another_theme": "; }"})
    assert "--brand: #0f766e;" in css
    assert "--theme-gap: 24px;" in css
    assert "--theme-mood: loud;" in css
    assert "--theme-accent: #b45309;" in css
    assert "--theme-accent-content: #ffffff;" in css
    assert "--theme-accent-text: #d87437;" in css.partition('[data-theme="dark"]')[2]
    assert '--theme-headline: "Fraunces Variable"' in css
    assert "photo" not in css


@pytest.mark.parametrize(
    ("key", "value"), [("gap", 41), ("gap", "1px; } *"), ("accent", "#fff}"), ("mood", "x; y"), ("photo", "/etc")]
)
def test_no_unchecked_value_reaches_the_sheet(tmp_path: Path, key: str, value: object):
    fields = load_theme(make(tmp_path, settings=SETTINGS), "1.0.0").fields
    assert list(value_faults(fields, {key: value})) == [key]
    assert f": {value}" not in tenant_css(fields, {"primary": "#0f766e", key: value})


def test_the_bundled_theme_is_sound():
    themes = discover([bundled("themes")], "1.0.0")
    assert "classic" in themes.names
    css = tenant_css(themes.fields("classic"), {"primary": "#9a3412", "texture": "lines", "radius": 6})
    assert "--brand: #9a3412;" in css
    assert "--radius-box: 6px;" in css
    assert "--card-texture: repeating-linear-gradient" in css
