from __future__ import annotations

import json

import numpy as np
import pytest
import tiny
from scipy import stats

from gmaug_core.data import samples
from gmaug_core.data.splits import three_way_split
from gmaug_core.errors import InputError, Stopped
from gmaug_core.method import experiment
from gmaug_core.method.experiment import Lab, Synthetic

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("home")))
        yield tiny.make_dataset(tmp_path_factory.mktemp("bars"))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A whole run: (result, folder, what was reported)."""
    folder, reported = tmp_path_factory.mktemp("run"), []
    grouping = {name: [name] for name in data.class_names}
    result = experiment.run(
        tiny.config(data),
        data,
        grouping,
        out_dir=folder,
        report=lambda stage, step, total, **metrics: reported.append((stage, step, total)),
    )
    return result, folder, reported


def test_the_result_holds_what_the_pages_read(finished):
    result, _, reported = finished
    json.dumps(result.to_dict(), allow_nan=False)
    assert result.seeds == (0, 1)
    for entry in (result.baseline, result.augmented, *result.controls.values()):
        a = entry.accuracy
        assert a.ci_low <= a.mean <= a.ci_high
        assert len(a.values) == 2
        assert a.n == 36
    assert set(result.controls) == {"unfiltered", "oversampling", "class_balanced_loss"}
    assert result.relative_gain_percent.n_seeds == 2
    gain = np.mean(result.augmented.accuracy.values) / np.mean(result.baseline.accuracy.values) - 1
    assert result.relative_gain_percent.value == pytest.approx(100 * gain)
    assert result.predicted.low <= result.predicted.gain_percent <= result.predicted.high
    assert [row.train for row in result.per_class] == list(tiny.COUNTS.values())
    stages = list(dict.fromkeys(stage for stage, _, _ in reported))
    assert stages[:6] == ["decode", "score", "baseline", "generator", "sample-1", "retrain-1"]
    assert stages[-1] == "quality"
    assert all(0 <= step <= total for _, step, total in reported)


def test_every_synthetic_image_is_kept_with_its_verdict(finished):
    result, folder, _ = finished
    table = samples.table(folder / "samples", seed=0)
    assert len(table) == result.accepted.total + result.rejected.total
    assert sum(result.rejected.reasons.values()) == result.rejected.total
    assert (
        table["accepted"] == ((table["predicted"] == table["label"]) & (table["probability"] > 0.34))
    ).all()
    images = samples.all_images(folder / "samples")
    np.testing.assert_array_equal(samples.image(folder / "samples", 3), images[3])
    assert set(table["class"]) == {"down", "slant"}, "the largest class is short of nothing"


def test_a_second_run_of_the_same_seed_is_the_same(finished, data, tmp_path):
    result, _, _ = finished
    again = experiment.run(
        tiny.config(data), data, {name: [name] for name in data.class_names}, out_dir=tmp_path
    )
    assert tiny.comparable(again) == tiny.comparable(result)


def test_stopped_and_resumed_is_the_same(finished, data, tmp_path):
    result, _, _ = finished
    grouping = {name: [name] for name in data.class_names}
    for patience in (3, 30, 90):
        calls = iter(range(10**6))
        try:
            experiment.run(
                tiny.config(data),
                data,
                grouping,
                out_dir=tmp_path,
                should_stop=lambda calls=calls, patience=patience: next(calls) >= patience,
            )
        except Stopped:
            continue
    again = experiment.run(tiny.config(data), data, grouping, out_dir=tmp_path)
    assert tiny.comparable(again) == tiny.comparable(result)


def test_a_threshold_that_accepts_nothing_finishes_and_says_so(data, tmp_path):
    config = tiny.config(data, seeds=1, selection={"mode": "logit", "threshold": 1000})
    result = experiment.run(config, data, {"all": list(data.class_names)}, out_dir=tmp_path)
    assert result.accepted.total == 0
    assert "accepted nothing" in result.warnings[0]
    assert result.relative_gain_percent.value == 0


def test_feedback_asks_the_first_judge_and_says_so(data, tmp_path):
    drawn = {}
    for feedback, scale in (("none", 1.0), ("loss", 3.0)):
        settings = tiny.SETTINGS["generator"] | {"feedback": feedback, "feedback_scale": scale}
        config = tiny.config(data, seeds=1)
        config = config.model_copy(update={"generator": config.generator.model_copy(update=settings)})
        lab = Lab.prepare(config, data, tmp_path / feedback, lambda *_, **__: None, lambda: False)
        judge = lab.train_classifier("baseline", "baseline", 0, lab.real())
        lab.train_generator(judge)
        pool = lab.draw(1, {0: judge})
        account = pool.account(0)
        assert account["accepted_per_draw"] == pytest.approx(account["accepted"] / account["drawn"])
        said = experiment.warnings(lab, [account], pool.table)
        assert any("steered by the first seed's classifier" in line for line in said) == (feedback == "loss")
        drawn[feedback] = pool.images[:10]  # the same seeds
    assert not np.array_equal(drawn["none"], drawn["loss"])


def test_training_sets_draw_what_they_say(data, tmp_path):
    lab = Lab.prepare(tiny.config(data), data, tmp_path, lambda *_, **__: None, lambda: False)
    rare = data.class_names.index("slant")
    synthetic = Synthetic(lab.images[:11], np.full(11, rare))

    def share(training, mask):
        weights = np.ones(len(training.labels)) if training.draw_weights is None else training.draw_weights
        return weights[mask].sum() / weights.sum()

    oversampled = lab.oversampled()
    for label in range(3):
        assert share(oversampled, oversampled.labels == label) == pytest.approx(1 / 3)
    mixed = lab.with_synthetic("mix", synthetic)
    made = np.arange(len(mixed.labels)) >= len(lab.split["train"])
    assert share(mixed, mixed.labels == rare) == pytest.approx(1 / 3)
    assert share(mixed, made) == pytest.approx(1 / 3 * 0.25)
    filled = lab.with_synthetic("fill", synthetic)
    assert filled.draw_weights is None
    assert (filled.labels == rare).sum() == 16


def test_interval_covers_at_the_nominal_rate():
    """Simulated experiments with both sources of error: 95 % intervals cover 93.5-97.5 %."""
    rng = np.random.default_rng(0)
    hits, trials, seeds, images = 0, 3000, 5, 60
    for _ in range(trials):
        per_image = rng.normal(0, 0.4, images)
        contributions = per_image + rng.normal(0, 0.05, (seeds, 1)) + rng.normal(0, 0.05, (seeds, images))
        found = experiment._mean(contributions.mean(axis=1).tolist(), contributions)
        hits += found["ci_low"] <= 0 <= found["ci_high"]
    assert 0.935 <= hits / trials <= 0.975


def test_an_accuracys_interval_ends_at_0_and_1_and_a_gains_does_not():
    correct = np.array([[1.0] * 19 + [0.0], [1.0] + [0.0] * 19])
    share, gain = experiment._share([0.95, 0.05], correct), experiment._mean([0.95, 0.05], correct)
    assert (share["ci_low"], share["ci_high"]) == (0.0, 1.0)
    assert gain["ci_low"] < -1
    assert gain["ci_high"] > 2


def test_interval_of_one_seed_is_the_test_splits_own():
    low, high = experiment.interval(0.5, 0.0, 1, 0.25, 100)
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 99) * 0.05)


LABELS = np.repeat([0, 1, 2], [40, 10, 3])


@pytest.mark.parametrize("given", [["train"], ["train", "val"], ["train", "test"], ["train", "val", "test"]])
def test_three_way_split_is_a_partition(given):
    splits = np.resize(np.array(given), len(LABELS))
    parts = three_way_split(LABELS, splits, ["a", "b", "c"], seed=0)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(LABELS)))
    assert all(len(part) for part in parts.values())
    if len(given) == 3:
        assert all((splits[parts[name]] == name).all() for name in parts)
    again = three_way_split(LABELS, splits, ["a", "b", "c"], seed=0)
    assert all((parts[name] == again[name]).all() for name in parts)


@pytest.mark.parametrize("given", [["train"], ["train", "val"]])
def test_copies_of_an_image_stay_on_one_side(given):
    splits = np.resize(np.array(given), len(LABELS))
    content = np.arange(len(LABELS))
    content[3::6] = content[2::6][: len(content[3::6])]  # a third of the images are there twice
    content[-2:] = content[0]  # and one in two classes
    if len(given) == 2:
        content = content * 2 + (splits == "val")  # the dataset's own splits share nothing
    parts = three_way_split(LABELS, splits, ["a", "b", "c"], seed=0, content=content)
    sides = [set(content[part].tolist()) for part in parts.values()]
    assert not (sides[0] & sides[1])
    assert not (sides[0] & sides[2])
    assert not (sides[1] & sides[2])
    assert sum(map(len, parts.values())) == len(LABELS)


def test_a_class_without_training_images_is_named():
    splits = np.where(LABELS == 2, "val", "train")
    with pytest.raises(InputError, match="no training images of c"):
        three_way_split(LABELS, splits, ["a", "b", "c"], seed=0)


def test_a_generator_is_examined_while_it_trains_and_a_collapse_is_repeated_in_words(finished):
    result, _, _ = finished
    rows = result.generator.quality
    assert [row.kimg for row in rows] == pytest.approx([0.16, 0.32])
    assert {
        "kid",
        "fd",
        "precision",
        "recall",
        "memorised_share",
        "consistency",
        "consistency_tail",
        "n_real",
        "n_synthetic",
    } <= rows[0].model_fields_set
    assert not any("collapsed" in warning for warning in result.warnings)


def test_a_collapse_is_a_warning(data, tmp_path):
    lab = Lab.prepare(tiny.config(data), data, tmp_path, lambda *_, **__: None, lambda: False)
    lab.generator_figures = {
        "collapse": {"kimg": 40.0, "classes": ["down"], "best_kimg": 20.0, "conditional": False}
    }
    warning = experiment.warnings(lab, [], [])[0]
    assert "at 40 kimg" in warning
    assert "down" in warning
    assert "20 kimg" in warning
    assert "did not know the classes" in warning


def test_inception_weights_that_do_not_fit_stop_a_run_before_it_begins(data, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.pt"):
        experiment.run(
            tiny.config(data, inception="nowhere.pt"), data, {"all": list(data.class_names)}, out_dir=tmp_path
        )
    assert not (tmp_path / "checkpoints").exists()
