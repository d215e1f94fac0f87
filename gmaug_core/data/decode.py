"""One canonical decoder: bytes of any accepted image file -> an upright, opaque 8-bit grey or RGB image.

What an image is, is decided by its content, never by its name. Every change made on the way is reported in
words.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gmaug_core.errors import InputError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
STRIP_ROWS = 256  # of a deep image, rescaled at once
MAX_PIXELS = 2**26  # 67 megapixels, 200 MB as RGB: a phone's 48 go in, and a small machine is not hurt
GREY_PROBE = 64  # pixels a side that is_grey looks at first
NEARLY_BLACK, TINY, STRIP = 16, 8, 10  # what remark names: largest sample, pixels, length by width

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
_TIFF = "a TIFF of another kind than grey, RGB or CMYK, as one of many bands: save it as one of these first"
_OTHER_FILES = (
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
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
    (b"version https://git-lfs", "a Git LFS pointer: fetch the images with 'git lfs pull'"),
    (b"8BPS", "a Photoshop file"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\1\0", "an icon"),
    (b"\x89HDF", "HDF5"),
)
_OTHER_BOXES = (  # place of what tells, what it is, words
    (4, b"jP  ", "JPEG 2000: convert it to PNG or TIFF first"),
    (4, b"JXL ", "JPEG XL"),
    (4, b"ftypmp4", "a video: take its frames out as images first"),
    (4, b"ftypiso", "a video: take its frames out as images first"),
    (4, b"ftypqt", "a video: take its frames out as images first"),
    (8, b"AVI ", "a video: take its frames out as images first"),
    (8, b"CR\2", "a camera's raw file: convert it to TIFF or JPEG first"),
    (128, b"DICM", "DICOM: convert it to PNG or TIFF first"),
)


Depth = Mapping[str, tuple[float, float]]  # kind -> the samples that mean black and white
HEIF = "HEIF"  # as the reader of HEIC calls itself
DEEP_COLOUR = "16-bit colour"  # kind of a Depth, as below
_SWAPPED = {  # how Pillow names RGB samples of 16 bits, and the same with their bytes the other way round
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": "RGBA;16B",
}
_KINDS = {"I": "32-bit", "F": "float"}  # by Pillow's mode; the rest of the deep ones are 16-bit
_PHOTOMETRIC = 262  # TIFF tag; 0: zero is white
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc", b"ftypmsf1")


class Decoded(NamedTuple):
    """image: PIL, mode "L" or "RGB"; conversions: what was done to get there, in words, in order."""

    image: Image.Image
    conversions: tuple[str, ...]


def decode(data: bytes, depth: Depth | None = None) -> Decoded:
    """Decode one image file.

    The first frame of an animation; turned upright by its EXIF orientation; alpha flattened on white;
    palettes and CMYK to RGB; 16-bit, 32-bit and float samples rescaled to 0..255: by what depth says of their
    kind, else by the image's own kind. Raises InputError with the
    reason when the bytes are no image in one of FORMATS, damaged, or larger than MAX_PIXELS.
    """
    expected = "an intact image: " + ", ".join(FORMATS)
    if not data:
        raise InputError("the file is empty", expected=expected)
    try:
        with Image.open(io.BytesIO(data), formats=_formats(data)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise InputError(
                    f"{width} x {height} pixels is too large: at most {MAX_PIXELS / 1e6:.0f} megapixels",
                    expected=f"at most {MAX_PIXELS:,} pixels an image",
                )
            if _is_deep_colour(image):
                return _deep_colour(image, data, (depth or {}).get(DEEP_COLOUR))
            return _canonical_depth(image, depth or {})
    except UnidentifiedImageError:
        raise InputError("not an image: " + _looks_like(data), expected=expected) from None
    except Image.DecompressionBombError:
        raise InputError(
            "a decompression bomb: far too many pixels", expected=f"at most {MAX_PIXELS:,} pixels an image"
        ) from None
    except _DAMAGED as error:
        raise InputError(f"a damaged image ({_short(error)})", expected=expected) from error


def _formats(data: bytes) -> tuple[str, ...]:
    """Readers that these bytes are offered to: that of HEIC is loaded when there is one."""
    return (*FORMATS, HEIF) if data[4:12] in _HEIC and _reads_heic() else FORMATS


@cache
def _reads_heic() -> bool:
    """Whether HEIC can be read here; teaches Pillow to where it can."""
    try:
        import pi_heif  # here: half of a tenth of a second that few imports need
    except ImportError:
        return False
    pi_heif.register_heif_opener(thumbnails=False)
    return True


def _is_deep_colour(image: Image.Image) -> bool:
    """Whether this is RGB or RGBA of 16 bits a sample, of which Pillow reads the upper 8."""
    tiles = getattr(image, "tile", [])
    return (
        image.mode in ("RGB", "RGBA") and bool(tiles) and all(_raw_mode(tile) in _SWAPPED for tile in tiles)
    )


def _raw_mode(tile: Any) -> str:
    return str(tile.args if isinstance(tile.args, str) else tile.args[0])


def _samples(image: Image.Image, data: bytes) -> np.ndarray:
    """uint16 [height, width, 3 or 4] of an image of 16 bits: Pillow gives the upper bytes, and the lower ones
    where it is told that they lie the other way round."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as again:
        again.tile = [tile._replace(args=_swapped(tile.args)) for tile in again.tile]
        low = np.asarray(again)
    return np.asarray((np.asarray(image).astype(np.uint16) << 8) | low)


def _swapped(args: Any) -> Any:
    return _SWAPPED[args] if isinstance(args, str) else (_SWAPPED[args[0]], *args[1:])


def _deep_colour(image: Image.Image, data: bytes, ends: tuple[float, float] | None) -> Decoded:
    """ends: the samples that mean black and white; None: the upper 8 bits of each."""
    values = None if ends is None else _samples(image, data)
    exif = image.getexif()
    layered = image.mode == "RGBA"
    upright, done = _upright(image)
    done.append(f"{DEEP_COLOUR} rescaled to 8-bit")
    if values is not None and ends is not None:
        colour = values[..., :3].reshape(len(values), -1)
        rescaled = Image.fromarray(np.asarray(_rescaled(colour, *ends)).reshape(*values.shape[:2], 3))
        if layered:
            rescaled.putalpha(Image.fromarray((values[..., 3] >> 8).astype(np.uint8)))
        upright = _upright(rescaled, exif)[0]
    if layered:
        done.append("transparency flattened on white")
        upright = _flatten(upright)
    return Decoded(upright, tuple(done))


def _upright(image: Image.Image, exif: Image.Exif | None = None) -> tuple[Image.Image, list[str]]:
    orientation = (image.getexif() if exif is None else exif).get(_ORIENTATION, 1)
    if orientation not in range(2, 9):
        return image.copy(), []
    if exif is not None:
        image.getexif()[_ORIENTATION] = orientation
    return ImageOps.exif_transpose(image), [f"turned upright (EXIF orientation {orientation})"]


def _canonical_depth(image: Image.Image, depth: Depth) -> Decoded:
    done = []
    inverted = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0 and _is_deep(image.mode)
    if getattr(image, "is_animated", False):
        done.append("first frame of several")
        image.seek(0)
    image.load()
    orientation = image.getexif().get(_ORIENTATION, 1)
    if orientation in range(2, 9):
        done.append(f"turned upright (EXIF orientation {orientation})")
        image = ImageOps.exif_transpose(image)
    mode = image.mode
    if _is_deep(mode):
        kind = _KINDS.get(mode, "16-bit")
        done.append(f"{kind} rescaled to 8-bit")
        values = np.asarray(image)
        black, white = depth.get(kind) or _own_range(values, kind)
        grey = _rescaled(values, black, white)
        if inverted:
            done.append("zero is white: inverted")
            grey = ImageOps.invert(grey)
        return Decoded(grey, tuple(done))
    if image.has_transparency_data:
        done.append("transparency flattened on white")
        return Decoded(_flatten(image), tuple(done))
    if mode in ("L", "RGB"):
        return Decoded(image.copy() if not done else image, tuple(done))
    done.append(
        {"P": "palette to RGB", "CMYK": "CMYK to RGB", "1": "1-bit to grey"}.get(mode, f"{mode} to RGB")
    )
    return Decoded(image.convert("L" if mode == "1" else "RGB"), tuple(done))


def _is_deep(mode: str) -> bool:
    return mode.startswith("I;16") or mode in _KINDS


def _own_range(values: np.ndarray, kind: str) -> tuple[float, float]:
    """The samples that mean black and white, from the image alone.

    Known conventions first (floats in 0..1, 8-bit, 16-bit); anything else by its own range.
    """
    if kind == "16-bit":
        return 0.0, 65535.0
    low, high = _finite_range(values)
    if low >= 0:
        for white in (1.0, 255.0, 65535.0) if kind == "float" else (65535.0,):
            if high <= white:
                return 0.0, white
    return low, low + max(high - low, 1.0)


def _finite_range(values: np.ndarray) -> tuple[float, float]:
    """Raises InputError where there is none."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise InputError("holds values that are not finite", expected="finite pixel values")
    return low, high


def deep_range(data: bytes) -> tuple[str, float, float] | None:
    """Kind, smallest and largest sample of an image of more than 8 bits; None for any other. The bytes were
    decoded once without an error."""
    with Image.open(io.BytesIO(data), formats=_formats(data)) as image:
        if _is_deep_colour(image):
            return DEEP_COLOUR, *_finite_range(_samples(image, data)[..., :3])
        if not _is_deep(image.mode):
            return None
        return _KINDS.get(image.mode, "16-bit"), *_finite_range(np.asarray(image))


def remark(image: Image.Image, deep: tuple[str, float, float] | None = None) -> str:
    """What is odd about a decoded image, in words; empty where nothing is.

    deep: its `deep_range`. Whether such an image is dark is told by the range of its whole dataset alone.
    """
    width, height = image.size
    extremes = np.array(deep[1:] if deep else image.getextrema()).reshape(-1, 2)
    if (extremes[:, 0] == extremes[:, 1]).all():
        return "are of one colour"
    if not deep and extremes.max() <= NEARLY_BLACK:
        return "are nearly black"
    if min(width, height) < TINY:
        return f"are under {TINY} pixels high or wide"
    if max(width, height) > STRIP * min(width, height):
        return f"are strips, over {STRIP} times as long as wide"
    return ""


def _rescaled(values: np.ndarray, black: float, white: float) -> Image.Image:
    """Samples as grey levels, rounded half up; a strip of rows at a time, so that the largest accepted image
    needs no eight bytes a pixel at once."""
    grey = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), STRIP_ROWS):
        rows = np.s_[top : top + STRIP_ROWS]
        above = np.clip(values[rows].astype(np.float64) - black, 0, white - black)
        grey[rows] = np.floor(above * (255.0 / (white - black)) + 0.5)
    return Image.fromarray(grey)


def _flatten(image: Image.Image) -> Image.Image:
    """Composite on white; grey stays grey."""
    grey = image.mode in ("L", "LA", "La", "1")
    layered = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return flat.convert("L" if grey else "RGB")


def is_grey(image: Image.Image) -> bool:
    """Whether the image holds no colour: mode "L", or equal channels.

    A grid of GREY_PROBE x GREY_PROBE pixels is looked at first: it decides most.
    """
    if image.mode == "L":
        return True
    width, height = image.size
    sample = np.asarray(
        image.resize((min(width, GREY_PROBE), min(height, GREY_PROBE)), Image.Resampling.NEAREST)
    )
    if not (sample == sample[..., :1]).all():
        return False
    pixels = np.asarray(image)  # a small coloured mark may lie between the points of the grid
    return bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all())


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
    if data[4:12] in _HEIC:
        return "it looks like HEIC, which cannot be read here: convert it to JPEG or PNG first"
    for at, magic, words in _OTHER_BOXES:
        if data[at : at + len(magic)] == magic:
            return f"it looks like {words}"
    start = data[:256] if data.startswith(b"\0") else data[:256].lstrip()
    for magic, words in _OTHER_FILES:
        if start.startswith(magic):
            return f"it looks like {words}"
    return "its content is none of " + ", ".join(FORMATS)


def _short(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:100]
