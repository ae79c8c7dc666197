"""Settings models as forms, and what people send."""

import re
from decimal import Decimal
from enum import Enum
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from regulars.contracts.errors import ConfigurationError
from regulars.contracts.i18n import N_
from regulars.kernel.i18n import use_locale
from regulars.kernel.plugins.loader import load_plugins, make_registry
from regulars.kernel.settings import Choice, describe_form, parse_form
from regulars.kernel.templating.engine import TemplateEngine
from regulars.kernel.templating.icons import Icons
from regulars.web.rendering import WEB, make_assets, make_themes


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Step(BaseModel):
    model_config = ConfigDict(extra="forbid")
    at: int = Field(default=10, ge=2, title=N_("Stamps collected"))
    note: str = Field(default="", max_length=20)
    gift: bool = False


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"groups": {"look": N_("Look")}})

    name: str = Field(
        default="Card", min_length=1, max_length=40, title=N_("Name"), description=N_("As people see it.")
    )
    about: str = Field(default="", max_length=2000)
    target: int = Field(default=10, ge=2, le=50, json_schema_extra={"unit": N_("stamps")})
    factor: Decimal = Field(default=Decimal("1.5"), gt=0, multiple_of=Decimal("0.5"))
    ratio: float = 1.0
    enabled: bool = True
    value_minor: int | None = Field(default=None, ge=0, json_schema_extra={"widget": "money"})
    size: Size = Size.SMALL
    mode: Literal["visit", "item"] = Field(default="visit", json_schema_extra={"choices": {"visit": N_("Per visit")}})
    spare: Literal["a", "b"] | None = None
    icon: Literal["star", "brand"] = Field(
        default="star",
        json_schema_extra={
            "widget": "icon",
            "icons": {"brand": "palette"},
            "preview": {"attr": "icon"},
            "group": "look",
        },
    )
    color: str = Field(
        default="#112233", pattern="^#[0-9a-f]{6}$", json_schema_extra={"widget": "colour", "group": "look"}
    )
    logo: str = Field(default="", json_schema_extra={"widget": "image", "group": "look"})
    welcome: dict[str, str] = Field(default_factory=dict, json_schema_extra={"widget": "i18n"})
    key: SecretStr | None = None
    steps: tuple[Step, ...] = Field(default=(Step(at=50),), max_length=3)


def form_of(settings=None, **options):
    return describe_form(settings or Everything(), **options)


def fields_of(settings=None, **options):
    return {field.name: field for field in form_of(settings, **options).fields()}


def sent_by(form):
    """What a browser would send."""
    sent = {}
    for field in form.fields():
        if field.kind == "checkbox":
            sent |= {field.name: "1"} if field.value else {}
        elif field.kind == "i18n":
            sent |= {f"{field.name}.{locale}": text for locale, text in field.value.items()}
        elif field.kind == "money":
            sent[field.name] = "" if field.value == "" else str(Decimal(field.value) / 100)
        elif field.kind not in {"list", "image"}:
            sent[field.name] = field.value
    return sent


def parsed(changes, settings=None, **options):
    current = settings or Everything()
    sent = sent_by(describe_form(current, **{key: options[key] for key in ("prefix", "only") if key in options}))
    return parse_form(current, {**sent, **changes}, **options)


def test_kinds_follow_the_annotations():
    assert {name: field.kind for name, field in fields_of().items() if "." not in name} == {
        "name": "text",
        "about": "textarea",
        "target": "number",
        "factor": "number",
        "ratio": "number",
        "enabled": "checkbox",
        "value_minor": "money",
        "size": "select",
        "mode": "select",
        "spare": "select",
        "icon": "tiles",
        "color": "colour",
        "logo": "image",
        "welcome": "i18n",
        "key": "secret",
        "steps": "list",
    }


def test_bounds_labels_and_choices():
    fields = fields_of()
    target, factor, name = fields["target"], fields["factor"], fields["name"]
    assert (target.minimum, target.maximum, target.step, target.unit, target.value) == ("2", "50", None, "stamps", "10")
    assert (factor.minimum, factor.step, fields["ratio"].step) == ("0", "0.5", "any")
    assert (name.label, name.help, name.max_length, name.required) == ("Name", "As people see it.", 40, True)
    assert (target.label, fields["value_minor"].required, fields["about"].required) == ("Target", False, False)
    assert fields["mode"].options == (("visit", "Per visit"), ("item", "item"))
    assert fields["size"].options == (("s", "s"), ("l", "l"))
    assert fields["spare"].options == (("", "None"), ("a", "a"), ("b", "b"))
    assert fields["icon"].choices == (Choice("star", "star", "star"), Choice("brand", "brand", "palette"))
    assert fields["icon"].attributes == {"data-preview-attr": "icon"}


def test_groups_keep_the_order_of_the_model():
    form = form_of()
    assert [(group.name, group.title) for group in form.groups] == [("", ""), ("look", "Look")]
    assert [field.name for field in form.groups[1].fields] == ["icon", "color", "logo"]


def test_a_part_of_a_model_with_a_prefix():
    assert list(fields_of(only={"target", "name"}, prefix="stamps.")) == ["stamps.name", "stamps.target"]


def test_lists_have_an_empty_row_at_the_end():
    rows = fields_of()["steps"].rows
    assert [[(field.name, field.value) for field in row] for row in rows] == [
        [("steps.0.at", "50"), ("steps.0.note", ""), ("steps.0.gift", False)],
        [("steps.1.at", ""), ("steps.1.note", ""), ("steps.1.gift", False)],
    ]
    assert rows[0][0].label == "Stamps collected"
    assert [row[0].required for row in rows] == [True, False]


def test_secrets_are_never_shown():
    field = fields_of(Everything(key="s3cret"))["key"]
    assert (field.value, field.is_set) == ("", True)
    assert "s3cret" not in repr(form_of(Everything(key="s3cret")))
    assert fields_of()["key"].is_set is False


def test_a_form_sent_back_unchanged_changes_nothing():
    settings = Everything(value_minor=450, welcome={"en": "Hello", "lt": "Labas"}, key="s3cret", spare="b")
    found = parsed({}, settings)
    assert (found.errors, found.settings) == ({}, settings)
    assert "key" not in found.values


def test_what_is_sent_is_read():
    found = parsed(
        {
            "name": "Loyal",
            "target": " 12 ",
            "factor": "2.5",
            "value_minor": "4.50",
            "size": "l",
            "icon": "brand",
            "welcome.en": "Hi",
            "welcome.lt": " ",
            "key": "n3w",
            "steps.0.at": "20",
            "steps.0.gift": "1",
            "steps.1.at": "30",
        }
    ).settings
    assert (found.name, found.target, found.factor, found.value_minor) == ("Loyal", 12, Decimal("2.5"), 450)
    assert (found.size, found.icon, found.welcome) == (Size.LARGE, "brand", {"en": "Hi"})
    assert found.key.get_secret_value() == "n3w"
    assert found.steps == (Step(at=20, gift=True), Step(at=30))


def test_an_unticked_box_is_false_and_an_empty_row_goes():
    sent = sent_by(form_of())
    del sent["enabled"]
    sent |= {"steps.0.at": "", "steps.1.at": "", "steps.2.at": "7"}
    found = parse_form(Everything(), sent).settings
    assert (found.enabled, found.steps) == (False, (Step(at=7),))


def test_fields_that_are_not_in_the_form_stay():
    found = parse_form(Everything(target=20, enabled=True), {"s.target": "30"}, prefix="s.", only={"target"})
    assert (found.settings.target, found.settings.enabled, dict(found.values)) == (30, True, {"target": "30"})


def test_money_in_the_readers_language():
    with use_locale("de"):
        assert parsed({"value_minor": "4,50"}).settings.value_minor == 450
    assert parsed({"value_minor": "4.50"}, currency="EUR").settings.value_minor == 450


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"target": "51"}, {"target": "At most 50 is possible."}),
        ({"target": "1"}, {"target": "At least 2 is needed."}),
        ({"target": ""}, {"target": "A whole number is needed."}),
        ({"target": "ten"}, {"target": "A whole number is needed."}),
        ({"factor": "0"}, {"factor": "More than 0 is needed."}),
        ({"factor": "0.7"}, {"factor": "A multiple of 0.5 is needed."}),
        ({"name": ""}, {"name": "Please fill this in."}),
        ({"name": "x" * 41}, {"name": "At most 40 characters are possible."}),
        ({"size": "xl"}, {"size": "Choose one of: 's' or 'l'."}),
        ({"mode": ""}, {"mode": "Choose one of: 'visit' or 'item'."}),
        ({"color": "red"}, {"color": "This does not have the right form."}),
        ({"value_minor": "much"}, {"value_minor": "An amount such as 4.50 is needed."}),
        ({"value_minor": "-1"}, {"value_minor": "At least 0 is needed."}),
        ({"steps.2.at": "1"}, {"steps.2.at": "At least 2 is needed."}),
        ({"steps.0.at": "", "steps.3.at": "1"}, {"steps.3.at": "At least 2 is needed."}),
        ({"steps.1.at": "5", "steps.2.at": "5", "steps.3.at": "5"}, {"steps": "At most 3 are possible."}),
        (
            {"target": "x", "name": ""},
            {"target": "A whole number is needed.", "name": "Please fill this in."},
        ),
    ],
)
def test_faults_are_told_at_their_fields(changes, errors):
    found = parsed(changes)
    assert (found.settings, found.errors) == (None, errors)
    with_prefix = parsed({f"s.{name}": text for name, text in changes.items()}, prefix="s.")
    assert with_prefix.errors == {f"s.{name}": text for name, text in errors.items()}


def test_a_refused_form_shows_what_was_typed():
    changes = {"target": "ten", "value_minor": "much", "steps.4.note": "later", "key": "n3w"}
    sent = {**sent_by(form_of()), **changes}
    del sent["enabled"]
    fields = fields_of(sent=sent, errors={"target": "A whole number is needed."})
    assert (fields["target"].value, fields["target"].error) == ("ten", "A whole number is needed.")
    assert (fields["value_minor"].value, fields["enabled"].value, fields["key"].value) == ("much", False, "")
    assert (fields["steps.4.note"].value, "steps.5.note" in fields) == ("later", True)


def test_unknown_names_below_the_prefix_are_refused():
    found = parse_form(Everything(), {"s.target": "5", "s.colour": "red", "other": "x"}, prefix="s.", only={"target"})
    assert found.errors == {"s.colour": "This is not known here."}


def test_a_model_that_cannot_be_a_form_is_named():
    class Odd(BaseModel):
        when: list[int] = []

    class Strange(BaseModel):
        name: str = Field(default="", json_schema_extra={"widget": "hologram"})

    with pytest.raises(ConfigurationError, match="the setting when cannot be a form field"):
        describe_form(Odd())
    with pytest.raises(ConfigurationError, match="the setting name has an unknown widget 'hologram'"):
        describe_form(Strange())


class Inner(BaseModel):
    at: int = 1


class Long(BaseModel):
    name: str = Field(default="", min_length=1, validate_default=True)
    number: int = 7
    size: Size = Size.LARGE
    price_minor: int = Field(default=500, json_schema_extra={"widget": "money"})
    inner: tuple[Inner, ...] = ()


class Lists(BaseModel):
    long: tuple[Long, ...] = ()


def test_long_rows_are_moved_and_removed_and_what_is_empty_in_a_new_one_has_its_default():
    given = Lists(long=[{"name": "a", "inner": [{"at": 3}]}, {"name": "b", "number": 2}])
    rows = [[part.name.rpartition(".")[2] for part in row] for row in describe_form(given).groups[0].fields[0].rows]
    assert [row[-2:] for row in rows] == [["__place", "__remove"], ["__place", "__remove"], ["price_minor", "inner"]]
    sent = {"long.0.name": "a", "long.0.__place": "1", "long.0.inner.0.at": "3", "long.0.inner.1.at": ""}
    sent |= {"long.1.name": "b", "long.1.number": "2", "long.1.__place": "1"}
    sent |= {"long.2.name": "c", "long.2.number": " ", "long.2.size": "", "long.2.price_minor": ""}
    moved = parse_form(given, sent)
    assert (moved.errors, [dict(one) for one in moved.settings.long]) == (
        {},
        [
            {"name": "b", "number": 2, "size": Size.LARGE, "price_minor": 500, "inner": ()},
            {"name": "a", "number": 7, "size": Size.LARGE, "price_minor": 500, "inner": (Inner(at=3),)},
            {"name": "c", "number": 7, "size": Size.LARGE, "price_minor": 500, "inner": ()},
        ],
    )
    removed = parse_form(given, {**sent, "long.1.__remove": "1", "long.2.number": "x"})
    assert list(removed.errors) == ["long.2.number"]


@pytest.mark.parametrize("plugin", [p for p in load_plugins().plugins if p.settings_model], ids=lambda p: p.name)
def test_every_installed_plugins_form_round_trips_its_defaults(plugin):
    settings = plugin.settings_model()
    prefix = f"{plugin.name}."
    form = describe_form(settings, prefix=prefix)
    assert all(field.label and field.label[0].isupper() for field in form.fields())
    found = parse_form(settings, sent_by(form), prefix=prefix)
    assert (found.errors, found.settings) == ({}, settings)


@pytest.fixture
def draw(tmp_path):
    """Render the form macro with the real components."""
    (tmp_path / "probe").mkdir()
    macro = '{% import "components/settings_form.html" as sf %}{{ sf.fields(form, "EUR", [("en", "English")]) }}'
    (tmp_path / "probe" / "form.html").write_text(macro)
    themes, dist = make_themes(), WEB / "static" / "dist"
    engine = TemplateEngine(
        host=WEB / "templates",
        themes=themes,
        plugins=[("probe", tmp_path)],
        assets=make_assets(make_registry([]), themes),
        icons=Icons(dist / "icons.json", strict=True),
        strict=True,
    )
    return lambda form: engine.fragment("classic", "probe/form.html", form=form)


def test_the_macro_draws_every_kind_of_field(draw):
    sent = sent_by(form_of()) | {"target": "ten"}
    errors = {"target": "A whole number is needed.", "steps": "At most 3 are possible."}
    html = draw(form_of(sent=sent, errors=errors))
    names = set(re.findall(r'name="([^"]+)"', html))
    expected = {field.name for field in form_of(sent=sent).fields() if field.kind not in {"list", "i18n"}}
    assert names == expected | {"welcome.en"}
    assert all(sentence in html for sentence in errors.values())
    assert 'value="ten"' in html
    assert 'data-preview-attr="icon"' in html
    assert "<h2>Look</h2>" in html


@pytest.mark.parametrize("plugin", [p for p in load_plugins().plugins if p.settings_model], ids=lambda p: p.name)
def test_the_macro_draws_every_installed_plugins_form(draw, plugin):
    form = describe_form(plugin.settings_model(), prefix=f"{plugin.name}.")
    names = set(re.findall(r'name="([^"]+)"', draw(form)))
    assert names == {field.name for field in form.fields() if field.kind != "list"}
