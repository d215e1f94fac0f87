"""What the images of an import have in common: the range of deep ones, and those that look odd."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gmaug_core.data.decode import Depth
from gmaug_core.data.store import Accepted, listed

LEVELS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # white of 8, 10, 12, 14 and 16 bits


def depth_of(images: Sequence[Accepted]) -> Depth:
    """Which samples are black and white in images of more than 8 bits, by kind, for all images alike.

    White is the largest value that the bits in use can say: 12-bit values in 16-bit files have 4095. Floats
    up to 1 have 1; what is below 0 or above 16 bits has the range of all images.
    """
    spans: dict[str, tuple[float, float]] = {}
    for image in images:
        if image.deep:
            kind, low, high = image.deep
            before = spans.get(kind, (low, high))
            spans[kind] = (min(low, before[0]), max(high, before[1]))
    found = {}
    for kind, (low, high) in spans.items():
        levels = (1.0, *LEVELS) if kind == "float" else LEVELS
        white = next((level for level in levels if high <= level), None)
        found[kind] = (low, max(high, low + 1.0)) if low < 0 or white is None else (0.0, white)
    return found


def remarks(images: Sequence[Accepted]) -> list[str]:
    """A sentence for each way in which images look odd, with the first of them."""
    odd: dict[str, list[str]] = defaultdict(list)
    for image in images:
        if image.remark:
            odd[image.remark].append(image.file)
    return [f"{len(files):,} images {words}: {listed(files)}" for words, files in sorted(odd.items())]
