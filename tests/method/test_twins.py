from __future__ import annotations

import io

import numpy as np
import pytest
import tiny
from PIL import Image

from gmaug_core.data.samples import TEST_IMAGE, VALIDATION_IMAGE
from gmaug_core.method.twins import HeldOut, Twins, bounds, smallest


def bars(n, seed):
    rng, kinds = np.random.default_rng(seed), list(tiny.COUNTS)
    labels = np.arange(n) % 3
    return np.stack([tiny.draw(kinds[label], rng) for label in labels]), labels


TRAIN, VAL = bars(120, 0), bars(150, 1)


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_rare_distances_are_foretold(n):
    """Of 400 points in 4 dimensions: how near the nearest of n comes in one of 20 cases, also where that is
    rarer than the pairs that were seen."""
    rng, found = np.random.default_rng(n), []
    for _ in range(20):
        here, there = rng.random((20, 4)), rng.random((20, 4))
        found.append(smallest(np.linalg.norm(here[:, None] - there[None], axis=2).ravel(), 0.05 / n))
    points = rng.random((2, 400, 4))
    nearest = np.linalg.norm(points[0][:, None] - points[1][None], axis=2).ravel()
    exact = np.quantile(nearest, 0.05 / n) if n < 1000 else 0.05**0.25 * n**-0.25 * (2 / np.pi**2) ** 0.25
    assert np.median(found) == pytest.approx(exact, rel=0.15)
    assert smallest(np.zeros(0), 0.1) == 0.0


@pytest.mark.parametrize("share", [0.9, 0.95])
def test_real_images_are_seldom_named_and_repeats_of_them_always(share):
    asked = np.array([200, 200, 200])
    limits = bounds(TRAIN, VAL, asked, share=share)
    assert (limits > 0).all()
    images, labels = bars(600, 2)
    nothing = np.zeros((0, 16, 16), np.uint8)
    twins = Twins(limits).of(images, labels, nothing)
    assert 0 <= (twins != np.arange(600)).mean() <= 1 - share
    near = np.clip(images[:60].astype(int) + np.random.default_rng(3).integers(-3, 4, (60, 16, 16)), 0, 255)
    again = np.concatenate([images[:60], near.astype(np.uint8)])
    found = Twins(limits).of(again, np.tile(labels[:60], 2), nothing)
    np.testing.assert_array_equal(found[60:], found[:60])
    assert (bounds(TRAIN, VAL, asked * 4, share=share) < limits).all(), "among more images one comes nearer"
    few = VAL[0][:6], VAL[1][:6]
    assert len(set(bounds(TRAIN, few, asked, share=share))) == 1, "classes with few images share a bound"


def test_a_twin_depends_neither_on_batches_nor_on_where_a_process_ended():
    images, labels = bars(90, 4)
    images, labels = np.concatenate([images, images[:30]]), np.concatenate([labels, labels[:30]])
    limits = np.full(3, 60.0)  # so far that chains of three are there
    whole = Twins(limits).of(images, labels, images[:0])
    assert 30 < (whole != np.arange(120)).sum() < 120
    assert (labels[whole] == labels).all()
    first, found = Twins(limits), []
    for start in range(0, 120, 7):
        part = slice(start, start + 7)
        if start == 49:  # another process goes on
            first = Twins(limits)
            first.known(np.arange(49), labels[:49], np.concatenate(found))
        found.append(first.of(images[part], labels[part], images[:start]))
    np.testing.assert_array_equal(np.concatenate(found), whole)


def test_held_out_images_are_found_also_when_they_were_stored_again():
    held = HeldOut(VAL[0], TRAIN[0], bars(60, 6)[0])
    np.testing.assert_array_equal(held.reasons(VAL[0]), VALIDATION_IMAGE)
    np.testing.assert_array_equal(held.reasons(TRAIN[0]), TEST_IMAGE)
    assert set(held.reasons(bars(100, 5)[0])) == {""}
    with io.BytesIO() as file:
        Image.fromarray(np.kron(TRAIN[0][3], np.ones((3, 3), np.uint8))).save(file, "jpeg", quality=80)
        again = np.asarray(Image.open(file).resize((16, 16), Image.Resampling.BOX))
    assert not np.array_equal(again, TRAIN[0][3])
    assert held.reasons(again[None]).tolist() == [TEST_IMAGE]
