"""The one way from pixels to a picture file: PNG, a sheet of many, a strip for a card, a thumbnail.

Pixels are uint8 [h, w] (grey) or [h, w, 3] (RGB). Enlarging is by a whole factor without smoothing, so that
every pixel of a small image can be read.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gmaug_core.data.dataset import Dataset
from gmaug_core.data.decode import canonical

Pixels = NDArray[np.uint8]
CELL_PX = 64  # small images on a sheet are enlarged towards this many pixels
SHEET_GAP, SHEET_GREY = 2, 128  # pixels and grey level between the images of a sheet
STRIP_IMAGES, STRIP_PX, STRIP_GAP = 6, 88, 6  # of a dataset's card; pixels for a dense screen
STRIP_CORNER = 8  # radius in pixels
ENLARGED_PX = 420  # a training's sample grid is at least this wide on a page
LOSSLESS_PX = 64  # thumbnails up to this size lose nothing


def png(image: Pixels, *, least: int = 0) -> bytes:
    """[h, w] or [h, w, 3] as PNG, enlarged by a whole factor to at least `least` pixels wide."""
    return _encoded(_enlarge(image, max(1, -(-least // image.shape[1]))))


def sheet(rows: Sequence[Sequence[Pixels] | Pixels], *, columns: int) -> bytes:
    """PNG of images in rows, small ones enlarged by a whole factor towards CELL_PX, with grey gaps between
    them.

    rows: images of one size and colour; the first `columns` of each row are shown, a shorter row ends in
    grey.
    """
    first = rows[0][0]
    factor = max(1, CELL_PX // first.shape[1])
    height, width = (side * factor + SHEET_GAP for side in first.shape[:2])
    size = (len(rows) * height - SHEET_GAP, columns * width - SHEET_GAP)
    canvas = np.full((*size, *first.shape[2:]), SHEET_GREY, np.uint8)
    for r, row in enumerate(rows):
        for c, image in enumerate(row[:columns]):
            top, left = r * height, c * width
            large = _enlarge(image, factor)
            canvas[top : top + len(large), left : left + large.shape[1]] = large
    return _encoded(canvas)


def enlarged(path: Path) -> bytes:
    """The PNG file of a training's sample grid, enlarged to at least ENLARGED_PX wide.

    Raises OSError when it is not there.
    """
    with Image.open(path) as image:
        return png(np.asarray(image.convert("L" if image.mode == "L" else "RGB")), least=ENLARGED_PX)


def thumbnail(image: Image.Image, size: int) -> bytes:
    """WEBP of at most `size` pixels a side, encoded anew: nothing of the original file but its pixels.

    Changes `image`.
    """
    image.thumbnail((size, size), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=85, lossless=max(image.size) <= LOSSLESS_PX)
    return file.getvalue()


def shots(data: Dataset, per_class: int) -> dict[str, list[int]]:
    """A few training images of every sub-class, evenly spread over it, as indices; fewer where it has
    fewer, and held-out ones where it has none.
    """
    train = data.split("train")
    of_all, of_train = (
        _by_label(data.labels, rows, len(data.class_names)) for rows in (np.arange(len(data.labels)), train)
    )
    chosen = {}
    for name, known, trained in zip(data.class_names, of_all, of_train, strict=True):
        rows = trained if len(trained) else known
        step = max(1, len(rows) // per_class)
        chosen[name] = rows[::step][:per_class].tolist()
    return chosen


def _by_label(labels: NDArray[np.int64], rows: NDArray[np.int64], classes: int) -> list[NDArray[np.int64]]:
    """The rows of each class, in their order. labels: of all images; rows: indices into them."""
    ordered = rows[np.argsort(labels[rows], kind="stable")]
    return np.split(ordered, np.searchsorted(labels[ordered], np.arange(1, classes)))


def strip(data: Dataset) -> bytes:
    """One image of each of a few sub-classes side by side, as PNG with round corners: a dataset on its
    card.
    """
    classes = sorted(data.class_names, key=lambda name: -data.counts[name])
    spread = classes[:: max(1, len(classes) // STRIP_IMAGES)][:STRIP_IMAGES]
    first = shots(data, 1)
    canvas = Image.new("RGB", (STRIP_IMAGES * (STRIP_PX + STRIP_GAP) - STRIP_GAP, STRIP_PX), "white")
    mask = Image.new("L", canvas.size, 0)
    for k, name in enumerate(spread):
        picture = canonical(data.decoded(first[name][0]).image, STRIP_PX, "rgb")
        box = (k * (STRIP_PX + STRIP_GAP), 0)
        canvas.paste(Image.fromarray(picture), box)
        corners = (*box, box[0] + STRIP_PX - 1, STRIP_PX - 1)
        ImageDraw.Draw(mask).rounded_rectangle(corners, STRIP_CORNER, fill=255)
    canvas.putalpha(mask)
    return _encoded(canvas)


def _enlarge(image: Pixels, factor: int) -> Pixels:
    return image.repeat(factor, 0).repeat(factor, 1)


def _encoded(image: Pixels | Image.Image) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, "PNG")
    return file.getvalue()
