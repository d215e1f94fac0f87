"""Copies count once: a copied image decides no score, and pairs that are practically one are named."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from gmaug_core.config import Profile
from gmaug_core.errors import InputError
from gmaug_core.scoring import advice, alike, explain, similarity
from gmaug_core.scoring.result import Stored

SMALL = Profile(32)
FULL = Stored(median=128, least=128, side=32, enlarged=0)


def pictures(n: int, seed: int = 0) -> np.ndarray:
    """Smooth blobs, uint8 [n, 32, 32]: as alike as photographs are."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (n, 6, 6), np.uint8)
    return np.stack([np.asarray(Image.fromarray(each).resize((32, 32))) for each in small])


def score(images, labels, groups):
    names = [sub for subs in groups.values() for sub in subs]
    return similarity.measure(images, labels, names, groups, profile=SMALL)


GROUPS = {"many": ["a"], "rare": ["b"]}
IMAGES = pictures(12)


def test_a_rare_class_of_one_image_stored_twice_does_not_decide_the_score():
    rare = np.concatenate([IMAGES[:10], IMAGES[10:11], IMAGES[10:11]])
    labels = np.array([0] * 10 + [1, 1])
    found = score(rare, labels, GROUPS)
    assert found.not_scored == ("rare",)
    assert found.argmax == "many"
    assert found.ssim_supsubcls.value == score(IMAGES[:10], labels[:10], GROUPS).ssim_supsubcls.value
    assert (found.ssim_mergecls.n, found.ssim_mergecls.copies) == (12, 1)
    assert found.ssim_mergecls.value == score(IMAGES[:11], labels[:11], GROUPS).ssim_mergecls.value


def test_a_copy_counts_once_and_in_another_super_class_again():
    copied = np.concatenate([IMAGES, IMAGES[:2], IMAGES[:1]])
    labels = np.array([0] * 8 + [1] * 4 + [0, 0, 1])  # two copies in their own set, one in the other
    found = score(copied, labels, GROUPS)
    rows = {row.name: row for row in found.super_classes}
    assert (rows["many"].n, rows["many"].copies) == (10, 2)
    assert (rows["rare"].n, rows["rare"].copies) == (5, 0)
    assert found.ssim_mergecls.copies == 3
    assert rows["many"].value == score(IMAGES, labels[:12], GROUPS).super_classes[0].value
    assert rows["rare"].pairs == 10


def test_without_copies_nothing_changes_and_a_score_says_how_many_differ():
    labels = np.array([0] * 8 + [1] * 4)
    found = score(IMAGES, labels, GROUPS)
    assert found.ssim_mergecls.copies == 0
    assert found.ssim_supsubcls.distinct in (8, 4)
    assert found.ssim_mergecls.pairs == 66
    assert set(alike.first_of(IMAGES)) == set(range(12))


def test_two_different_images_are_a_maximum_that_says_so():
    near = np.clip(IMAGES[10].astype(int) + 3, 0, 255).astype(np.uint8)
    images = np.concatenate([IMAGES[:11], near[None]])
    found = score(images, np.array([0] * 10 + [1, 1]), GROUPS).model_copy(
        update={"stored": FULL, "profile": "paper"}
    )
    assert (found.argmax, found.ssim_supsubcls.distinct) == ("rare", 2)
    assert "2 different images: one pair is the score" in advice.of_score(found).text
    enough = score(IMAGES, np.array([0] * 8 + [1] * 4), GROUPS)
    assert "one pair" not in advice.of_score(enough).text


def test_nothing_but_copies_cannot_be_scored():
    with pytest.raises(InputError, match="that differ"):
        score(np.repeat(IMAGES[:2], 3, axis=0), np.repeat([0, 1], 3), GROUPS)


def test_copies_are_found_by_their_pixels_in_colour_too():
    colour = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
    assert alike.first_of(colour[[0, 1, 0, 2, 1, 1]]).tolist() == [0, 1, 0, 3, 1, 1]


def test_pairs_that_are_practically_one_are_named_and_others_are_not():
    buffer = BytesIO()
    Image.fromarray(IMAGES[3]).save(buffer, "JPEG", quality=92)
    encoded = np.asarray(Image.open(buffer))
    images = np.concatenate([IMAGES, encoded[None], IMAGES[5:6]])
    numbers = 100 + np.arange(14)
    labels = np.array([0] * 8 + [1] * 4 + [0, 1])
    why = explain.explain(images, labels, ["a", "b"], GROUPS, "many", profile=SMALL, numbers=numbers)
    assert why.near_copies.found == 2
    first, second = why.near_copies.pairs
    assert (first.i, first.j, first.value) == (105, 113, 1.0)
    assert (second.i, second.j) == (103, 112)
    assert alike.NEARLY_ONE < second.value < 1


def test_what_makes_a_score_high_counts_a_copy_once_in_its_super_class():
    images = np.concatenate([IMAGES, IMAGES[:1]])
    labels = np.array([0] * 6 + [1] * 6 + [0])
    groups = {"both": ["a", "b"]}
    why = explain.explain(images, labels, ["a", "b"], groups, "both", profile=SMALL)
    assert why.matrix.n == (6, 6)
    plain = explain.explain(IMAGES, labels[:12], ["a", "b"], groups, "both", profile=SMALL)
    assert (why.matrix, why.most_similar) == (plain.matrix, plain.most_similar)
