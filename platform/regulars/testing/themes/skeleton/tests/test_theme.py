from pathlib import Path

from regulars.testing.themes import check_theme


def test_the_theme_is_sound() -> None:
    assert [str(found) for found in check_theme(Path(__file__).parents[1]) if found.is_error] == []
