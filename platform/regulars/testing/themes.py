"""Checking themes in tests: `check_theme` says what is wrong with one, as `regulars theme check` does."""

from regulars.cli.theme_check import check_theme
from regulars.cli.theme_check.findings import Finding

__all__ = ["Finding", "check_theme"]
