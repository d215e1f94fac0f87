"""One canonical decoder: bytes of any accepted image file -> an upright, opaque 8-bit grey or RGB image.

What an image is, is decided by its content, never by its name. Every change made on the way is reported in
words.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gmaug_core.errors import InputError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = (
    2**25
)  # 33.5 megapixels, 100 MB as RGB: above any training image, below what hurts a small machine
GREY_PROBE = 64  # pixels a side that is_grey looks at

_ORIENTATION = 0x0112  # EXIF tag
# what Pillow raises on damaged files, all formats together
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
_OTHER_FILES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "PostScript"),
    (b"SIMPLE  =", "FITS"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML or SVG"),
    (b"<!DOCTYPE", "HTML"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1f\x8b", "a gzip file"),
)


class Decoded(NamedTuple):
    """image: PIL, mode "L" or "RGB"; conversions: what was done to get there, in words, in order."""

    image: Image.Image
    conversions: tuple[str, ...]


def decode(data: bytes) -> Decoded:
    """Decode one image file.

    The first frame of an animation; turned upright by its EXIF orientation; alpha flattened on white;
    palettes and CMYK to RGB; 16-bit, 32-bit and float samples rescaled to 0..255. Raises InputError with the
    reason when the bytes are no image in one of FORMATS, damaged, or larger than MAX_PIXELS.
    """
    expected = "an intact image: " + ", ".join(FORMATS)
    if not data:
        raise InputError("the file is empty", expected=expected)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise InputError(
                    f"{width} x {height} pixels is too large",
                    expected=f"at most {MAX_PIXELS:,} pixels an image",
                )
            return _canonical_depth(image)
    except UnidentifiedImageError:
        raise InputError("not an image: " + _looks_like(data), expected=expected) from None
    except Image.DecompressionBombError:
        raise InputError(
            "a decompression bomb: far too many pixels", expected=f"at most {MAX_PIXELS:,} pixels an image"
        ) from None
    except _DAMAGED as error:
        raise InputError(f"a damaged image ({_short(error)})", expected=expected) from error


def _canonical_depth(image: Image.Image) -> Decoded:
    done = []
    if getattr(image, "is_animated", False):
        done.append("first frame of several")
        image.seek(0)
    image.load()
    orientation = image.getexif().get(_ORIENTATION, 1)
    if orientation in range(2, 9):
        done.append(f"turned upright (EXIF orientation {orientation})")
        image = ImageOps.exif_transpose(image)
    mode = image.mode
    if mode.startswith("I;16"):
        done.append("16-bit rescaled to 8-bit")
        return Decoded(_from_array(np.asarray(image), 65535.0), tuple(done))
    if mode in ("I", "F"):
        values = np.asarray(image).astype(np.float64)
        low, high = float(values.min()), float(values.max())
        if not np.isfinite(low) or not np.isfinite(high):
            raise InputError("holds values that are not finite", expected="finite pixel values")
        done.append(f"{'float' if mode == 'F' else '32-bit'} rescaled to 8-bit")
        return Decoded(_from_array(*_unit_range(values, low, high, is_float=mode == "F")), tuple(done))
    if image.has_transparency_data:
        done.append("transparency flattened on white")
        return Decoded(_flatten(image), tuple(done))
    if mode in ("L", "RGB"):
        return Decoded(image.copy() if not done else image, tuple(done))
    done.append(
        {"P": "palette to RGB", "CMYK": "CMYK to RGB", "1": "1-bit to grey"}.get(mode, f"{mode} to RGB")
    )
    return Decoded(image.convert("L" if mode == "1" else "RGB"), tuple(done))


def _unit_range(values: np.ndarray, low: float, high: float, *, is_float: bool) -> tuple[np.ndarray, float]:
    """The value that means white.

    Known conventions first (floats in 0..1, 8-bit, 16-bit); anything else by its own range.
    """
    if low >= 0:
        for white in (1.0, 255.0, 65535.0) if is_float else (65535.0,):
            if high <= white:
                return values, white
    return values - low, max(high - low, 1.0)


def _from_array(values: np.ndarray, white: float) -> Image.Image:
    return Image.fromarray(np.floor(values * (255.0 / white) + 0.5).astype(np.uint8))


def _flatten(image: Image.Image) -> Image.Image:
    """Composite on white; grey stays grey."""
    grey = image.mode in ("L", "LA", "La", "1")
    layered = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return flat.convert("L" if grey else "RGB")


def is_grey(image: Image.Image) -> bool:
    """Whether the image holds no colour: mode "L", or equal channels on a grid of at most GREY_PROBE x
    GREY_PROBE pixels.
    """
    if image.mode == "L":
        return True
    width, height = image.size
    sample = np.asarray(
        image.resize((min(width, GREY_PROBE), min(height, GREY_PROBE)), Image.Resampling.NEAREST)
    )
    return bool((sample == sample[..., :1]).all())


def canonical(image: Image.Image, size: int, colour: str) -> np.ndarray:
    """Centre crop to a square, PIL bilinear (antialiased) to `size`, PIL "L" when grey.

    image: "L" or "RGB". Returns uint8 [size, size] for "grey", [size, size, 3] for "rgb".
    """
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    square = image if width == height else image.crop((left, top, left + side, top + side))
    return np.asarray(
        square.resize((size, size), Image.Resampling.BILINEAR).convert("L" if colour == "grey" else "RGB")
    )


def _looks_like(data: bytes) -> str:
    start = data[:256].lstrip()
    for magic, words in _OTHER_FILES:
        if start.startswith(magic):
            return f"it looks like {words}"
    return "its content is none of " + ", ".join(FORMATS)


def _short(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:100]
