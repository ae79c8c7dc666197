"""Pictures that settings in a tenant's file name: `photo = "asset:loaf.png"` means a file in `assets/` beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from regulars.contracts.errors import InvalidInput
from regulars.domain.tenants.files.formats import TenantFile
from regulars.domain.tenants.logos import clean_photo

ASSETS = "assets"
_MARK = "asset:"


def with_pictures(
    path: Path, file: TenantFile, fault: Callable[[Path, str, str], None]
) -> tuple[TenantFile, tuple[bytes, ...]]:
    """The file with pictures as they are stored: by the name that their content gives them.

    Args:
        path: of the file.
        file: as it was read.
        fault: told what is wrong: path, key, sentence.

    Returns:
        The file, and the contents of its pictures.
    """
    pictures: dict[str, bytes] = {}

    def named(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: named(one, f"{key}.{name}") for name, one in value.items()}
        if isinstance(value, list):
            return [named(one, key) for one in value]
        if not isinstance(value, str) or not value.startswith(_MARK):
            return value
        try:
            content = (path.parent / ASSETS / Path(value.removeprefix(_MARK)).name).read_bytes()
            name, _encoded = clean_photo(content)
        except OSError:
            fault(path, key, f"there is no file {ASSETS}/{value.removeprefix(_MARK)} beside it")
        except InvalidInput as error:
            fault(path, key, error.detail)
        else:
            pictures[name] = content
            return name
        return ""

    programs = [
        program.model_copy(update={"settings": named(program.settings, f"programs, “{program.name}”")})
        for program in file.programs
    ]
    return file.model_copy(update={"programs": programs}), tuple(pictures.values())
