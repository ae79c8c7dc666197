"""Component macros: what they show, that they are accessible, that a strict content security policy lets them pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from regulars.contracts.ledger import StepKind
from regulars.domain.cards.qr import qr_svg
from regulars.domain.ledger.history import StepLine
from regulars.kernel.paths import bundled
from regulars.kernel.templating.assets import Assets
from regulars.kernel.templating.chrome import Chrome, Flash, Language, Link, MailFrame
from regulars.kernel.templating.engine import TemplateEngine
from regulars.kernel.templating.icons import Icons
from regulars.kernel.templating.themes import discover

WEB = Path(__file__).resolve().parents[2] / "platform" / "regulars" / "web"
TEMPLATES = WEB / "templates"
DIST = WEB / "static" / "dist"
UI = (TEMPLATES / "components" / "ui.html").read_text("utf-8")
COMPONENTS = [TEMPLATES / name for name in re.findall(r'import "(components/\w+\.html)" as _', UI)]
EVIL = "<script>alert(1)</script>\"'"
VOID = {"meta", "link", "input", "img", "br", "hr", "path", "circle", "rect", "line", "polyline", "ellipse", "polygon"}

NOON = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)
LINKS = (
    Link(label="Open", url="/open", icon="eye", active=True, badge="3"),
    Link(label=EVIL, url="/e", icon="ban", danger=True, post=True, group=EVIL),
)
CHROME = Chrome(
    name=EVIL,
    brand_css_url="/brand.css?v=1",
    theme_color="#4f46e5",
    languages=[
        Language(code="en", name="English", url="/language", next="/a?b=1&c=2", active=True),
        Language(code="lt", name="Lietuvių", url="/language", next=EVIL),
    ],
    nav=LINKS,
    account=[LINKS[0], "-", LINKS[1]],
    legal=LINKS,
    user_name=EVIL,
    user_role="Owner",
    search_url="/search",
    flashes=[Flash(text=EVIL, action_label="Undo", action_url="/undo"), Flash(text="No", kind="error")],
    sandbox=True,
    live_url="/live",
    powered_by="Regulars",
)
SHOWN = {
    "button": '{{ ui.button(evil, "primary", "plus", name="a", value=evil, disabled=true, block=true,'
    ' attrs={"data-x": evil}) }}',
    "link_button": '{{ ui.link_button(evil, evil, "ghost", "plus") }}',
    "post_button": '{{ ui.post_button(evil, "/x", {"a": evil}) }}',
    "hidden_fields": '{{ ui.hidden_fields({"a": evil}) }}',
    "confirm_button": '{{ ui.confirm_button("Block", "d1", evil, evil, "/x", "/page", fields={"a": evil}) }}',
    "confirm_page": '{{ ui.confirm_page(evil, evil, "/x", "/back") }}',
    "live": "{{ ui.live(evil) }}",
    "camera": "{{ ui.camera(evil) }}",
    "menu": "{{ ui.menu(links) }}",
    "menu_list": "{{ ui.menu_list(links) }}",
    "copy_button": "{{ ui.copy_button(evil) }}",
    "language_switch": "{{ ui.language_switch(chrome.languages) }}",
    "theme_switch": "{{ ui.theme_switch() }}",
    "theme_choice": "{{ ui.theme_choice() }}",
    "back": "{{ ui.back(evil) }}",
    "logo": "{{ ui.logo(evil, evil) }}{{ ui.logo(evil) }}",
    "avatar": "{{ ui.avatar(evil, true) }}",
    "mark": "{{ ui.mark() }}",
    "sign": "{{ ui.sign(chrome) }}",
    "breadcrumbs": '{{ ui.breadcrumbs([(evil, evil), (evil, "")]) }}',
    "panel": '{% call ui.panel(evil, evil, ui.button("x")) %}{{ evil }}{% endcall %}',
    "facts": "{{ ui.facts([(evil, evil)]) }}",
    "segments": "{{ ui.segments(links, evil) }}",
    "error_page": '{{ ui.error_page("404", evil, evil, "/") }}',
    "script": '{{ ui.script("charts.js") }}',
    "toasts": "{{ ui.toasts(chrome.flashes) }}",
    "notice": '{% call ui.notice("error", evil, true) %}{{ evil }}{% endcall %}',
    "notice_line": '{{ ui.notice_line(evil, "success") }}',
    "empty_state": '{{ ui.empty_state(evil, evil, "gift", evil, evil, "plus") }}',
    "countdown": "{{ ui.countdown(noon, evil) }}",
    "waiting": "{% call ui.waiting() %}{{ ui.countdown(noon, evil) }}{% endcall %}",
    "skeleton": "{{ ui.skeleton(2) }}",
    "form": '{% call ui.form("/x", settings=true, dirty=true, upload=true, wide=true, id="f") %}x{% endcall %}',
    "row": "{% call ui.row() %}x{% endcall %}",
    "group": "{% call ui.group(evil, evil) %}x{% endcall %}",
    "field": "{% for kind in kinds %}{{ ui.field(kind, evil, kind, values[kind], evil, evil, required=true,"
    ' placeholder=evil, options=[(evil, evil), (1, "One")], locales=[("en", "English"), ("lt", evil)],'
    ' unit=evil, prefix=evil, clear_name="clear") }}{% endfor %}',
    "choice_tiles": '{{ ui.choice_tiles("kind", evil, [{"value": 1, "label": evil, "text": evil, "icon": "coffee"},'
    ' {"value": 2, "label": "B", "disabled": true}], "1", evil, evil) }}',
    "save_bar": '{{ ui.save_bar("/back", evil, true, evil) }}{{ ui.save_bar() }}',
    "errors_summary": '{{ ui.errors_summary([("a.b", evil)]) }}{{ ui.errors_summary([]) }}',
    "delta": '{{ ui.delta(1) }}{{ ui.delta(-1, "down") }}{{ ui.delta(0) }}',
    "spark": "{{ ui.spark([1, 2, 3]) }}{{ ui.spark([1]) }}",
    "tile": "{{ ui.tile(evil, evil, evil, delta=-2.5, delta_label=evil, url=evil, spark=[1, 2], icon_name='users') }}",
    "tiles": '{% call ui.tiles() %}{{ ui.tile("A", 1) }}{% endcall %}',
    "table": '{% call ui.table([{"label": evil, "sort_url": evil, "sorted": "asc"},'
    ' {"label": "N", "num": true, "hidden": true, "shrink": true}], evil, "t") %}'
    '<tr><td class="primary">{{ evil }}</td><td>1</td></tr>{% endcall %}',
    "person": "{{ ui.person(evil, evil, evil) }}{{ ui.person('Ona') }}",
    "badge": '{{ ui.badge(evil, "success", "check", true) }}',
    "pager": '{{ ui.pager(1, 20, 1247, "", "/2", [("1", ""), ("2", "/2")]) }}',
    "filter_chips": "{{ ui.filter_chips(links) }}",
    "search_box": '{{ ui.search_box("/m", value=evil, placeholder=evil, fields={"a": evil}) }}',
    "toolbar": "{% call ui.toolbar() %}x{% endcall %}",
    "feed": '{{ ui.feed([{"icon": "gift", "tone": "success", "text": evil, "sub": evil, "url": evil, "value": evil,'
    ' "time": noon, "words": evil}, {"icon": "gift", "text": "x"}]) }}',
    "bar": "{{ ui.bar(12, 10, evil) }}",
    "share": '{{ ui.share([{"label": evil, "value": 32, "percent": 68}]) }}',
    "chart": '{{ ui.chart("line", evil, ["Day", evil], [[evil, 3], ["2", 4]], true) }}',
    "qr": '{{ ui.qr(qr, evil) }}{{ ui.qr(qr, evil, "d") }}',
    "qr_dialog": '{{ ui.qr_dialog("q", qr, "482174932841") }}',
    "loyalty_card": "{{ ui.loyalty_card(evil, evil, '482174932841', qr, evil, evil, evil, evil, evil, evil, false) }}",
    "ring": "{{ ui.ring(14, 20, evil) }}{{ ui.ring(0, 0, small=true) }}",
    "ticket": "{{ ui.ticket(evil, true, evil) }}",
    "stamp_grid": '{{ ui.stamp_grid(8, 10, "coffee", evil, 1, unit=evil) }}{{ ui.stamp_grid(3, 12, image_url=evil) }}',
    "reward": "{{ ui.reward(evil, evil, evil, progress=3, target=5) }}{{ ui.reward('x', image_url=evil, ready=true) }}",
    "wallet_buttons": '{{ ui.wallet_buttons([{"wallet": "apple", "url": evil}, {"wallet": "google", "url": evil},'
    ' {"wallet": evil, "title": evil, "url": evil}]) }}',
    "why_steps": "{{ ui.why_steps(lines) }}{{ ui.why_steps([]) }}",
    "card_lookup": '{{ ui.card_lookup("/x", value=evil, error=evil, help=evil) }}',
    "staff_tiles": "{{ ui.staff_tiles(staff) }}",
    "pin_pad": '{{ ui.pin_pad("/x", evil, evil, {"card": evil}, staff, "1", error=evil, cancel_url=evil) }}',
    "result": '{% call ui.result(evil, evil) %}x{% endcall %}{{ ui.result("No", kind="error") }}',
    "amount": "{{ ui.amount(evil, evil) }}",
}
KINDS = (
    *("text", "email", "password", "tel", "url", "search", "date", "time", "number", "money", "select", "radio"),
    *("checkbox", "toggle", "textarea", "colour", "image", "i18n", "secret"),
)
VALUES = {
    "component": "x",
    "evil": EVIL,
    "links": [LINKS[0], "-", LINKS[1]],
    "chrome": CHROME,
    "noon": NOON,
    "qr": qr_svg("https://cafe.example/c/x"),
    "kinds": KINDS,
    "values": dict.fromkeys(KINDS, EVIL) | {"i18n": {"en": EVIL}, "checkbox": True, "toggle": False},
    "lines": [StepLine(kind, EVIL, change) for change, kind in enumerate(get_args(StepKind), -1)],
    "staff": [{"id": 1, "name": EVIL, "role": EVIL}, {"id": 2, "name": "Tom", "locked": EVIL}],
}
LISTS_OF_LINKS = ("segments", "filter_chips")


class Page(HTMLParser):
    """Collects what the checks need; a tag that is not closed in order is a fault."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.feed(html)
        self.faults += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for _, attrs in self.tags if attribute in attrs]


def policy_faults(page: Page) -> list[str]:
    faults = [f"style= on <{tag}>" for tag, attrs in page.tags if "style" in attrs]
    faults += [f"{name}= on <{tag}>" for tag, attrs in page.tags for name in attrs if name.startswith("on")]
    faults += ["inline script" for tag, attrs in page.tags if tag == "script" and not attrs.get("src")]
    return faults + ["inline style sheet" for tag, _ in page.tags if tag == "style"]


def name_faults(page: Page) -> list[str]:
    """Controls and pictures without a name, references that lead nowhere, ids twice."""
    ids = page.values("id")
    references = [
        target
        for name in ("aria-describedby", "aria-labelledby", "for")
        for target in " ".join(page.values(name)).split()
    ]
    faults = [f"id {name} twice" for name in {name for name in ids if ids.count(name) > 1}]
    faults += [f"nothing has the id {target}" for target in references if target not in ids]
    return faults + ["img without alt" for tag, attrs in page.tags if tag == "img" and "alt" not in attrs]


class Samples:
    """Renders templates that a test writes, in a real engine: they are those of a plugin named `sample`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sample"
        self._folder.mkdir()
        self._engine = TemplateEngine(
            host=TEMPLATES,
            themes=discover([bundled("themes")], "1.0.0"),
            plugins=[("sample", folder)],
            assets=Assets(DIST),
            icons=Icons(DIST / "icons.json", strict=True),
            strict=True,
        )
        self._count = 0

    def render(self, source: str, suffix: str = "html", **values: object) -> str:
        self._count += 1
        name = f"{self._count}.{suffix}"
        (self._folder / name).write_text(source, "utf-8")
        return self._engine.mail("classic", f"sample/{name}", **values)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return Samples(tmp_path_factory.mktemp("templates"))


@pytest.fixture(scope="module")
def show(samples: Samples) -> Callable[..., str]:
    def render(source: str, **values: object) -> str:
        return samples.render('{% import "components/ui.html" as ui %}' + source, **{**VALUES, **values}).strip()

    return render


def public_macros(file: Path) -> list[str]:
    return [name for name in re.findall(r"macro (\w+)\(", file.read_text("utf-8")) if not name.startswith("_")]


def test_every_macro_is_reachable_documented_and_shown_here():
    exported = set(re.findall(r"set (\w+) =", UI))
    macros = {name: file for file in COMPONENTS for name in public_macros(file)}
    assert set(macros) == exported == set(SHOWN)
    undocumented = [
        name
        for name, file in macros.items()
        if not re.search(rf"\b{name}\b", file.read_text("utf-8").partition("-#}")[0])
    ]
    assert undocumented == []


@pytest.mark.parametrize("name", SHOWN)
def test_a_component_is_sound_html_that_a_strict_policy_allows(show: Callable[..., str], name: str):
    links = list(LINKS) if name in LISTS_OF_LINKS else VALUES["links"]
    html = show(SHOWN[name], links=links)
    page = Page(html)
    assert page.faults == []
    assert policy_faults(page) == []
    assert name_faults(page) == []
    assert "<script>alert" not in html
    assert EVIL not in html


PAGE = """{{% extends "layouts/{}.html" %}}
{{% block title %}}T{{% endblock %}}
{{% block content %}}<p>C</p>{{% endblock %}}"""


@pytest.mark.parametrize("name", ["portal", "terminal", "shell", "site"])
@pytest.mark.parametrize("chrome", [CHROME, Chrome(name="Regulars")], ids=["full", "bare"])
def test_a_layout_is_sound_html_that_a_strict_policy_allows(samples: Samples, name: str, chrome: Chrome):
    html = samples.render(PAGE.format(name), chrome=chrome)
    page = Page(html.removeprefix("<!doctype html>"))
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert page.faults == []
    assert policy_faults(page) == []
    assert name_faults(page) == []
    assert EVIL not in html
    assert [tag for tag, _ in page.tags].count("h1") == (1 if name == "shell" else 0)
    assert page.values("src")[0].startswith("/_assets/host/theme.")
    assert ("/brand.css?v=1" in page.values("href")) == (chrome is CHROME)
    assert "content" in page.values("id")


def test_mail_layouts(samples: Samples):
    mail = MailFrame(subject="Hi", brand=EVIL, home_url="https://x", footer=["Street 1"], unsubscribe_url="https://x/u")
    source = '{% extends "layouts/mail.html" %}{% block content %}{{ button("Open", "https://x/c") }}{% endblock %}'
    html = samples.render(source, mail=mail)
    assert Page(html.removeprefix("<!doctype html>")).faults == []
    assert '<a href="https://x/c"><font color="#ffffff">Open</font></a>' in html
    assert EVIL not in html
    source = '{% extends "layouts/mail.txt" %}{% block content %}A & B{% endblock %}'
    assert samples.render(source, "txt", mail=mail) == (
        f"{EVIL}\n\nA & B\n--\nStreet 1\nhttps://x\nUnsubscribe: https://x/u\n"
    )


def test_stamps_show_what_is_there_what_is_new_and_what_is_next(show: Callable[..., str]):
    html = show('{{ ui.stamp_grid(8, 10, "coffee", "Free coffee", 1) }}')
    classes = [
        attrs["class"]
        for tag, attrs in Page(html).tags
        if tag == "span" and (attrs.get("class") or "").startswith("stamp")
    ]
    assert classes == ["stamp is-filled"] * 7 + ["stamp is-filled is-new", "stamp is-next", "stamp"]
    assert 'aria-label="8 / 10 stamps"' in html
    assert "2 more to go" in html
    assert "is-ready" not in html


def test_a_full_card_is_ready_and_surplus_shows(show: Callable[..., str]):
    html = show('{{ ui.stamp_grid(12, 10, "coffee", "Free coffee") }}')
    assert html.count("is-filled") == 10
    assert "Ready to redeem" in html
    assert "+2</span>" in html


def test_more_than_ten_stamps_are_a_ring(show: Callable[..., str]):
    html = show("{{ ui.stamp_grid(15, 20) }}")
    assert 'class="stamps"' not in html
    assert 'stroke-dasharray="75.0 100"' in html


def test_pager_and_numbers(show: Callable[..., str]):
    assert "<p>1–20 of 1,247</p>" in show('{{ ui.pager(1, 20, 1247, "", "/2") }}')
    assert "4821-7493-2841" in show('{{ ui.loyalty_card("Café", number="482174932841") }}')


def test_an_error_is_told_at_the_field(show: Callable[..., str]):
    html = show('{{ ui.field("reward", "Reward", help="For ten stamps.", error="Say what it is.", required=true) }}')
    control = next(attrs for tag, attrs in Page(html).tags if tag == "input")
    assert control["aria-describedby"] == "f-reward-error f-reward-help"
    assert control["aria-invalid"] == "true"
    assert "required" in control
    assert 'id="f-reward-error"' in html


def test_money_is_shown_in_major_units(show: Callable[..., str]):
    html = show('{{ ui.field("value", "Value", "money", 450, currency="EUR") }}')
    assert '<span class="input-unit">€</span>' in html
    assert 'value="4.50"' in html


def test_a_secret_is_never_shown(show: Callable[..., str]):
    assert EVIL not in show('{{ ui.field("key", "Key", "secret", evil, is_set=true) }}')
    assert 'value=""' in show('{{ ui.field("key", "Key", "secret", "s3cret", is_set=true) }}')


def test_the_pin_pad_is_an_ordinary_form_without_a_script(show: Callable[..., str]):
    page = Page(show('{{ ui.pin_pad("/sale", "Add a stamp", fields={"card": "c1"}, staff=staff) }}'))
    form = next(attrs for tag, attrs in page.tags if tag == "form")
    inputs = [(attrs.get("type"), attrs.get("name"), attrs.get("value")) for tag, attrs in page.tags if tag == "input"]
    assert (form["method"], form["action"], form["data-step"]) == ("post", "/sale", "staff")
    assert inputs == [
        ("hidden", "card", "c1"),
        ("radio", "staff", "1"),
        ("radio", "staff", "2"),
        ("password", "pin", None),
    ]


def icon_names() -> Mapping[str, set[str]]:
    """Icons that templates name in so many words."""
    found = {}
    for file in [*TEMPLATES.rglob("*.html"), *bundled("themes").rglob("*.html")]:
        found[file.name] = set(re.findall(r"""\bicon\(["']([a-z0-9-]+)["']""", file.read_text("utf-8")))
    return found


def test_every_icon_exists():
    icons = Icons(DIST / "icons.json", strict=True)
    assert {
        file: missing for file, names in icon_names().items() if (missing := {n for n in names if n not in icons})
    } == {}


def test_stamp_icons_that_a_merchant_may_pick_exist():
    icons = Icons(DIST / "icons.json", strict=True)
    assert [name for name in ("coffee", "pizza", "scissors", "leaf", "star", "croissant") if name not in icons] == []


def test_no_template_of_ours_has_style_attributes_or_inline_scripts():
    faults = []
    for file in TEMPLATES.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", file.read_text("utf-8"), flags=re.DOTALL)
        if re.search(r"\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=\"|javascript:", text):
            faults.append(file.name)
    assert faults == []


def test_layouts_name_their_blocks():
    for file in (TEMPLATES / "layouts").glob("*.html"):
        about, _, source = file.read_text("utf-8").partition("-#}")
        blocks = set(re.findall(r"block (\w+)", source)) - {"body", "head_row", "density"}
        assert [name for name in blocks if not re.search(rf"\b{name}\b", about)] == []
