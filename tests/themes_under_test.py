"""The theme that is a package, installed for a test as an installer would do it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FIXTURE = Path(__file__).resolve().parent / "fixture_theme"
PACKAGE = FIXTURE / "regulars_theme_fixture"


def install_fixture(target: Path) -> None:
    """Build and install it into a folder, which is then to be put on the path.

    Args:
        target: the folder.
    """
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", str(target), str(FIXTURE)]
    subprocess.run(command, check=True)
