"""Pages of the reference on what themes work with: page contexts, what stands around a page, properties in CSS."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, get_args, get_type_hints

from describe import about, code, codes, head, table, value_class

from regulars.contracts.pages import PageContext
from regulars.kernel.i18n import formats
from regulars.kernel.templating import chrome
from regulars.kernel.templating.brand import FONT_TITLES, PROPERTIES, STAGE_PROPERTIES
from regulars.kernel.templating.icons import Icons
from regulars.web import failures, portal

FUNCTIONS = {
    "_(text)": "translates; also `ngettext(one, many, number)` and the tag `{% trans %}`",
    'slot("portal.card", data)': "what plugins add at a place, see the reference of slots",
    "asset_url(name)": "address of a file of the host's build",
    "theme_asset_url(theme, name)": "address of a file below a theme's `static/`",
    "plugin_asset_url(plugin, name)": "address of a file below a plugin's `static/`",
    'icon(name, class_="")': inspect.cleandoc(Icons.__call__.__doc__ or "").partition("\n")[0],
    "initials(name)": "of a person, for a round picture",
    "number|card_number": "a filter: a card's number in groups of four",
}


def contexts() -> Iterator[type[PageContext]]:
    """Every page of the portal, and the page that says what went wrong."""
    modules = [import_module(f"{portal.__name__}.{one.name}") for one in iter_modules(portal.__path__)]
    for module in [*modules, failures]:
        for kind in vars(module).values():
            is_page = isinstance(kind, type) and issubclass(kind, PageContext) and kind.__module__ == module.__name__
            if is_page and "template" in vars(kind):
                yield kind


def pages_page() -> str:
    """What templates of customers' pages get."""
    intro = (
        "What a template of a customer's page can use, and all that is promised: `page`, the page's own context; "
        "`chrome`, what stands around it; the functions below; the components of "
        "`platform/regulars/web/templates/components`, each documented at its top."
    )
    text = head("Pages and their contexts", "the dataclasses of the pages", intro)
    told: dict[str, type] = {}
    for kind in sorted(contexts(), key=lambda kind: kind.template):
        text += f"\n## {code(kind.template)}\n\n{value_class(kind)}"
        told |= {one.__name__: one for one in _parts(kind)}
    text += "\n## What they are made of\n"
    text += "".join(f"\n{value_class(kind)}" for _, kind in sorted(told.items()))
    text += "\n## Around every page: `chrome`\n"
    text += "".join(f"\n{value_class(kind)}" for kind in (chrome.Chrome, chrome.Link, chrome.Language, chrome.Flash))
    text += f"\n## Mails: `mail`\n\n{value_class(chrome.MailFrame)}"
    text += "\nMails also see `tenant`, `recipient` and the values of their kind; see the templates in `mails/`.\n"
    text += "\n## Functions\n\n" + table(("in templates", "gives"), [(code(n), m) for n, m in FUNCTIONS.items()])
    found = {name: getattr(formats, name) for name in sorted(formats.TEMPLATE_NAMES)}
    rows = [(code(name), about(one).partition("\n")[0]) for name, one in found.items()]
    return text + "\nIn the reader's language:\n\n" + table(("function", "gives"), rows)


def _parts(kind: type) -> Iterator[type]:
    """Our classes of values that a context's fields have, at any depth."""
    ahead, seen = [kind], set[type]()
    while ahead:
        for annotation in get_type_hints(ahead.pop()).values():
            for one in _classes(annotation):
                if one not in seen and is_dataclass(one) and one.__module__.startswith("regulars."):
                    seen.add(one)
                    ahead.append(one)
                    if not issubclass(one, PageContext):
                        yield one


def _classes(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    origin = getattr(annotation, "__origin__", None)
    if isinstance(origin, type):
        yield origin
    for inner in get_args(annotation):
        yield from _classes(inner)


def properties_page() -> str:
    """Custom properties in CSS."""
    intro = (
        "What a style sheet can use. Those of the brand come from `/brand.css`, which follows the tenant. Those "
        "of the stage are the host's, and a theme may set them anew for its light and dark scheme. Text stays readable "
        "as long as a theme's grounds have at least the contrast of the host's: light ones not darker than `#f6f6f7`, "
        "dark ones not lighter than `#17191e`."
    )
    text = head("Properties in CSS", "`platform/regulars/kernel/templating/brand.py`", intro)
    text += "\n## The brand\n\n" + table(("property", "meaning"), [(code(n), m) for n, m in PROPERTIES.items()])
    text += "\n## The theme's own settings\n\n" + table(
        ("property", "meaning"),
        [
            (code("--theme-<key>"), "the setting's value; underscores become hyphens; images have none"),
            (code("--theme-<key>-content"), "for colours: readable on that colour"),
            (code("--theme-<key>-text"), "for colours: its nearest readable shade for words on the page"),
        ],
    )
    text += "\n## The stage\n\n" + table(("property", "meaning"), [(code(n), m) for n, m in STAGE_PROPERTIES.items()])
    return text + f"\n## Families\n\nA setting of type `font` chooses one of {codes(FONT_TITLES)}.\n"
