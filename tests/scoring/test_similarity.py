"""The score: pairs drawn right, intervals that hold, exact when small, stoppable, reusable."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gmaug_core.config import Profile
from gmaug_core.errors import InputError, Stopped
from gmaug_core.scoring import estimate, pairs, similarity
from gmaug_core.scoring.result import SimilarityResult
from gmaug_core.scoring.ssim import ssim_pairs

SMALL = Profile(16)
NAMES = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def images():
    """Four classes of 16 px images: 90, 70, 40 and 1; likeness falls from the first to the third."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), (90, 70, 40, 1))
    patterns = rng.normal(0, 60, (4, 16, 16))
    noise = np.array([30, 60, 120, 60])[labels]
    pixels = 128 + patterns[labels] + noise[:, None, None] * rng.normal(size=(len(labels), 16, 16))
    return pixels.clip(0, 255).astype(np.uint8), labels


def identity(*names):
    return {name.upper(): [name] for name in names}


def scores(images, grouping, **options):
    return similarity.measure(*images, NAMES, grouping, profile=SMALL, **options)


def without_time(result):
    return json.dumps({key: value for key, value in result.to_dict().items() if key != "seconds"})


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 60), st.integers(0, 2**31 - 1))
def test_the_pairs_of_a_set_are_each_drawn_once(n, seed):
    keys = pairs.stream(seed, "x")
    total = pairs.pair_count(n)
    drawn = pairs.draw_pairs(n, 0, total, keys)
    assert len(np.unique(drawn, axis=0)) == total
    assert (drawn[:, 0] > drawn[:, 1]).all()
    assert drawn.min() >= 0
    assert drawn.max() < n
    cut = total // 3
    assert np.array_equal(
        drawn,
        np.concatenate([pairs.draw_pairs(n, 0, cut, keys), pairs.draw_pairs(n, cut, total, keys)]),
    )


@pytest.mark.slow
def test_the_permutation_is_even():
    """Every pair is as likely as every other at every position, and neighbours in the sequence are
    unrelated."""
    seen = np.zeros((45, 45))
    for seed in range(4000):
        order = pairs.permuted(45, 0, 45, pairs.stream(seed, "even"))
        seen[np.arange(45), order] += 1
    expected = 4000 / 45
    chi2 = ((seen - expected) ** 2 / expected).sum()
    assert abs(chi2 - 44 * 44) < 5 * np.sqrt(2 * 44 * 44)


def test_pair_numbers_far_out():
    n = 300_000
    last = pairs.pair_count(n) - 1
    position = np.array([0, 1, 2, last - 1, last, last - n + 2])
    drawn = pairs.pair_at(position)
    assert np.array_equal(drawn[:, 0] * (drawn[:, 0] - 1) // 2 + drawn[:, 1], position)
    assert np.array_equal(drawn[4], [n - 1, n - 2])


def test_exact_when_small(images):
    result = scores(images, identity("a", "b", "c"), pairs=10_000)
    for each, name in zip(result.super_classes, "abc", strict=True):
        members = np.flatnonzero(images[1] == NAMES.index(name))
        all_pairs = [(i, j) for i in members for j in members if i < j]
        assert each.exact
        assert each.pairs == len(all_pairs)
        assert each.ci_low == each.value == each.ci_high
        assert each.value == pytest.approx(ssim_pairs(images[0], all_pairs).mean(), abs=1e-12)
    best = result.ssim_supsubcls
    assert result.argmax == best.name == "A"
    assert best.runner_up == "B"
    assert best.value == result.super_classes[0].value
    assert best.bias == 0
    assert best.argmax_certain
    assert best.ci_low == best.value == best.ci_high


def test_default_pairs(images):
    result = scores(images, identity("a", "b", "c"))
    assert [each.pairs for each in result.super_classes] == [180, 140, 780]
    assert [each.exact for each in result.super_classes] == [False, False, True]
    assert result.ssim_mergecls.pairs == 402
    assert not result.ssim_mergecls.exact


def test_super_classes_with_fewer_than_two_images_are_named(images):
    result = scores(images, identity("a", "d") | {"Empty": []})
    assert result.not_scored == ("D", "Empty")
    assert [each.name for each in result.super_classes] == ["A"]
    assert result.ssim_supsubcls.runner_up is None
    with pytest.raises(InputError, match="two training images"):
        scores(images, identity("d"))
    with pytest.raises(InputError, match="unknown sub-classes: x"):
        scores(images, identity("a", "x"))


def test_workers_change_nothing_but_the_seed_does(images):
    grouping = {"AB": ["a", "b"], "C": ["c"]}
    one, two = (scores(images, grouping, workers=workers) for workers in (1, 2))
    assert without_time(one) == without_time(two)
    assert one.ssim_mergecls.value != scores(images, grouping, seed=1).ssim_mergecls.value
    json.dumps(one.to_dict(), allow_nan=False)


@pytest.mark.parametrize("device", ["cpu:0", "cuda"])  # cpu:0 is torch's name: the road that a GPU takes
def test_a_torch_device_gives_the_same_score(images, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    grouping = {"AB": ["a", "b"], "C": ["c"]}
    here, there = scores(images, grouping), scores(images, grouping, device=device)
    assert there.argmax == here.argmax
    assert there.ssim_mergecls.pairs == here.ssim_mergecls.pairs
    assert there.ssim_mergecls.value == pytest.approx(here.ssim_mergecls.value, abs=1e-6)
    for one, two in zip(here.super_classes, there.super_classes, strict=True):
        assert (two.ci_low, two.value, two.ci_high) == pytest.approx(
            (one.ci_low, one.value, one.ci_high), abs=2e-6
        )


def test_what_did_not_change_is_not_computed_again(images, monkeypatch):
    before = scores(images, {"A": ["a"], "B": ["b"], "C": ["c", "d"]})
    computed = []
    monkeypatch.setattr(
        similarity,
        "ssim_pairs",
        lambda *given, **options: computed.append(len(given[1])) or ssim_pairs(*given, **options),
    )
    again = scores(
        images,
        {"A": ["a"], "B": ["b"], "C": ["c", "d"]},
        known=SimilarityResult.parse(json.loads(json.dumps(before.to_dict()))).known,
    )
    assert computed == []
    assert without_time(again) == without_time(before)
    moved = {"A": ["a"], "B": ["b", "d"], "C": ["c"]}
    result = scores(images, moved, known=before.known)
    assert sum(computed) == 142 + 780  # B with one more image, C exact again; A and all images are reused
    assert without_time(result) == without_time(scores(images, moved))


def test_a_super_class_of_everything_is_measured_once(images):
    result = scores(images, {"All": NAMES})
    assert result.super_classes[0].value == result.ssim_mergecls.value
    assert len(result.known) == 1


def test_half_width(images):
    result = scores(images, identity("a", "b"), half_width=0.004)
    for each in [*result.super_classes, result.ssim_mergecls]:
        assert each.exact or each.ci_high - each.ci_low <= 2 * 0.004 + 1e-12
    assert result.ssim_mergecls.pairs > similarity.PILOT_PAIRS
    wide = scores(images, identity("a", "b"), half_width=0.2)
    assert wide.ssim_mergecls.pairs == similarity.PILOT_PAIRS


def test_reports_and_stopping(images, monkeypatch):
    monkeypatch.setattr(similarity, "REPORTS_PER_SECOND", 10**9)
    heard = []
    scores(images, identity("a", "b"), report=lambda *given, **metrics: heard.append((given, metrics)))
    stage, done, total = heard[-1][0]
    assert (stage, done, total) == ("similarity", 180 + 140 + 402, 180 + 140 + 402)
    assert {each["name"] for each in heard[-1][1]["sets"]} == {"A", "B", similarity.MERGED}
    with pytest.raises(Stopped):
        scores(images, identity("a"), should_stop=lambda: True)
    calls = []
    result = scores(
        images,
        identity("a", "b"),
        half_width=1e-4,
        should_stop=lambda: len(calls) > 0 or calls.append(1) is not None,
    )
    assert result.stopped
    assert result.ssim_supsubcls.value is not None
    assert result.ssim_mergecls.pairs == 1000
    assert not scores(images, identity("a")).stopped


def pool_interval(values, count, seed):
    n = int((1 + np.sqrt(1 + 8 * len(values))) / 2)
    found = estimate.PairMean(np.arange(n), "", count, pairs.stream(seed, "pool"))
    drawn = found.next_pairs(count)
    found.add(values[drawn[:, 0] * (drawn[:, 0] - 1) // 2 + drawn[:, 1]])
    return found


def test_intervals_hold_the_exact_mean(images):
    """The exact mean of a class lies inside the sampled interval at the nominal rate."""
    pixels, labels = images
    members = np.flatnonzero(labels == 0)
    values = ssim_pairs(pixels, members[pairs.pair_at(np.arange(pairs.pair_count(len(members))))])
    inside = [
        low <= values.mean() <= high
        for low, high in (pool_interval(values, 180, seed).interval() for seed in range(1000))
    ]
    assert 0.93 <= np.mean(inside) <= 0.97


@pytest.mark.slow
def test_the_maximum_of_ties_is_covered_and_its_bias_corrected():
    """Five super-classes with the same true mean: the highest estimate is too high, and the interval
    knows."""
    rng = np.random.default_rng(1)
    pools = [rng.gamma(2, 0.05, pairs.pair_count(200)) for _ in range(5)]
    pools = [pool - pool.mean() + 0.1 for pool in pools]
    found = [
        estimate.highest({str(k): pool_interval(pool, 400, 5 * seed + k) for k, pool in enumerate(pools)})
        for seed in range(300)
    ]
    inside = np.mean([each.ci_low <= 0.1 <= each.ci_high for each in found])
    raw, corrected = (
        np.mean([getattr(each, key) for each in found]) - 0.1 for key in ("value", "bias_corrected")
    )
    assert inside >= 0.93
    assert raw > 0.003
    assert abs(corrected) < 0.7 * raw
    assert np.mean([each.argmax_certain for each in found]) < 0.4


@pytest.mark.slow
def test_flowers(sample_data):
    with zipfile.ZipFile(sample_data / "flowers_128.zip") as archive:
        files = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        pixels = np.stack(
            [np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L")) for name in files]
        )
    folders = [name.split("/")[-2] for name in files]
    names = sorted(set(folders))
    labels = np.array([names.index(folder) for folder in folders])
    result = similarity.measure(pixels, labels, names, {name: [name] for name in names}, profile=Profile())
    assert result.argmax == "dandelion"
    assert result.profile == "paper"
    assert result.ssim_supsubcls.value == pytest.approx(0.131, abs=0.004)
    assert result.ssim_mergecls.value == pytest.approx(0.096, abs=0.004)
