"""Logos as they are kept: decoded, bounded, encoded anew without metadata, named by their content."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageOps, UnidentifiedImageError

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _

TENANT_FOLDER = "tenants"
"""Folder of the data folder with one folder for each tenant's own files, named by its id."""
MAX_BYTES = 4_000_000
MAX_PIXELS = 16_000_000
MAX_SIDE = 512
_FORMATS = ("PNG", "JPEG", "WEBP")


def tenant_folder(data_dir: Path, tenant_id: UUID) -> Path:
    """Where a tenant's own files lie; it may not exist yet."""
    return data_dir / TENANT_FOLDER / str(tenant_id)


def clean_logo(content: bytes) -> tuple[str, bytes]:
    """Make an image that somebody sent fit to be shown.

    Args:
        content: a PNG, JPEG or WebP file.

    Returns:
        A file name that says what is in it, and a PNG of at most 512 pixels a side. The same picture gives the same
        name, so an address with it can be kept for ever.

    Raises:
        InvalidInput: it is no such image or too large, under the field `logo`.
    """
    if len(content) > MAX_BYTES:
        raise _refused(_("A logo has at most %(most)s MB.", most=MAX_BYTES // 1_000_000))
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _refused(_("A logo has at most %(most)s million pixels.", most=MAX_PIXELS // 1_000_000))
            picture = ImageOps.exif_transpose(image).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise _refused(_("A logo is a PNG, JPEG or WebP image; this could not be read as one.")) from error
    except Image.DecompressionBombError as error:
        raise _refused(_("A logo has at most %(most)s million pixels.", most=MAX_PIXELS // 1_000_000)) from error
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    encoded = to_png(picture)
    return f"logo-{hashlib.sha256(picture.tobytes()).hexdigest()[:12]}.png", encoded


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
    name, encoded = clean_logo(content)
    folder = tenant_folder(data_dir, tenant_id)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{name}"
    unfinished.write_bytes(encoded)
    unfinished.replace(folder / name)
    return name


def to_png(picture: Image.Image) -> bytes:
    """A picture as a PNG file without metadata."""
    output = io.BytesIO()
    picture.save(output, "PNG", optimize=True)
    return output.getvalue()


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"logo": sentence})
