"""The stand-in's page of a card, drawn much as the phone draws it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import qrcode
import qrcode.image.svg
from jinja2 import Environment, Template, select_autoescape
from markupsafe import Markup


def card_page(card: dict[str, Any], shared: dict[str, Any]) -> str:
    """The page.

    Args:
        card: the object.
        shared: its class.
    """
    return _template().render(card=card, shared=shared, qr=_qr(card.get("barcode", {}).get("value", "")))


@cache
def _template() -> Template:
    source = files("regulars.cli.demo.google").joinpath("card.html").read_text("utf-8")
    return Environment(autoescape=select_autoescape(default=True, default_for_string=True)).from_string(source)


def _qr(text: str) -> Markup:
    if not text:
        return Markup()
    drawn = BytesIO()
    qrcode.make(text, image_factory=qrcode.image.svg.SvgPathImage, border=1).save(drawn)
    svg = drawn.getvalue().decode().partition("?>")[2]
    return Markup(svg)  # noqa: S704 -- drawn here
