"""Logos and pictures as they are kept: decoded, bounded, encoded anew without metadata, named by their content."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image, ImageOps, UnidentifiedImageError

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _

TENANT_FOLDER = "tenants"
"""Folder of the data folder with one folder for each tenant's own files, named by its id."""
MAX_BYTES = 2_000_000
MAX_PIXELS = 16_000_000
MAX_SIDE = 512
MAX_PHOTO_SIDE = 1600
_MOST_COLOURS = 256
"""Of a palette."""
_PHOTO_QUALITY = 82
_FORMATS = ("PNG", "JPEG", "WEBP")


def tenant_folder(data_dir: Path, tenant_id: UUID) -> Path:
    """Where a tenant's own files lie; it may not exist yet."""
    return data_dir / TENANT_FOLDER / str(tenant_id)


def clean_logo(content: bytes) -> tuple[str, bytes]:
    """Make an image that somebody sent fit to be shown as a logo.

    Args:
        content: a PNG, JPEG or WebP file.

    Returns:
        A file name that says what is in it, and a PNG of at most 512 pixels a side. The same picture gives the same
        name, so an address with it can be kept for ever.

    Raises:
        InvalidInput: it is no such image or too large, under the field `logo`.
    """
    picture = _decoded(content)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return _named("logo", picture, "png"), to_png(picture)


def clean_photo(content: bytes) -> tuple[str, bytes]:
    """Make an image that somebody sent fit to be a picture of a page: a WebP of at most 1600 pixels a side.

    Arguments, returns and errors as for `clean_logo`.
    """
    picture = _decoded(content)
    picture.thumbnail((MAX_PHOTO_SIDE, MAX_PHOTO_SIDE), Image.Resampling.LANCZOS)
    output = io.BytesIO()
    picture.save(output, "WEBP", quality=_PHOTO_QUALITY)
    return _named("photo", picture, "webp"), output.getvalue()


def store_logo(data_dir: Path, tenant_id: UUID, content: bytes) -> str:
    """Keep a logo for a tenant.

    Args:
        data_dir: of the installation.
        tenant_id: whose logo.
        content: as for `clean_logo`.

    Returns:
        The name for the tenant's branding. Earlier logos stay, as pages that are open may show them.

    Raises:
        InvalidInput: as for `clean_logo`.
    """
    return _store(data_dir, tenant_id, *clean_logo(content))


def store_photo(data_dir: Path, tenant_id: UUID, content: bytes) -> str:
    """Keep a picture for a setting of a theme; arguments, returns and errors as for `store_logo`."""
    return _store(data_dir, tenant_id, *clean_photo(content))


def _decoded(content: bytes) -> Image.Image:
    """The first picture in a file, upright, as plain pixels: nothing else of the file is kept."""
    if len(content) > MAX_BYTES:
        raise _refused(_("An image has at most %(most)s MB.", most=MAX_BYTES // 1_000_000))
    too_many = _("An image has at most %(most)s million pixels.", most=MAX_PIXELS // 1_000_000)
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _refused(too_many)
            return ImageOps.exif_transpose(image).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise _refused(too_many) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise _refused(_("Choose a PNG, JPEG or WebP image; this could not be read as one.")) from error


def _named(prefix: str, picture: Image.Image, ending: str) -> str:
    return f"{prefix}-{hashlib.sha256(picture.tobytes()).hexdigest()[:12]}.{ending}"


def _store(data_dir: Path, tenant_id: UUID, name: str, encoded: bytes) -> str:
    folder = tenant_folder(data_dir, tenant_id)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{name}"
    unfinished.write_bytes(encoded)
    unfinished.replace(folder / name)
    return name


def to_png(picture: Image.Image) -> bytes:
    """A picture as a PNG file without metadata, pixel for pixel; one of few colours is a third as large."""
    output = io.BytesIO()
    _with_palette(picture).save(output, "PNG", optimize=True)
    return output.getvalue()


def _with_palette(picture: Image.Image) -> Image.Image:
    colours: list[Any] = [colour for _count, colour in picture.getcolors(_MOST_COLOURS) or ()]
    if picture.mode != "RGBA" or not colours:
        return picture
    places = {colour: place for place, colour in enumerate(colours)}
    found = Image.new("P", picture.size)
    found.putpalette([part for colour in colours for part in colour], "RGBA")
    found.putdata([places[colour] for colour in picture.get_flattened_data()])
    return found


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"logo": sentence})
