"""A whole verdict, fast and full, on the bars; stopped and gone on with it says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
from exchange_world import equivalence

from gmaug_core.config import VerdictConfig, augmentation_config
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import Stopped
from gmaug_core.files import write_json
from gmaug_core.hooks import never
from gmaug_core.method.acceptance import foretold, real_acceptance
from gmaug_core.method.experiment import look_at_the_filter
from gmaug_core.method.lab import Lab
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.verdict import measure
from gmaug_core.method.verdict.result import Verdict

CLASSIFIER = {"width": 4, "blocks": [1], "steps": 12, "batch": 16, "checkpoint_steps": 5}


def verdict(data: Dataset, folder: Path, **settings) -> Verdict:
    hooks = {name: settings.pop(name) for name in ("report", "should_stop", "exchanges") if name in settings}
    config = VerdictConfig.about(tiny.config(data, classifier=CLASSIFIER), **settings).model_copy(
        update={"device": "cpu"}
    )
    return measure.run(config, data, {name: [name] for name in data.class_names}, out_dir=folder, **hooks)


def comparable(found: Verdict) -> dict:
    return tiny.comparable(found.to_dict())


@pytest.mark.parametrize(
    ("preset", "generator", "minutes"),
    [
        ("quick", {}, 4),
        ("quick", {"minutes": 3}, 4 + 3),  # the classifiers take as long as ever
        ("standard", {"minutes": 600}, 4 * 4),  # a small run is not one of ten hours
    ],
)
def test_a_small_run_takes_its_classifiers_too(preset, generator, minutes):
    run = augmentation_config(
        "d",
        image_size=16 if preset == "quick" else 64,
        colour="grey",
        preset=preset,
        overrides={"generator": generator},
    )
    assert measure.small_run_minutes(VerdictConfig.about(run)) == minutes


def test_a_fast_reading(home, tmp_path):
    data = tiny.make_dataset(tmp_path / "bars", held=())
    elsewhere = equivalence()
    found = verdict(data, tmp_path, fast=True, exchanges=(elsewhere,))
    assert found.length is None
    assert found.law is None
    assert found.first.accuracies.accuracy > 1 / 3
    assert {each.key for each in found.ceiling.projections} == {"quarter", "twice", "balance", "run"}
    assert found.splits.train == sum(found.counts.values())
    assert found.verdict.sentence
    assert found.equivalence is not None
    assert (found.equivalence.run, found.equivalence.base) == (elsewhere.run, min(elsewhere.bases))
    assert "another dataset" in found.equivalence.warnings[0]
    path = tmp_path / "result.json"
    found.write(path)
    assert Verdict.read(path) == found
    before = found.to_dict() | {"schema": 1, "equivalence": None}
    untold = dict.fromkeys(("variances", "trainings", "smallest_low", "smallest_high"))
    seen = found.seen.model_copy(update=untold)  # form 1 had none of them
    assert Verdict.parse(before) == found.model_copy(
        update={"equivalence": None, "seen": seen, "expected": None}
    )


@pytest.mark.slow
def test_a_full_reading_stopped_and_gone_on_with(home, tmp_path, one_thread):
    data = tiny.make_dataset(tmp_path / "bars", counts={"across": 40, "down": 24, "slant": 16})
    for name in ("whole", "stopped", "fast"):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
    whole = verdict(data, tmp_path / "whole", minutes=20)
    assert whole.length is not None
    assert whole.length.planned == whole.length.used == 12
    assert [rung.steps for rung in whole.length.rungs] == [12, 24, 48]
    assert {row.key for row in whole.free.recipes} >= {"plain", "posthoc_logit_adjustment", "mixup", "crt"}
    assert whole.seen.learner == whole.ceiling.learner == "classifier"
    assert whole.law is not None
    assert whole.verdict.key == "train_longer"  # of 12 steps

    # the same plan, whatever the pace of the second attempt
    plan = (tmp_path / "whole" / "checkpoints" / "plan.json").read_bytes()
    (tmp_path / "stopped" / "checkpoints" / "plan.json").write_bytes(plan)
    seen = []

    def report(stage: str, step: int, total: int, **_: object) -> None:
        seen.append(stage)
        assert 0 <= step <= total

    with pytest.raises(Stopped):
        verdict(
            data,
            tmp_path / "stopped",
            minutes=20,
            report=report,
            should_stop=lambda: seen.count("trainings") > 6,
        )
    files = list((tmp_path / "stopped" / "checkpoints").glob("verdict-*.safetensors"))
    assert files
    early = Verdict.read(tmp_path / "stopped" / Verdict.FIRST)  # there while the rest was measured
    alone = verdict(data, tmp_path / "fast", fast=True)
    assert comparable(early) | {"run": "fast"} == comparable(alone) | {"run": "fast"}
    again = verdict(data, tmp_path / "stopped", minutes=20)
    assert comparable(again) == comparable(whole)

    # the run that follows trains what the verdict trained no second time, and has the same weights
    settings = tiny.config(data, classifier=CLASSIFIER).model_copy(update={"device": "cpu"})
    weights = {}
    for name, others in (("alone", []), ("run", [tmp_path / "whole" / "checkpoints"])):
        told = []
        lab = Lab.prepare(
            settings,
            data,
            tmp_path / name,
            lambda *_, told=told, **metrics: told.append(metrics.get("shared_with")),
            never,
            others=lambda others=others: others,
        )
        plain = lab.arm("baseline", "baseline", lambda _, lab=lab: lab.real)
        lab.arm(
            "controls", "crt-1", lambda _, lab=lab: lab.real, recipe=RECIPES["crt"], value=1.0, plain=plain
        )
        weights[name] = {path.name: path.read_bytes() for path in lab.checkpoints.glob("*.safetensors")}
        units = [f"classifier-{which}-{seed}" for which in ("baseline", "crt-1") for seed in (0, 1)]
        assert lab.shared.taken() == (dict.fromkeys(units, "whole") if others else {})
        assert told.count("whole") == (len(units) if others else 0)
        # and its filter does with real images what the verdict foretold
        look_at_the_filter(lab, plain)
        found = real_acceptance(lab.samples, data.class_names).total
        assert found == foretold(
            settings.selection,
            [each.predict_logits(lab.part("val")[0]) for each in plain.classifiers.values()],
            lab.part("val")[1],
        )
    assert whole.filter.rule == settings.selection.words
    third = found.n * (3 * whole.filter.passed.share - 2 * found.share)  # images that a third seed lets pass
    assert whole.filter.passed.n == found.n
    assert third == pytest.approx(round(third), abs=1e-6)
    assert weights["run"] == weights["alone"]


def test_where_the_minutes_are_few_the_trainings_are_shorter():
    from gmaug_core.method.verdict import plan

    made = plan.make(1_000, 2_000.0, [("mixup", 1.0)], "plain", rare=False, seed=5)
    assert made.used == 450
    assert {one.steps for one in made.trainings} == {450}
    assert "450 steps" in made.skipped[0]
    rich = plan.make(1_000, 100_000.0, [("mixup", 1.0)], "plain", rare=True, seed=5)
    assert rich.used == 1_000
    assert rich.skipped == ()
    assert {one.steps for one in rich.trainings} == {1_000, 2_000, 4_000}
    assert {one.seed for one in rich.trainings} == {5, 6, 7}
    assert len(set(rich.trainings)) == len(rich.trainings)


def test_time_that_is_left_is_used():
    from gmaug_core.method.verdict import plan

    def asked(budget: float) -> plan.Plan:
        return plan.make(1_000, budget, [("mixup", 1.0)], "plain", rare=False, seed=5)

    made = asked(5_000.0)  # half and all of the images, nothing besides
    assert made.skipped
    grown = plan.more(made, asked, 5_000.0)
    assert grown is not None
    assert grown.trainings[: len(made.trainings)] == made.trainings
    assert sum(one.steps for one in grown.trainings[len(made.trainings) :]) <= 5_000
    assert {one.steps for one in grown.trainings} == {1_000, 2_000}
    assert plan.more(made, asked, 1_500.0) is None
    rich = plan.more(made, asked, 100_000.0)
    assert rich is not None
    assert rich.skipped == ()
    assert plan.more(rich, asked, 100_000.0) is None, "it ends"

    short = asked(2_000.0)  # measured on a busy machine
    assert short.used == 450
    again = plan.more(short, asked, 6_000.0)
    assert again is not None
    assert again.used == 1_000
    assert plan.more(short, asked, 2_500.0) is None, "not for a little"


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_recipe_of_the_curves_is_trained_at_a_value_that_it_has(recipe):
    from gmaug_core.method.verdict import plan

    made = plan.make(1_000, 100_000.0, [(recipe, RECIPES[recipe].values[0])], recipe, rare=True, seed=5)
    assert {one.value for one in made.trainings if one.recipe == recipe} == {RECIPES[recipe].values[0]}
    assert any(one.images == "rare-half" for one in made.trainings)


def test_the_plan_is_written_once(tmp_path):
    from gmaug_core.method.verdict import plan

    made = plan.kept(tmp_path / "plan.json", lambda: plan.make(10, 1e6, [], "plain", rare=True, seed=0))
    assert plan.kept(tmp_path / "plan.json", lambda: plan.Plan((), 0, ())) == made
    write_json(tmp_path / "plan.json", {"trainings": [], "used": 3, "skipped": []})
    assert plan.kept(tmp_path / "plan.json", lambda: made).used == 3
