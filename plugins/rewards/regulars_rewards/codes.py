"""A list of codes, as merchants paste or upload it: one a line, or the first column of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from regulars.sdk.i18n import _

MOST = 50_000
LONGEST = 80
_SEPARATORS = {",": ",", ";": ";", "\t": "\t"}


def read_codes(content: str) -> tuple[Sequence[str], Sequence[tuple[int, str]]]:
    """Read a list of codes.

    Args:
        content: what was sent.

    Returns:
        The codes, each once, in their order; and (line, what is wrong) for lines that are none.
    """
    codes: dict[str, None] = {}
    faults: list[tuple[int, str]] = []
    first = content.split("\n", 1)[0]
    separator = next((one for one in _SEPARATORS if one in first), ",")
    for number, row in enumerate(csv.reader(io.StringIO(content.lstrip("\ufeff")), delimiter=separator), 1):
        code = row[0].strip() if row else ""
        if not code or (number == 1 and code.casefold() == "code"):
            continue
        if len(code) > LONGEST or not code.isprintable():
            faults.append((number, _("A code has at most %(most)s letters and digits.", most=LONGEST)))
        elif len(codes) >= MOST and code not in codes:
            faults.append((number, _("At most %(most)s codes at once: send the rest afterwards.", most=MOST)))
            break
        else:
            codes[code] = None
    return list(codes), faults
