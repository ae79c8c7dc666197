"""QR codes as SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import qrcode

from regulars.domain.cards.qr import QUIET_ZONE, qr_svg

ADDRESS = "https://cafe.example.com/c/AbCdEfGhIjKlMnOpQrStUv"


def painted(svg: str) -> list[list[bool]]:
    """The picture that the path paints."""
    root = ET.fromstring(svg)
    size = int(root.attrib["viewBox"].split()[2])
    rows = [[False] * size for _ in range(size)]
    path = root.findall("{http://www.w3.org/2000/svg}path")[1].attrib["d"]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        for column in range(int(x), int(x) + int(width)):
            rows[int(y)][column] = True
    return rows


def test_the_picture_is_the_code_with_its_quiet_zone():
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(ADDRESS)
    code.make(fit=True)
    assert QUIET_ZONE == 4
    assert painted(qr_svg(ADDRESS)) == code.get_matrix()


def test_a_strict_policy_lets_it_pass():
    svg = qr_svg(ADDRESS)
    assert "style" not in svg
    assert "<script" not in svg
    assert ADDRESS not in svg
