"""The canonical decoder against a golden table, pixel by pixel, and against what is no image."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from corpus import encode, pixels
from PIL import Image

from gmaug_core.data import decode as decoder
from gmaug_core.data.decode import canonical, decode, is_grey
from gmaug_core.errors import InputError

RGB = pixels(0, (6, 4))
GREY = pixels(1, (6, 4), channels=1)
RAMP16 = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
RAMP8 = np.arange(256, dtype=np.uint8).reshape(16, 16)
UPRIGHT = {  # EXIF orientation -> how the stored pixels turn upright
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def rotated(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(RGB, exif=exif)


def over_white(rgba: np.ndarray) -> np.ndarray:
    alpha = rgba[..., 3:].astype(float) / 255
    return rgba[..., :3] * alpha + 255 * (1 - alpha)


def palette() -> bytes:
    image = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    return encode(image)


def palette_with_hole() -> bytes:
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0])
    return encode(image, transparency=1)


def animation() -> bytes:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    return encode(frames[0], "GIF", save_all=True, append_images=frames[1:])


CMYK = np.array([[[0, 0, 0, 0], [255, 0, 0, 0]], [[0, 255, 0, 0], [0, 0, 0, 255]]], np.uint8)
RGBA_HOLE = np.array([[[255, 0, 0, 255], [0, 255, 0, 0]]], np.uint8)
GOLDEN = {  # name: (bytes, expected pixels, words in the conversions)
    "rgb png": (encode(RGB), RGB, ()),
    "grey png": (encode(GREY), GREY, ()),
    "bmp": (encode(RGB, "BMP"), RGB, ()),
    "webp": (encode(RGB, "WEBP", lossless=True), RGB, ()),
    "tiff": (encode(RGB, "TIFF"), RGB, ()),
    "jpeg": (encode(np.full((8, 8, 3), 128, np.uint8), "JPEG"), np.full((8, 8, 3), 128, np.uint8), ()),
    "1-bit": (encode(Image.fromarray(RAMP8 > 99)), (RAMP8 > 99) * np.uint8(255), ("1-bit",)),
    "palette": (palette(), np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 0, 0]]]), ("palette",)),
    "palette with a hole": (
        palette_with_hole(),
        [[[255, 0, 0], [255] * 3], [[255] * 3, [255, 0, 0]]],
        ("transparency",),
    ),
    "alpha": (encode(RGBA_HOLE), [[[255, 0, 0], [255, 255, 255]]], ("transparency",)),
    "grey alpha": (encode(np.array([[[7, 255], [7, 0]]], np.uint8)), [[7, 255]], ("transparency",)),
    "16-bit png": (encode(RAMP16), RAMP8, ("16-bit",)),
    "16-bit tiff": (encode(RAMP16, "TIFF"), RAMP8, ("16-bit",)),
    "16-bit big-endian tiff": (
        encode(Image.frombytes("I;16B", (16, 16), RAMP16.astype(">u2").tobytes()), "TIFF"),
        RAMP8,
        ("16-bit",),
    ),
    "32-bit, 16-bit range": (encode(RAMP16.astype(np.int32), "TIFF"), RAMP8, ("32-bit",)),
    "float 0..1": (encode((RAMP8 / 255).astype(np.float32), "TIFF"), RAMP8, ("float",)),
    "float 0..255": (encode(RAMP8.astype(np.float32), "TIFF"), RAMP8, ("float",)),
    "float, negative": (encode(RAMP8.astype(np.float32) - 128, "TIFF"), RAMP8, ("float",)),
    "cmyk": (
        encode(Image.fromarray(CMYK, "CMYK"), "TIFF"),
        [[[255] * 3, [0, 255, 255]], [[255, 0, 255], [0] * 3]],
        ("CMYK",),
    ),
    "animated": (animation(), np.full((4, 4, 3), [255, 0, 0]), ("first frame",)),
    **{f"exif {k}": (rotated(k), turn(RGB), (f"orientation {k}",)) for k, turn in UPRIGHT.items()},
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_table(name):
    data, expected, words = GOLDEN[name]
    image, conversions = decode(data)
    expected = np.asarray(expected, np.uint8)
    assert image.mode == ("L" if expected.ndim == 2 else "RGB")
    np.testing.assert_array_equal(np.asarray(image), expected)
    assert all(any(word in done for done in conversions) for word in words), conversions
    assert bool(conversions) == bool(words)


def test_alpha_is_composited_on_white_not_cut():
    rgba = pixels(3, (9, 9), channels=4)
    image, _ = decode(encode(rgba))
    np.testing.assert_allclose(np.asarray(image), over_white(rgba), atol=1)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_content_decides_not_the_name_and_truncation_is_found():
    assert decode(encode(RGB, "WEBP", lossless=True)).image.size == (6, 4)
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"):
        data = encode(pixels(1, (64, 64)), kind)
        for cut in (1, 10, len(data) // 2):
            with pytest.raises(InputError):
                decode(data[:cut])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04rest", "zip"),
        (encode(RGB, "ICO"), "not an image"),
        (encode(np.array([[np.nan, 1]], np.float32), "TIFF"), "not finite"),
    ],
)
def test_what_is_refused_says_why(data, words):
    with pytest.raises(InputError, match=words) as caught:
        decode(data)
    assert caught.value.expected


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(2**20)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [9000, 60000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_pixel_bomb_is_refused_before_it_is_inflated(side):
    with pytest.raises(InputError, match=r"too large|bomb"):
        decode(png_header(side, side))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_random_damage_never_gives_anything_but_an_image_or_an_input_error():
    random = np.random.default_rng(0)
    for kind in decoder.FORMATS:
        data = np.frombuffer(encode(pixels(5, (20, 20)), kind), np.uint8)
        for _ in range(150):
            broken = data.copy()
            broken[random.integers(0, len(broken), 4)] = random.integers(0, 256, 4)
            try:
                image = decode(broken.tobytes()).image
            except InputError:
                continue
            assert image.mode in ("L", "RGB")


def test_is_grey():
    assert is_grey(Image.fromarray(GREY))
    assert is_grey(Image.fromarray(np.repeat(GREY[..., None], 3, axis=2)))
    assert not is_grey(Image.fromarray(RGB))


def test_canonical_is_the_documented_crop_resize_and_grey():
    wide = Image.fromarray(pixels(2, (31, 20)))
    square = wide.crop((5, 0, 25, 20)).resize((8, 8), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(canonical(wide, 8, "rgb"), np.asarray(square))
    np.testing.assert_array_equal(canonical(wide, 8, "grey"), np.asarray(square.convert("L")))
    assert canonical(Image.fromarray(GREY), 5, "rgb").shape == (5, 5, 3)
    same = pixels(4, (16, 16))
    np.testing.assert_array_equal(canonical(Image.open(io.BytesIO(encode(same))), 16, "rgb"), same)


def test_a_tiff_of_many_bands_is_named():
    tags = [(256, 4), (257, 4), (258, 8), (262, 1), (273, 8), (277, 13), (278, 4), (279, 208)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHIHxx", k, 3, 1, v) for k, v in tags)
    with pytest.raises(InputError, match="a TIFF of another kind"):
        decode(b"II*\0" + struct.pack("<I", 216) + bytes(208) + directory + bytes(4))
