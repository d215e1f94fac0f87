"""What is known before a run: by the newest verdict of these images, for these seeds and settings."""

from __future__ import annotations

import json

import numpy as np
import pytest
import run_fixture
import verdict_fixture

from gmaug_core.config import AugmentationConfig, augmentation_config
from gmaug_core.data import dataset, splits
from gmaug_core.files import write_json
from gmaug_core.method import power
from gmaug_core.method.verdict import result as v
from gmaug_core.method.verdict import seeing
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.report import cost, outlook
from gmaug_core.scoring import record


def asked(data: dataset.Dataset, **settings: object) -> AugmentationConfig:
    return augmentation_config(
        data.id,
        image_size=data.image_size,
        colour=data.colour,
        symmetric=data.symmetric,
        overrides={"grouping": "shape"} | settings,
    )


def test_without_a_verdict_the_first_reading_is_offered(demo):
    data = dataset.load(demo)
    known = outlook.of(asked(data), data)
    assert known.run is None
    assert known.lines == (outlook.NO_VERDICT, cost.words(asked(data)))
    assert "30 seconds" in known.verdict


def test_the_newest_verdict_and_what_these_seeds_would_see(demo):
    data, paths = dataset.load(demo), run_fixture.make_run(demo, kind="verdict")
    known = outlook.of(asked(data), data)
    said = Verdict.read(paths.result)
    assert known.run == paths.id
    assert said.verdict.sentence in known.verdict
    assert "Headroom over what is free: -0.4 points, at most +0.6; of it expected: -0.1." in known.verdict
    assert "It was asked for" not in known.verdict
    images = len(splits.made(data, 0)["test"])
    spread = seeing.spread_of(said.seen.variances)
    for seeds in (3, 8):
        smallest = power.smallest_visible(spread, seeds, images)
        told = outlook.of(asked(data, seeds=seeds), data).visible
        assert f"with {seeds} seeds and {images:,} test images: {smallest:.1f} points of accuracy" in told
    assert outlook.of(asked(data, seeds=1), data).visible == outlook.ONE_SEED
    assert f"and {len(data):,} test images" in outlook.of(asked(data, folds=3), data).visible


def test_that_the_run_compares_another_measure_than_the_verdict_is_said(demo, monkeypatch):
    """A gain of balanced accuracy is a smaller one of accuracy where rare classes have few test images."""
    data, paths = dataset.load(demo), run_fixture.make_run(demo, kind="verdict")
    verdict_fixture.verdict(measure="balanced_accuracy", run=paths.id, dataset=demo).write(paths.result)
    parts = splits.of_run(data, 0, 1)
    level = np.concatenate([parts[0]["test"][data.labels[parts[0]["test"]] == k][:3] for k in range(10)])
    of_common = data.labels[parts[0]["test"]] == 0
    for test, told in ((level, False), (np.concatenate([level, parts[0]["test"][of_common]]), True)):
        monkeypatch.setattr(splits, "of_run", lambda *_, test=test: [parts[0] | {"test": test}])
        assert (outlook.OF_ACCURACY in outlook.of(asked(data), data).visible) is told


def test_what_this_run_does_otherwise_is_said(demo):
    run_fixture.make_run(demo, kind="verdict")
    data = dataset.load(demo)
    other = outlook.of(asked(data, classifier={"steps": 99}, generator={"resolution": 32}, target=7), data)
    for words in ("images of 16 px", "another classifier or training length", "another number of images"):
        assert words in other.verdict
    exact = outlook.of(asked(data, classifier={"precision": "float32"}), data)
    assert "It was asked for" not in exact.verdict


def test_a_filter_that_hardly_a_real_image_passes_is_a_caution(demo):
    paths = run_fixture.make_run(demo, kind="verdict")
    data = dataset.load(demo)
    usual = outlook.of(asked(data), data)
    strict = v.Filter(rule="probability > 0.9", passed=verdict_fixture.passed(0.02, 300))
    verdict_fixture.verdict(filter=strict, run=paths.id, dataset=demo).write(paths.result)
    known = outlook.of(asked(data), data)
    (caution,) = set(known.cautions) - set(usual.cautions)
    assert caution.startswith("The filter (probability > 0.9) would accept 2% [0%, 4%] of 300 real")
    assert record.strict_words(0.02) in caution
    assert "real_share" in caution
    other = asked(data, selection={"mode": "real_share", "threshold": 0.9})
    assert outlook.of(other, data).cautions == usual.cautions, "another filter: nothing is known of it"


def test_a_verdict_without_a_projection_has_no_headroom_in_points(demo):
    paths = run_fixture.make_run(demo, kind="verdict")
    verdict_fixture.verdict(refused=True, run=paths.id, dataset=demo).write(paths.result)
    data = dataset.load(demo)
    assert "Headroom over what is free: not projected." in outlook.of(asked(data), data).verdict


@pytest.mark.parametrize("how", ["damaged", "of other images"])
def test_a_verdict_that_does_not_count(demo, how, caplog):
    paths = run_fixture.make_run(demo, kind="verdict")
    if how == "damaged":
        paths.result.write_text("{")
    else:
        write_json(paths.config, json.loads(paths.config.read_text()) | {"dataset_version": "before"})
    data = dataset.load(demo)
    assert outlook.of(asked(data), data).run is None
    assert (paths.id in caplog.text) == (how == "damaged")


def test_a_verdict_of_form_1_knows_its_own_seeds_alone(demo):
    paths = run_fixture.make_run(demo, kind="verdict")
    old = json.loads(paths.result.read_text()) | {"schema": 1}
    del old["seen"]["variances"]
    write_json(paths.result, old)
    data = dataset.load(demo)
    told = outlook.of(asked(data, seeds=8), data).visible
    assert "with 3 seeds and 609 test images: 3.9 points" in told
