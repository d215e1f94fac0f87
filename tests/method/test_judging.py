"""A cross-fitted judge: no real image is judged by a classifier that was trained on it."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
import untouched

from gmaug_core.data import dividing, samples
from gmaug_core.data.views import View
from gmaug_core.hooks import never, no_report
from gmaug_core.method import experiment
from gmaug_core.method.gates import REPEAT
from gmaug_core.method.judging import judges
from gmaug_core.method.lab import Lab, TrainedGenerator
from gmaug_core.method.variants import trainings
from gmaug_core.method.ways import Way
from gmaug_core.models import classifiers
from gmaug_core.models.selection import recount

RULE = {
    "mode": "real_share",
    "threshold": 0.97,
    "judge": "cross_fitted",
    "judge_folds": 2,
    "gates": ["repeat"],
}
LITTLE = {
    "controls": [],
    "use": ["fill"],
    "selection": RULE,
    "classifier": tiny.SETTINGS["classifier"] | {"steps": 50},
}


def lab_in(folder, data, **settings):
    return Lab.prepare(tiny.config(data, **LITTLE | settings), data, folder, no_report, never)


def test_each_class_is_spread_evenly_and_a_class_of_one_image_is_held_out_nowhere(bars, tmp_path):
    lab = lab_in(tmp_path, bars)
    counts = np.array(
        [[(lab.judge_fold[lab.real.labels == label] == k).sum() for k in range(2)] for label in range(3)]
    )
    assert (counts.sum(axis=1) == lab.counts).all()
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()
    own = np.concatenate(
        [lab.split["train"][lab.real.labels < 2], lab.split["train"][lab.real.labels == 2][:1]]
    )
    alone = dividing.spread(bars, own, 3, seed=0)
    assert (alone[-1], (alone[:-1] >= 0).all()) == (-1, True)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("home")))
        yield tiny.make_dataset(tmp_path_factory.mktemp("bars"))


class Perfect:
    """A generator that draws what the real images were drawn from."""

    stock, closed_set = (), True

    def sample(self, labels, seeds, batch_size, *, judge=None):
        kinds = list(tiny.COUNTS)
        yield np.stack(
            [
                tiny.draw(kinds[label], np.random.default_rng(seed))
                for label, seed in zip(labels, seeds, strict=True)
            ]
        )


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A whole run of two steps: (result, folder, what was told of its test images)."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        told = untouched.seal(patch)
        patch.setattr(experiment, "improves", lambda *_: True)
        made = TrainedGenerator(Perfect(), {"seconds": 0.0, "img_per_s": 1.0, "images": 0})
        patch.setattr(Lab, "generator_trained_or_loaded", lambda *_: made)
        grouping = {name: [name] for name in data.class_names}
        result = experiment.run(tiny.config(data, **LITTLE), data, grouping, out_dir=folder)
    return result, folder, told


@pytest.mark.slow
def test_members_are_trained_as_the_arm_is_without_their_part(finished, data):
    """Of the first step on real images, of the second with what the first one kept."""
    _, folder, told = finished
    assert told == ["verdict"], "no test image was looked at before"
    lab = lab_in(folder, data)
    baseline = lab.arm("baseline", "baseline", lambda _: lab.real)
    after = lab.arm("retrain-1", "step1", lambda _: lab.kept(1, Way(), 0), way=Way(), step=1)
    kept = lab.kept(1, Way(), 0)
    assert len(kept.labels) > len(lab.real.labels)
    for step, before in ((1, baseline), (2, after)):
        found = judges(lab, step, before)[0]
        assert len(found.members) == 2
        rows = lab.judge_fold != 1
        whole = lab.real if step == 1 else kept
        mine = whole.only(np.concatenate([rows, np.ones(len(whole.labels) - len(rows), bool)]))
        again = classifiers.train(
            mine.images,
            mine.labels,
            lab.classes,
            lab.config.classifier,
            seed=0,
            steps=lab.steps,
            normalise_on=lab.real_without(1).images,
        )
        for name, value in found.members[1].network.state_dict().items():
            np.testing.assert_array_equal(value, again.network.state_dict()[name])
    files = {path.name for path in (folder / "checkpoints").glob("classifier-judge*")}
    assert len(files) == 2 * 2 * 2, "steps, parts and seeds"


@pytest.mark.slow
def test_training_images_are_judged_by_the_member_that_has_not_seen_them_and_others_by_the_mean(
    finished, data
):
    result, folder, _ = finished
    lab = lab_in(folder, data)
    found = judges(lab, 1, lab.arm("baseline", "baseline", lambda _: lab.real))[1]
    real = samples.real_table(lab.samples)
    mine = real[(real["step"] == 1) & (real["seed"] == 1)]
    assert mine["part"].value_counts().to_dict() == {"train": len(lab.real.labels), "val": 24}
    own = mine[mine["part"] == "train"]
    assert own["label"].tolist() == lab.real.labels.tolist()
    for fold, member in enumerate(found.members):
        rows = np.flatnonzero(lab.judge_fold == fold)
        logits = member.predict_logits(lab.real.images.take(rows))
        np.testing.assert_allclose(
            own["logit"].to_numpy()[rows], logits[np.arange(len(rows)), lab.real.labels[rows]], rtol=1e-5
        )
    images = samples.all_images(lab.samples)[:9]
    mean = np.mean([each.predict_logits(images) for each in found.members], axis=0)
    table = samples.table(lab.samples, seed=1)[:9]
    np.testing.assert_allclose(table["logit"], mean[np.arange(9), table["label"]], rtol=1e-5)
    apart = found.features(View([images], np.arange(9)))
    one = found.members[0].features(images)
    assert apart.shape == (9, 2 * one.shape[1])
    assert result.real_acceptance.total.n == 24, "of validation images, judged as synthetic ones are"


@pytest.mark.slow
def test_its_verdicts_can_be_counted_again_and_a_run_says_what_it_costs(finished, data):
    _, folder, _ = finished
    lab = lab_in(folder, data)
    real, table = samples.real_table(lab.samples), samples.table(lab.samples)
    assert sorted(table["step"].unique()) == [1, 2]
    found = recount(table, "real_share", 0.97, real=real, once=True)
    np.testing.assert_array_equal(found, table["accepted"].astype(bool))
    np.testing.assert_array_equal(recount(real, "real_share", 0.97, real=real), real["accepted"].astype(bool))
    assert set(table["reason"]) & {"accepted", REPEAT} == {"accepted", REPEAT} or len(
        set(table["twin"])
    ) == len(table)
    plain = lab.config.model_copy(
        update={"selection": lab.config.selection.model_copy(update={"judge": "plain"})}
    )
    assert trainings(lab.config) - trainings(plain) == 2 * 2 * 2


@pytest.mark.slow
def test_a_look_at_a_test_image_breaks_the_seal(finished, data, tmp_path):
    """What the other tests rest on."""
    with pytest.MonkeyPatch.context() as patch:
        untouched.seal(patch)
        lab = lab_in(tmp_path, data)
        for part in ("train", "val"):
            lab.part(part)[0][:]
        with pytest.raises(AssertionError, match="before the verdict"):
            lab.part("test")[0][np.arange(1)]
        experiment.on_test(lab, {})
        lab.part("test")[0][:]
