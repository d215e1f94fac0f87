import numpy as np
import pandas as pd
import pytest
import tiny

from gmaug_core.data import samples
from gmaug_core.method.gates import COPY, OUTLIER, Gates, pixels, to_nearest


class Means:
    """A judge whose features are the mean of the rows and of the columns."""

    def features(self, images):
        return np.concatenate([images.mean(axis=1), images.mean(axis=2)], axis=1).astype(np.float32)


def bars(n, seed):
    rng, kinds = np.random.default_rng(seed), list(tiny.COUNTS)
    labels = np.arange(n) % 3
    return np.stack([tiny.draw(kinds[label], rng) for label in labels]), labels


TRAIN, VAL = bars(90, 0), bars(300, 1)


def gates(*names, share=0.95):
    return Gates.of(names, Means(), TRAIN, VAL, share=share, classes=3)


@pytest.mark.parametrize("share", [0.9, 0.95])
def test_the_stated_share_of_real_images_passes_each_gate(share):
    found = gates("copy", "outlier", share=share)
    distances = found.distances(*VAL)
    assert (distances.real >= found.nearest).mean() == pytest.approx(share, abs=0.01)
    assert (distances.own <= 1).mean() == pytest.approx(share, abs=0.02)
    fresh = found.distances(*bars(600, 2))
    assert (fresh.own <= 1).mean() == pytest.approx(share, abs=0.06)


def test_copies_and_images_far_from_their_class_are_named_and_a_gate_that_is_off_names_none():
    images, labels = TRAIN
    near = np.clip(images.astype(int) + np.random.default_rng(3).integers(-3, 4, images.shape), 0, 255)
    noise = np.random.default_rng(4).integers(0, 256, images.shape).astype(np.uint8)
    both = gates("copy", "outlier")
    assert set(both.reasons(both.distances(images, labels))) == {COPY}
    assert set(both.reasons(both.distances(near.astype(np.uint8), labels))) == {COPY}
    assert set(both.reasons(both.distances(noise, labels))) == {OUTLIER}
    mirrored = both.reasons(both.distances(images[labels == 1][:, :, ::-1], labels[labels == 1]))
    assert (mirrored == COPY).mean() < 0.2  # a mirrored copy is another image
    assert set(gates("copy").reasons(both.distances(noise, labels))) == {""}
    assert set(gates("outlier").reasons(both.distances(images[:0], labels[:0]))) == set()


def test_the_nearest_is_exact_and_large_images_are_compared_as_blocks():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 64, 64, 3)).astype(np.uint8)
    small = pixels(images)
    assert small.shape == (40, 32 * 32 * 3)
    assert small[3, 2] == pytest.approx(images[3, :2, :2, 2].mean())
    assert to_nearest(small, small).max() == 0
    expected = [np.sqrt(((small[20:] - each) ** 2).mean(axis=1)).min() for each in small[:20]]
    assert np.allclose(to_nearest(small[:20], small[20:]), expected)


def test_what_a_gate_measured_is_kept_with_the_image(tmp_path):
    rows = pd.DataFrame({name: [0] for name in samples.COLUMNS})
    samples.write_step(tmp_path, 1, np.zeros((1, 8, 8), np.uint8), rows.assign(real_distance=4.5))
    assert samples.table(tmp_path)["real_distance"].tolist() == [4.5]
