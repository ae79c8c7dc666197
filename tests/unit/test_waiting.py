"""How long staff and customer wait, in the words in which the page counts it down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from regulars.web.terminal.customer import waiting_for

NOW = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 minute"),
        (61, "2 minutes"),
        (3_600, "60 minutes"),
        (7_140, "119 minutes"),
        (7_141, "2 hours"),
        (7_201, "3 hours"),
    ],
)
def test_the_wait_is_rounded_up(seconds: int, words: str) -> None:
    assert waiting_for("Too soon.", NOW + timedelta(seconds=seconds), NOW).words == words
