"""Fault G10: whatever is uploaded as a picture is refused with a sentence, or only its pixels are kept."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, PngImagePlugin

from regulars.contracts.errors import InvalidInput
from regulars.domain.tenants.logos import MAX_BYTES, clean_logo, clean_photo

MARKER = b"<script>alert(1)</script>"
CLEAN: tuple[Callable[[bytes], tuple[str, bytes]], ...] = (clean_logo, clean_photo)


def saved(kind: str, size: tuple[int, int] = (60, 40), **more: object) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", size, "#7a3e1d").save(output, kind, **more)
    return output.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def huge_png(width: int, height: int) -> bytes:
    """A few bytes that say they are a picture of any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def frames(kind: str, number: int) -> bytes:
    output = io.BytesIO()
    pictures = [Image.new("RGB", (8, 8), (count % 256, 0, 0)) for count in range(number)]
    pictures[0].save(output, kind, save_all=True, append_images=pictures[1:])
    return output.getvalue()


def with_gps() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (49.0, 36.0, 41.0), 3: "E", 4: (6.0, 7.0, 48.0)})
    exif[0x010F] = "Secret Camera"
    return saved("JPEG", exif=exif.tobytes())


def with_texts() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", MARKER.decode())
    info.add_itxt("XML:com.adobe.xmp", MARKER.decode())
    return saved("PNG", pnginfo=info)


def text_bomb() -> bytes:
    """A PNG whose compressed text is a thousand times as large as the file."""
    image = saved("PNG")
    text = chunk(b"zTXt", b"x\0\0" + zlib.compress(b"a" * 80_000_000))
    return image[:33] + text + image[33:]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg">%s</svg>'
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + SVG % b"<text>&b;</text>"
ENTITY = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + SVG % b"<text>&a;</text>"
REFUSED = {
    "SVG with script": (SVG % MARKER, "Choose a PNG, JPEG or WebP image"),
    "SVG with a foreign object": (SVG % b"<foreignObject><body/></foreignObject>", "Choose a PNG, JPEG or WebP image"),
    "SVG with an external entity": (ENTITY, "Choose a PNG, JPEG or WebP image"),
    "SVG with a billion laughs": (LAUGHS, "Choose a PNG, JPEG or WebP image"),
    "HTML": (b"<!doctype html>" + MARKER, "Choose a PNG, JPEG or WebP image"),
    "nothing": (b"", "Choose a PNG, JPEG or WebP image"),
    "900 million pixels": (huge_png(30_000, 30_000), "An image has at most 16 million pixels."),
    "just too many pixels": (huge_png(4_000, 4_001), "An image has at most 16 million pixels."),
    "no width": (huge_png(0, 10), "Choose a PNG, JPEG or WebP image"),
    "GIF with many frames": (frames("GIF", 300), "Choose a PNG, JPEG or WebP image"),
    "TIFF": (saved("TIFF"), "Choose a PNG, JPEG or WebP image"),
    "ICO": (saved("ICO"), "Choose a PNG, JPEG or WebP image"),
    "half a file": (saved("PNG", (400, 400))[:-40], "Choose a PNG, JPEG or WebP image"),
    "too many bytes": (saved("JPEG") + b"\0" * MAX_BYTES, "An image has at most 2 MB."),
    "a bomb of text": (text_bomb(), "Choose a PNG, JPEG or WebP image"),
}
KEPT = {
    "JPEG that is HTML too": saved("JPEG") + MARKER,
    "JPEG with a comment": saved("JPEG", comment=MARKER),
    "JPEG with a place": with_gps(),
    "PNG with texts": with_texts(),
    "PNG that is a ZIP too": saved("PNG") + b"PK\x05\x06" + MARKER + b"\0" * 18,
    "WebP with many frames": frames("WEBP", 40),
    "PNG with many frames": frames("PNG", 40),
}


@pytest.mark.parametrize("clean", CLEAN)
@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused(clean: Callable[[bytes], object], what: str) -> None:
    content, sentence = REFUSED[what]
    with pytest.raises(InvalidInput) as caught:
        clean(content)
    assert caught.value.detail.startswith(sentence)
    assert list(caught.value.fields) == ["logo"]


@pytest.mark.parametrize("clean", CLEAN)
@pytest.mark.parametrize("what", KEPT)
def test_only_its_pixels_are_kept(clean: Callable[[bytes], tuple[str, bytes]], what: str) -> None:
    name, encoded = clean(KEPT[what])
    assert name.endswith((".png", ".webp"))
    assert b"script" not in encoded
    with Image.open(io.BytesIO(encoded)) as image:
        image.load()
        assert (image.format, getattr(image, "n_frames", 1)) == ("PNG" if name.endswith(".png") else "WEBP", 1)
        assert dict(image.getexif()) == {}
        assert {"comment", "Comment", "xmp", "XML:com.adobe.xmp", "icc_profile"} & image.info.keys() == set()


def test_a_large_photo_is_made_small() -> None:
    name, encoded = clean_photo(saved("JPEG", (4_000, 3_000)))
    with Image.open(io.BytesIO(encoded)) as image:
        assert (image.size, name[-5:]) == ((1600, 1200), ".webp")


def test_it_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    _name, encoded = clean_logo(saved("JPEG", (60, 40), exif=exif.tobytes()))
    with Image.open(io.BytesIO(encoded)) as image:
        assert image.size == (40, 60)
