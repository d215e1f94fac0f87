"""A whole equivalence run on tiny images: what cells are trained on, what is kept, what is not done twice."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import tiny

from gmaug_core.errors import InputError
from gmaug_core.hooks import no_report
from gmaug_core.intake.elsewhere import take_in
from gmaug_core.method.equivalence import exchange, measure, plan
from gmaug_core.method.equivalence.measure import ANSWERS_FILE
from gmaug_core.method.equivalence.study import Study
from gmaug_core.models import classifiers

pytestmark = pytest.mark.slow


@pytest.fixture
def study(bars, tmp_path, one_thread) -> Study:
    return Study.prepare(tiny.equivalence(bars, checks=["noise", "disguised"]), bars, tmp_path)


def test_a_run_from_top_to_bottom_and_again_without_a_training(study, monkeypatch):
    config, data, folder = study.config, study.data, study.out_dir
    monkeypatch.setattr(exchange, "measure", partial(exchange.measure, count=20))
    stages = []

    def report(stage: str, step: int, total: int, **_: object) -> None:
        assert 0 <= step <= total
        stages.append(stage)

    found = measure.run(config, data, out_dir=folder, report=report)
    assert list(dict.fromkeys(stages)) == [
        "decode",
        "judges",
        "generator",
        "draw",
        "trainings",
        "curves",
    ]
    assert {(cell.source, cell.way) for cell in found.cells} == {
        ("none", "none"),
        ("real", "added"),
        ("closed", "added"),
        ("closed", "substituted"),
        ("noise", "added"),
        ("disguised", "added"),
    }
    assert len({cell.steps for cell in found.cells}) == 1
    packed = np.load(folder / ANSWERS_FILE)
    right = np.unpackbits(packed, axis=1, count=len(study.split["test"]))
    for cell in found.cells:
        assert right[cell.answers].mean() == pytest.approx(cell.shares.accuracy)

    # closed-set: the generator's counts are those of the base; test and validation images are nowhere
    lab = study.lab(study.plan.bases[0], study.plan.generators[0])
    base = set(lab.split["train"])
    assert base < set(study.split["train"])
    np.testing.assert_array_equal(lab.counts, study.plan.bases[0].counts)
    for one, added in study.amounts()[0]:
        made = study.training_set(one)
        members = set(study.split["train"][study.members(one)])
        total = study.plan.bases[0].total
        if one.way == "substituted":
            assert len(made.labels) == total
            assert members < base
        elif one.source == "disguised":
            assert len(made.labels) == total + added
        elif one.generator is not None:
            assert members == base
            assert len(made.labels) - total == study.brings(one).sum()
        else:
            assert len(made.labels) == total + added

    def never_trained(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(classifiers, "train", never_trained)
    again = Study.prepare(config, data, folder).measure()
    np.testing.assert_array_equal(again.right, right.astype(bool))
    assert again.efforts == found.efforts


def test_an_amount_that_the_filter_cannot_bring_is_left_out_and_said(study, monkeypatch):
    most = study.plan.bases[0].counts // 2

    def brings(one: plan.Training) -> np.ndarray:
        return np.minimum(study.plan.bases[0].times(one.multiple), most)

    monkeypatch.setattr(study, "brings", brings)
    cells, skipped = study.amounts()
    assert {one.multiple for one, _ in cells if one.source == "closed" and one.way == "added"} == {1.0}
    assert {added for one, added in cells if one.source == "closed"} == {int(most.sum())}
    assert "2 times a base of 3 a class, added" in skipped[0]


def test_the_door_of_a_run_refuses_what_cannot_be_done(bars, tmp_path):
    with pytest.raises(InputError, match="more than there are"):
        Study.prepare(tiny.equivalence(bars, base_sizes=[9]), bars, tmp_path, no_report)


def test_images_made_elsewhere_are_measured_like_those_of_a_generator(bars, tmp_path, one_thread):
    given = take_in(tiny.write_folder(tmp_path / "made", held=()), bars)
    config = tiny.equivalence(
        bars,
        generator={"name": "folder", **given.settings},
        selection={"mode": "probability", "threshold": 0.01},
        generator_seeds=2,
    )
    assert config.generator_seeds == 1
    study = Study.prepare(config, bars, tmp_path)
    found = study.measure()
    cells = [cell for cell in study.cells(found) if cell.source == "folder"]
    assert {cell.way for cell in cells} == {"added", "substituted"}
    assert sum(given.offered) == found.efforts[0].drawn
