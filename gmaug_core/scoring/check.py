"""Our SSIM beside scikit-image's, on random pairs of one dataset: a check on a person's own images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmaug_core.config import Profile, Window
from gmaug_core.config.documents import Part
from gmaug_core.errors import InputError
from gmaug_core.hooks import Report, no_report
from gmaug_core.scoring.ssim import ssim_pairs

AGREE = 1e-6  # two correct computations of one SSIM differ by less
REPORT_EVERY = 50  # pairs between two progress marks
SETTINGS: dict[Window, dict[str, object]] = {
    # what makes scikit-image compute the same definition: for the Gaussian, population covariance
    "gaussian11": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
    "uniform7": {},  # its defaults: a 7 x 7 box, sample covariance
}


class Check(Part):
    """How far two computations of SSIM are apart on the same pairs of images."""

    profile: str
    """Size, colour and window that the images were compared at."""
    pairs: int
    """Pairs that were measured twice."""
    largest_difference: float
    """The largest absolute difference of SSIM, >= 0."""
    mean: float
    """Mean SSIM of these pairs, by ours: -1 ... 1."""
    limit: float
    """Above this difference one of the two is wrong."""
    agree: bool
    """Whether the largest difference is within the limit."""


def reference(
    images: npt.NDArray[np.uint8], pairs: npt.ArrayLike, *, window: Window, report: Report = no_report
) -> npt.NDArray[np.float64]:
    """SSIM of each pair by scikit-image's structural_similarity: float64 [m].

    images: uint8 [n, h, w] or [n, h, w, 3]; pairs: int [m, 2]. Slow: some hundred pairs of 128 px a second.
    """
    from skimage.metrics import structural_similarity  # half a second, for this one use

    chosen = np.asarray(pairs, np.int64)
    colour = {"channel_axis": 2} if images.ndim == 4 else {}
    values = np.empty(len(chosen))
    for k, (i, j) in enumerate(chosen):
        values[k] = structural_similarity(  # type: ignore[no-untyped-call]
            images[i], images[j], data_range=255, **SETTINGS[window], **colour
        )
        if (k + 1) % REPORT_EVERY == 0 or k + 1 == len(chosen):
            report("check", k + 1, len(chosen))
    return values


def check(
    images: npt.NDArray[np.uint8],
    among: npt.NDArray[np.int64],
    profile: Profile,
    pairs: int,
    *,
    seed: int = 0,
    report: Report = no_report,
) -> Check:
    """Measure random pairs of different images twice, by our kernels and by scikit-image.

    images: uint8 [n, h, h(, 3)] of the profile; among: int64, the indices to draw from, two or more. The same
    seed draws the same pairs. Raises InputError for fewer than one pair or two images.
    """
    if pairs < 1:
        raise InputError(f"{pairs} pairs cannot be checked", expected="at least one pair")
    n = len(among)
    if n < 2:
        raise InputError("there are fewer than two images", expected="two images that can be compared")
    random = np.random.default_rng(seed)
    first = random.integers(0, n, pairs)
    second = (first + random.integers(1, n, pairs)) % n  # never the image itself
    drawn = among[np.stack([first, second], axis=1)]
    ours = ssim_pairs(images, drawn, window=profile.window)
    largest = float(np.abs(ours - reference(images, drawn, window=profile.window, report=report)).max())
    return Check(
        profile=profile.name,
        pairs=pairs,
        largest_difference=largest,
        mean=float(ours.mean()),
        limit=AGREE,
        agree=largest <= AGREE,
    )
