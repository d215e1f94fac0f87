from __future__ import annotations

import json
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
import tiny
import untouched

from gmaug_core.config import Profile, SimilarityConfig
from gmaug_core.config.runs import QUICK_CONTROLS
from gmaug_core.data import dividing, samples, splits
from gmaug_core.errors import InputError, Paused, Stopped
from gmaug_core.hooks import never, no_report
from gmaug_core.method import controls, experiment
from gmaug_core.method.arms import Arm, Order, best
from gmaug_core.method.cautions import cautions
from gmaug_core.method.draw import draw
from gmaug_core.method.lab import Lab
from gmaug_core.method.parts.generator import Collapse
from gmaug_core.method.parts.synthetic import Step
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.score import score_training_images
from gmaug_core.method.ways import Way
from gmaug_core.models import classifiers
from gmaug_core.report import acceptance

pytestmark = pytest.mark.slow
STEPS = tiny.SETTINGS["classifier"]["steps"]
STUDY = {
    "amounts": [0.5, 1.0],
    "second_stages": ["none", "head"],
    "amount_seeds": 1,
    "counting_seeds": 1,
    "generator_seeds": 2,
}  # there is a choice


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("home")))
        yield tiny.make_dataset(tmp_path_factory.mktemp("bars"))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A whole run: (result, folder, what was reported). No test image is looked at before its verdict."""
    folder, reported = tmp_path_factory.mktemp("run"), []
    grouping = {name: [name] for name in data.class_names}
    with pytest.MonkeyPatch.context() as patch:
        told = untouched.seal(patch)
        result = experiment.run(
            tiny.config(data, **STUDY),
            data,
            grouping,
            out_dir=folder,
            report=lambda stage, step, total, **metrics: reported.append((stage, step, total, metrics)),
        )
    assert told == ["verdict"] * 2, "of the arms of each generator"
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
    assert set(result.controls) - {"best_augmented"} == {"unfiltered", "real_replay", *QUICK_CONTROLS}
    assert result.relative_gain_percent.n_seeds == 2
    gain = np.mean(result.augmented.accuracy.values) / np.mean(result.baseline.accuracy.values) - 1
    assert result.relative_gain_percent.value == pytest.approx(100 * gain)
    assert result.predicted is None
    assert "32 px" in result.not_predicted, "the bars are stored too small for the law"
    total, per_class = result.real_acceptance.total, result.real_acceptance.per_class
    assert total.n == sum(each.n for each in per_class.values()) == 24
    shares = [each.share * each.n for each in per_class.values()]
    assert total.share == pytest.approx(sum(shares) / 24)
    assert [row.train for row in result.per_class] == list(tiny.COUNTS.values())
    stages = list(dict.fromkeys(stage for stage, *_ in reported))
    assert stages[:7] == ["decode", "score", "baseline", "filter", "generator", "sample-1", "amounts"]
    told = [metrics["real_accepted"] for *_, metrics in reported if "real_accepted" in metrics]
    assert told == [total.to_dict()], "before the generator is trained"
    zero, *others = result.doses
    assert (zero.amount, zero.added, zero.points) == (0.0, 0.0, 0.0)
    assert others[0].added > 0
    assert [dose.added for dose in result.doses] == sorted({dose.added for dose in result.doses})
    assert all(len(dose.test.values) == 1 and dose.test.n == 36 for dose in result.doses)
    assert result.choice.amount in [dose.amount for dose in others]
    assert len(result.choice.tried) == len(result.doses) + 1, "and the second stage at the best amount"
    assert stages[-1] == "quality"
    assert all(0 <= step <= total for _, step, total, _ in reported)


def test_a_second_generator_repeats_what_was_chosen_and_is_in_the_interval(finished):
    result, folder, _ = finished
    drawn = [samples.table(folder / "samples" / sub) for sub in ("", "generator-1")]
    assert all(len(table) for table in drawn)
    assert not np.array_equal(
        np.load(folder / "samples" / "step-1.npy")[0],
        np.load(folder / "samples" / "generator-1" / "step-1.npy")[0],
    ), "the same draw seeds, another generator"
    assert (folder / "checkpoints" / "generator-1" / "figures.json").exists()
    gain = result.endpoint
    assert (gain.generators, gain.covers) == (2, "generators, seeds and images")
    assert result.generators.points[0] == pytest.approx(
        100 * (result.variants[gain.of].accuracy.mean - result.variants[gain.control].accuracy.mean)
    )
    assert np.mean(result.generators.points) == pytest.approx(gain.points)
    assert result.gains["unfiltered"].generators == 1, "of the first generator alone"
    assert any(line.startswith("The gains' intervals cover 2 generators") for line in result.warnings)


def test_the_papers_way_of_counting_has_its_placebo_with_as_many_steps(finished, data):
    result, folder, _ = finished
    arms, real = result.paper_counting.arms, sum(tiny.COUNTS.values())
    assert (arms["baseline"].images, arms["baseline"].steps) == (real, STEPS)
    lab = Lab.prepare(tiny.config(data, **STUDY), data, folder, no_report, never)
    kept = len(lab.pool(1, result.choice.amount).kept(0).labels)
    assert arms["augmented"].images == pytest.approx(real + kept, abs=1)
    assert arms["augmented"].steps == arms["placebo"].steps == np.ceil(STEPS * (real + kept) / real)
    for key, arm in arms.items():
        looks = np.load(folder / "checkpoints" / f"counting-{key}-0.npy")
        assert looks.shape == (10, 36)
        assert looks.any(axis=1).all()
        shares = looks.mean(axis=1)
        assert (arm.best.mean, arm.last.mean) == pytest.approx((shares.max(), shares[-1]))
    value = 100 * (arms["placebo"].best.mean / arms["baseline"].best.mean - 1)
    assert result.paper_counting.placebo.value == pytest.approx(value)
    assert f"gains {value:+.2f} %" in result.paper_counting.words
    assert "showing rare classes as often" in result.paper_counting.words, "copies weigh classes anew"


def test_the_classifiers_that_choose_the_amount_are_none_of_those_that_are_compared(finished):
    """Else the best of several on validation would be lucky on the test split, too."""
    result, folder, _ = finished
    names = {path.stem for path in (folder / "checkpoints").glob("classifier-step1-*")}
    choosing = {name for name in names if int(name.rsplit("-", 1)[1]) not in result.seeds}
    assert choosing
    assert {name for name in choosing if not name.endswith("-2")} == set()
    compared = names - choosing
    chosen = Way("fill", result.choice.amount, 1.0, result.choice.second_stage)
    assert {f"classifier-step1-{replace(chosen, use=use).key}-0" for use in ("fill", "mix")} <= compared


def test_a_stage_of_many_trainings_moves_evenly_to_its_end(finished):
    """So that what is left can be foretold: one total, no step back between two trainings."""
    blocks = [(name, list(rows)) for name, rows in groupby(finished[2], key=lambda row: row[0])]
    for stage in ("baseline", "retrain-1", "counting"):
        rows = next(rows for name, rows in blocks if name == stage)  # a second generator repeats some
        steps = [step for _, step, *_ in rows]
        assert {total for _, _, total, _ in rows} == {max(steps)}
        assert steps == sorted(steps)
        assert len(set(steps)) > 3


def test_the_arms_of_a_stage_are_trained_together(data, tmp_path, monkeypatch):
    asked, train = [], classifiers.train_many
    monkeypatch.setattr(
        classifiers, "train_many", lambda jobs, **more: asked.append(len(jobs)) or train(jobs, **more)
    )
    lab = Lab.prepare(tiny.config(data), data, tmp_path, no_report, never)
    fill, mix = (Order(name, lambda _: lab.real) for name in ("fill", "mix"))
    both = lab.arms("controls", [fill, mix])
    assert asked == [4], "two arms of two seeds: no core waits for the last seed of the first"
    np.testing.assert_array_equal(both[0].correct, both[1].correct)


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


def test_a_run_that_is_stopped_takes_what_another_trained_and_looks_early_is_the_same(
    finished, data, tmp_path
):
    """The generator pauses for the looks and goes on: the same to the last bit."""
    result, folder, _ = finished
    taken: set[tuple[object, ...]] = set()

    def report(*_, **metrics) -> None:
        if "shared_with" in metrics:
            taken.add((metrics["shared_with"], metrics["variant"], metrics["seed"]))

    def attempt(patience):
        calls = iter(range(10**6))
        return experiment.run(
            tiny.config(data, probe="ask", **STUDY),
            data,
            {name: [name] for name in data.class_names},
            out_dir=tmp_path,
            others=lambda: [folder / "checkpoints"],
            report=report,
            should_stop=lambda: next(calls) >= patience,
        )

    for patience in (3, 30, 90):
        with pytest.raises(Stopped):
            attempt(patience)
    try:
        again = attempt(10**6)
    except Paused:
        again = attempt(10**6)
    assert [look.share for look in again.probe.looks] == [0.1, 0.2]
    assert tiny.comparable(again) | {"probe": None} == tiny.comparable(result) | {"probe": None}
    assert {name for name, *_ in taken} == {folder.name}
    assert len(again.shared) > 2
    assert {"classifier-baseline-0", "classifier-baseline-1"} < again.shared.keys()
    assert not any("step1" in name or "unfiltered" in name for name in again.shared), "not of real images"


def test_the_endpoint_is_the_best_recipe_on_validation_with_and_without_synthetic_images(finished, data):
    result, folder, _ = finished
    lab = Lab.prepare(tiny.config(data), data, folder, no_report, never)
    baseline = lab.arm("baseline", "baseline", lambda _: lab.real)
    alone = {"plain": baseline}
    orders = {key: controls.without_generator(lab, key, baseline) for key in lab.config.controls}
    alone |= controls.trained_controls(lab, orders)
    validation = {key: arm.validation for key, arm in alone.items()}
    assert validation[result.endpoint_recipe] == max(validation.values())
    plain = result.endpoint_recipe == "plain"
    assert result.endpoint.control == ("baseline" if plain else result.endpoint_recipe)
    assert result.endpoint.of == ("augmented" if plain else "best_augmented")
    assert ("best_augmented" in result.controls) == (not plain)
    strongest = alone.pop(result.endpoint_recipe)
    alike = {key for key, arm in alone.items() if not experiment.told_apart(strongest, arm)}
    assert set(result.rivals) == {"baseline" if key == "plain" else key for key in alike}
    for key, gain in result.rivals.items():
        assert (gain.of, gain.control) == (result.endpoint.of, key)
    alone[result.endpoint_recipe] = strongest
    for key, arm in alone.items():
        values = [lab.evaluate(each, "test").accuracy for each in arm.classifiers.values()]
        assert result.variants["baseline" if key == "plain" else key].accuracy.values == tuple(values)


def test_a_rival_is_a_recipe_that_validation_cannot_tell_from_the_best():
    rng = np.random.default_rng(0)

    def arm(key: str, right: float) -> Arm:
        return Arm(RECIPES[key], 1.0, None, 0, {}, rng.random((3, 400)) < right)

    best, alike, far = arm("oversampling", 0.9), arm("plain", 0.89), arm("class_balanced_loss", 0.5)
    found = {"baseline": alike, "oversampling": best, "class_balanced_loss": far}
    assert experiment.endpoint_of(best, found).rivals == ("baseline",)


def test_a_recipe_that_is_best_is_combined_with_the_synthetic_images(finished, data):
    """Whichever recipe won here: each can be put on top, with its own value, on real and kept images."""
    _, folder, _ = finished
    lab = Lab.prepare(tiny.config(data), data, folder, no_report, never)
    retrained = experiment.retrain(lab, 1, Way())
    kept = np.bincount(lab.kept(1, Way("fill"), 0).labels, minlength=lab.classes)
    assert [arm.way.use for arm in retrained] == ["fill", "mix"]
    recipe = RECIPES["posthoc_logit_adjustment"]
    strongest = Arm(recipe, 0.5, None, 0, {}, np.ones((2, 1), bool))
    fill, _ = controls.with_recipe(lab, strongest, retrained)
    assert (fill.recipe, fill.value, fill.way, fill.step) == (recipe, 0.5, Way("fill"), 1)
    difference = fill.classifiers[0].predict_logits(lab.images[:4])
    difference -= retrained[0].classifiers[0].predict_logits(lab.images[:4])
    np.testing.assert_allclose(difference, np.tile(-0.5 * np.log(kept / kept.sum()), (4, 1)), atol=1e-4)


def test_going_on_needs_more_than_luck(data, tmp_path):
    """Where two candidates change nothing, the better one goes on in one of ten cases at most; where every
    seed gains much, always."""
    lab = Lab.prepare(tiny.config(data), data, tmp_path, no_report, never)
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0.75, 1, 300)

    def arm(gain=0.0):
        seeds, images = rng.normal(0, 0.05, (3, 1)), rng.normal(0, 0.6, (3, 300))
        return Arm(RECIPES["plain"], 1.0, None, 0, {}, difficulty + seeds + images + gain > 0)

    luck = [experiment.improves(lab, arm(), best([arm(), arm()])) for _ in range(200)]
    assert np.mean(luck) < 0.1
    assert all(experiment.improves(lab, arm(), arm(1.0)) for _ in range(10))


@pytest.mark.parametrize(
    ("counts", "colour"),
    [
        ({"across": 9, "down": 6, "slant": 1}, False),
        ({"across": 7, "down": 3}, True),
    ],
)
def test_small_and_odd_datasets_finish(tmp_path, monkeypatch, counts, colour):
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "home"))
    data = tiny.make_dataset(tmp_path / "bars", counts=counts)
    config = tiny.config(data, seeds=1, use=["fill"], max_steps=1)
    if colour:
        config = config.model_copy(
            update={"generator": config.generator.model_copy(update={"colour": "rgb"})}
        )
    result = experiment.run(config, data, {"all": list(data.class_names)}, out_dir=tmp_path / "run")
    assert [row.train for row in result.per_class] == list(counts.values())
    images = samples.all_images(tmp_path / "run" / "samples")
    assert images.ndim == (4 if colour else 3)
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_thousand_classes_of_two_images_are_refused_in_words():
    labels, names = np.repeat(np.arange(1000), 2), [f"class {k}" for k in range(1000)]
    with pytest.raises(InputError, match="cannot be split: no images for val, test"):
        dividing.three_way_split(labels, np.full(2000, "train"), names, seed=0)


def test_a_balanced_dataset_ends_in_words_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "home"))
    data = tiny.make_dataset(tmp_path / "bars", counts=dict.fromkeys(tiny.COUNTS, 6))
    for target in (None, 6):
        with pytest.raises(InputError, match="nothing would be drawn"):
            experiment.run(
                tiny.config(data, target=target), data, {"all": list(data.class_names)}, out_dir=tmp_path
            )
    assert not (tmp_path / "checkpoints").exists()


def test_a_threshold_that_accepts_nothing_finishes_and_says_so(finished, data, tmp_path):
    _, folder, _ = finished
    config = tiny.config(data, seeds=1, selection={"mode": "logit", "threshold": 1000})
    result = experiment.run(
        config,
        data,
        {"all": list(data.class_names)},
        out_dir=tmp_path,
        others=lambda: [folder / "checkpoints"],
    )
    assert result.accepted.total == 0
    assert "accepted nothing" in result.warnings[0]
    assert result.relative_gain_percent.value == 0
    assert result.status == "not tested"
    assert result.status_words.startswith("The filter accepted nothing: ")


def test_feedback_asks_the_first_judge_and_says_so(data, tmp_path):
    drawn = {}
    for feedback, scale in (("none", 1.0), ("loss", 3.0)):
        settings = tiny.SETTINGS["generator"] | {"feedback": feedback, "feedback_scale": scale}
        config = tiny.config(data, seeds=1)
        config = config.model_copy(update={"generator": config.generator.model_copy(update=settings)})
        lab = Lab.prepare(config, data, tmp_path / feedback, no_report, never)
        judge = lab.arm("baseline", "baseline", lambda _, lab=lab: lab.real).classifiers[0]
        generator = lab.generator_trained_or_loaded(judge)
        assert not lab.drawn(1)
        draw(lab, 1, generator.model, {0: judge})
        assert lab.drawn(1)
        pool = lab.pool(1)
        account = pool.account(0, lab.budget)
        assert account["accepted_per_draw"] == pytest.approx(account["accepted"] / account["drawn"])
        steered = any("steered by the first seed's classifier" in line for line in said(config, data))
        assert steered == (feedback == "loss")
        drawn[feedback] = pool.images[:10]  # the same seeds
    assert not np.array_equal(drawn["none"], drawn["loss"])


def said(config, data, **known):
    classes = len(data.class_names)
    given = {"collapse": None, "steps": [], "accepted": 5}
    return cautions(config, data.class_names, **given | {"tested": np.full(classes, 12)} | known)


def test_a_collapse_is_a_warning(data):
    collapse = Collapse(
        kimg=40.0,
        classes=("down",),
        diversity={"down": 0.01},
        median_diversity=0.5,
        best_kimg=20.0,
        best_by="kid",
        conditional=False,
        done="training ended early",
    )
    warning = said(tiny.config(data), data, collapse=collapse)[0]
    assert "at 40 kimg" in warning
    assert "down" in warning
    assert "20 kimg" in warning
    assert "did not know the classes" in warning


def test_one_generator_is_said_to_be_in_no_interval(data):
    assert said(tiny.config(data), data)[-1].endswith("trained once: its luck is in no interval.")


def test_few_test_images_and_classes_given_up_are_warnings(data):
    first, second, _ = data.class_names
    row = {"seed": 0, "step": 1, "wanted": 90, "drawn": 300, "accepted": 5, "accepted_per_draw": 5 / 300}
    row |= {"val_before": 0.5, "chosen": None, "val_after": None, "went_on": False}
    step = Step(short={first: 40, second: 30}, hopeless={first: 1200}, **row)
    lines = said(tiny.config(data), data, steps=[step], tested=np.array([12, 9, 12]))
    assert any(line.endswith(f"ended early (draws saved): {first} (1,200).") for line in lines)
    assert any(
        line.endswith(f"before these classes were full (images missing): {second} (30).") for line in lines
    )
    assert f"Fewer than 10 test images of: {data.class_names[1]}. Read their recall with care." in lines


def test_a_score_is_of_the_images_that_the_run_trains_on(monkeypatch, tmp_path):
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "home"))
    data = tiny.make_dataset(tmp_path / "bars", held=(), counts={"across": 20, "down": 12, "slant": 9})
    grouping = {"bars": ["across", "down"], "slant": ["slant"]}
    config = SimilarityConfig(dataset=data.id, seed=7)
    part = splits.training_part(tmp_path / "split.json", data, config.seed)
    assert len(part.index) < len(data), "a dataset without splits: the run trains on some of its images"
    images = data.images(Profile().images)
    alone = score_training_images(images, data, part, grouping, profile=Profile(), seed=config.seed)
    lab = Lab.prepare(tiny.config(data, seed=7), data, tmp_path / "run", no_report, never)
    run = lab.score(grouping)
    np.testing.assert_array_equal(lab.split["train"], part.index)
    assert run.model_copy(update={"seconds": alone.seconds}) == alone
    assert (alone.training_images, alone.split_seed) == (len(part.index), 7)
    assert alone.ssim_mergecls.n == len(part.index)


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


def test_inception_weights_that_do_not_fit_stop_a_run_before_it_begins(data, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.pt"):
        experiment.run(
            tiny.config(data, inception="nowhere.pt"), data, {"all": list(data.class_names)}, out_dir=tmp_path
        )
    assert not (tmp_path / "checkpoints").exists()


def test_a_run_without_a_filter_keeps_every_image_and_has_no_ablation_of_it(data, tmp_path):
    reported: list[str] = []
    little = {"selection": {"mode": "none"}, "controls": [], "use": ["fill"], "max_steps": 1}
    result = experiment.run(
        tiny.config(data, **little),
        data,
        {name: [name] for name in data.class_names},
        out_dir=tmp_path,
        report=lambda stage, *_, **__: reported.append(stage),
    )
    assert (result.status, result.rejected.total) == ("measured", 0)
    table = samples.table(tmp_path / "samples")
    assert table["accepted"].all()
    assert (table["predicted"] != table["label"]).any(), "what a filter would have turned away"
    assert set(result.controls) - {"best_augmented"} == {"real_replay"}
    assert "filter" not in reported
    assert acceptance.words(result, tiny.config(data, **little).selection) == [acceptance.NO_FILTER]
    assert AugmentationResult.parse(result.to_dict()) == result
