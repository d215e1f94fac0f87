"""The score while somebody edits: the number that a run gives, measured again only where an edit touched."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.config import Profile
from gmaug_core.data import splits
from gmaug_core.method.score import score_training_images
from gmaug_core.report import live_score
from gmaug_core.scoring import similarity
from gmaug_core.workspace.grouping import Grouping


@pytest.fixture
def compared(monkeypatch) -> list[np.ndarray]:
    """The pairs of images whose SSIM was asked for."""
    asked: list[np.ndarray] = []
    inner = similarity.ssim_pairs

    def told(images, pairs, **more):
        asked.append(pairs)
        return inner(images, pairs, **more)

    monkeypatch.setattr(similarity, "ssim_pairs", told)
    return asked


def test_an_edit_measures_what_it_touched_and_gives_the_number_of_a_run(bars, compared):
    one, two, three = bars.class_names
    before = Grouping("mine", {"a": [one], "b": [two], "c": [three]})
    assert not live_score.possible(bars)
    images, part = bars.images("paper"), splits.Part(splits.made(bars, 0)["train"], 0)
    assert live_score.possible(bars)
    profile = Profile.parse("paper")
    found = live_score.of(bars, before.super_classes)
    score = score_training_images(images, bars, part, before.super_classes, profile=profile)
    assert found.super_classes == score.super_classes
    assert found.ssim_supsubcls == score.ssim_supsubcls
    compared.clear()
    after = before.move(two, "c").without_empty()
    edited = live_score.of(bars, after.super_classes)
    touched = np.unique(np.concatenate(compared))
    assert set(bars.labels[touched].tolist()) == {1, 2}
    score = score_training_images(images, bars, part, after.super_classes, profile=profile)
    assert edited.ssim_supsubcls == score.ssim_supsubcls
    compared.clear()
    live_score.of(bars, before.super_classes)  # an undo costs nothing
    assert not compared


def test_of_a_large_set_fewer_pairs_are_taken(bars, compared, monkeypatch):
    monkeypatch.setattr(live_score, "PAIRS", 5)
    everything = {"all": list(bars.class_names)}
    found = live_score.of(bars, everything)
    assert found.ssim_supsubcls.pairs == sum(map(len, compared)) == 5
    assert not found.ssim_supsubcls.exact
    compared.clear()
    assert live_score.of(bars, everything).ssim_supsubcls == found.ssim_supsubcls
    assert not compared


def test_what_takes_too_long_is_an_estimate_or_none(bars, monkeypatch):
    monkeypatch.setattr(live_score, "SECONDS", -1.0)
    assert live_score.of(bars, {"all": list(bars.class_names)}) is None
