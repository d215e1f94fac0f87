import numpy as np
import pytest
import tiny

from gmaug_core.method.told_apart import PILOT, ToldApart, pilot_counts

BOARD = 8 * (np.indices((16, 16)).sum(axis=0) % 2).astype(np.uint8)


def bars(n, seed):
    rng, kinds = np.random.default_rng(seed), list(tiny.COUNTS)
    labels = np.arange(n) % 3
    return np.stack([tiny.draw(kinds[label], rng) for label in labels]), labels


def chequered(n, seed):
    images, labels = bars(n, seed)
    return np.minimum(images, 247) + BOARD, labels


@pytest.fixture(scope="module")
def told():
    """Learnt from images of which half have a checkerboard of 8 grey levels."""
    (plain, labels), (marked, others) = bars(120, 2), chequered(120, 3)
    pilot = np.concatenate([plain, marked]), np.concatenate([labels, others])
    return ToldApart.of(bars(240, 0), bars(900, 1), pilot, share=0.9, classes=3)


def test_the_stated_share_of_real_images_passes_and_images_with_a_pattern_do_not(told):
    assert (told.margins(*bars(900, 1)) <= 0).mean() == pytest.approx(0.9, abs=0.01)
    assert (told.margins(*bars(300, 4)) <= 0).mean() == pytest.approx(0.9, abs=0.07)
    assert (told.margins(*chequered(300, 5)) > 0).mean() > 0.9


def test_from_images_like_real_ones_nothing_is_learnt():
    found = ToldApart.of(bars(240, 0), bars(900, 1), bars(240, 6), share=0.9, classes=3)
    assert (found.margins(*bars(300, 7)) <= 0).mean() == pytest.approx(0.9, abs=0.07)
    few = ToldApart.of(bars(240, 0), bars(900, 1), bars(6, 6), share=0.9, classes=3)
    assert few is None, "six images say nothing"


def test_all_classes_that_are_short_are_learnt_from_alike():
    counts = pilot_counts(np.array([0, 10, 3000]))
    assert counts.tolist() == [0, PILOT // 2, PILOT // 2]
    assert pilot_counts(np.zeros(3, int)).sum() == 0
