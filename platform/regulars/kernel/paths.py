"""Where bundled files are, in the editable form (a clone) and in the installed form (a wheel)."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_REPOSITORY = _PACKAGE.parents[1]


def bundled(name: str) -> Path:
    """Find a folder that is shipped with Regulars but lies outside of its package.

    Args:
        name: `migrations`, `themes` or `tenants`, as in the root of the repository; deeper paths such as
            `themes/classic` are allowed.

    Returns:
        The absolute path of the existing folder.

    Raises:
        FileNotFoundError: neither the wheel nor the clone has it; the text names both places.
    """
    places = (_PACKAGE / "_bundled" / name, _REPOSITORY / name)
    for place in places:
        if place.is_dir():
            return place
    message = f"Regulars is installed without its folder '{name}' (looked in {places[0]} and {places[1]})."
    raise FileNotFoundError(message)
