"""QR codes as clean SVG: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import qrcode
from qrcode.constants import ERROR_CORRECT_M

QUIET_ZONE = 4
"""Light modules around the code, as ISO/IEC 18004 demands."""


def qr_svg(text: str) -> str:
    """A QR code as one SVG element, without style attributes and scripts, so that a strict CSP lets it pass.

    It is black on white in every theme, since scanners want contrast, and as large as what it is placed in.

    Screen readers skip it; what it is placed in says what it is for.

    Args:
        text: what a scanner reads, usually an address.

    Returns:
        `<svg …>` with a white ground and one path, for embedding in a page.
    """
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    size = len(matrix) + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" aria-hidden="true"'
        ' shape-rendering="crispEdges" focusable="false">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        f'<path fill="#000" d="{"".join(_bars(matrix))}"/></svg>'
    )


def _bars(matrix: Sequence[Sequence[bool | None]]) -> Iterator[str]:
    """Rows of dark modules, joined to bars."""
    for y, row in enumerate(matrix):
        x = 0
        for dark, run in groupby(row, key=bool):
            width = len(list(run))
            if dark:
                yield f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h{width}v1h-{width}z"
            x += width
