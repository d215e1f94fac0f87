"""The early look: a generator that gets nowhere is stopped, one that will do goes on."""

from __future__ import annotations

import numpy as np
import pytest
import tiny

from gmaug_core.data import samples
from gmaug_core.errors import Paused
from gmaug_core.files import read_json
from gmaug_core.hooks import never, no_report
from gmaug_core.method import experiment
from gmaug_core.method.lab import Lab, TrainedGenerator
from gmaug_core.method.parts.generator import Look
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.statistics import Interval
from gmaug_core.method.stopping import EarlyVerdict, decide, probe
from gmaug_core.report import findings

UNSEEN = Interval(0.0, -0.02, 0.02)


def looks(first, last, auc):
    return [
        Look(share=share, kimg=30 * share, n_synthetic=64, kid=kid, real_vs_synthetic_auc=auc)
        for share, kid in ((0.1, first), (0.2, last))
    ]


@pytest.mark.parametrize(
    ("kids", "auc", "gain", "stops", "says"),
    [
        ((0.5, 0.5), 1.0, UNSEEN, True, "does not get there"),
        ((0.5, 0.6), 0.995, Interval(-0.03, -0.05, -0.01), True, "-3.0 points [-5.0, -1.0]"),
        ((0.5, 0.4), 1.0, UNSEEN, False, "come nearer to real ones"),
        ((0.5, 0.5), 0.9, UNSEEN, False, "cannot always be told"),
        ((0.5, 0.5), None, UNSEEN, False, "too few real images"),
        ((0.5, 0.5), 1.0, Interval(0.02, 0.01, 0.03), False, "already help"),
    ],
)
def test_one_witness_for_the_generator_is_enough_to_go_on(kids, auc, gain, stops, says):
    stop, words = decide(looks(*kids, auc), gain, None)
    assert stop == stops
    assert says in words
    assert "20%" in words
    assert "at 6 kimg" in words


def test_a_verdict_against_the_run_decides_whatever_the_generator_does():
    stop, words = decide(
        looks(0.5, 0.1, 0.5), Interval(0.02, 0.01, 0.03), EarlyVerdict("verdict-1", "Too little.")
    )
    assert stop
    assert words.endswith("verdict-1 of these settings says: Too little.")


class Fake:
    """A generator that draws noise, or new images of the very kind that the dataset has."""

    closed_set = True
    stock = ()

    def __init__(self, kind, names):
        self.kind, self.names = kind, names

    def sample(self, labels, seeds, _batch, **_):
        for label, seed in zip(labels, seeds, strict=True):
            rng = np.random.default_rng(int(seed))
            noise = rng.integers(0, 256, (16, 16)).astype(np.uint8)
            yield (noise if self.kind == "noise" else tiny.draw(self.names[label], rng))[None]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("home")))
        yield tiny.make_dataset(tmp_path_factory.mktemp("bars"))


@pytest.fixture
def generator_of(data, monkeypatch):
    """Every generator becomes a fake of this kind; the shares that it was trained to."""
    asked = []

    def become(kind):
        def trained(self, examiner, until=1.0):
            asked.append(until)
            return TrainedGenerator(
                Fake(kind, data.class_names), {"images": 1000 * until, "seconds": 600 * until}
            )

        monkeypatch.setattr(Lab, "generator_trained_or_loaded", trained)
        return asked

    return become


@pytest.mark.slow
def test_noise_is_stopped_and_held_back_images_go_on(data, generator_of, tmp_path):
    for kind in ("noise", "real"):
        generator_of(kind)
        lab = Lab.prepare(tiny.config(data), data, tmp_path / kind, no_report, never)
        baseline = lab.arm("baseline", "baseline", lambda _, lab=lab: lab.real)
        found, now = probe(lab, baseline, None)
        assert now
        assert found.stop == (kind == "noise"), found.words
        assert found.looks[-1].n_synthetic == 7 + 11, "what the classes are short of, where that is less"
        assert probe(lab, baseline, None) == (found, False)
    assert found.looks[-1].real_vs_synthetic_auc < 0.9


@pytest.mark.slow
def test_a_run_that_is_stopped_early_is_finished_and_says_why_and_what_was_saved(
    data, generator_of, tmp_path
):
    asked = generator_of("noise")
    grouping = {name: [name] for name in data.class_names}
    little = {"controls": [], "use": ["fill"], "max_steps": 1}
    given = {"out_dir": tmp_path / "run"}
    result = experiment.run(tiny.config(data, probe="stop", **little), data, grouping, **given)
    assert result.status == "not tested"
    assert "does not get there" in result.status_words
    assert "Saved: 80% of the generator's training, about 8 minutes, all draws" in result.status_words
    assert result.probe.stop
    assert max(asked) == 0.2
    assert samples.steps(tmp_path / "run" / "samples") == []
    assert not any("accepted nothing" in line for line in result.warnings)
    assert findings.headline(result)[0] == "not tested"
    result.write(tmp_path / "run" / "result.json")
    assert AugmentationResult.read(tmp_path / "run" / "result.json") == result

    # asking instead, with what is there: once, and with the same words
    (tmp_path / "run" / "checkpoints" / "probe.json").unlink()
    with pytest.raises(Paused, match="will not pay") as asking:
        experiment.run(tiny.config(data, probe="ask", **little), data, grouping, **given)
    assert result.probe.words in str(asking.value)
    assert read_json(tmp_path / "run" / "checkpoints" / "probe.json") == result.probe.to_dict()
    again = experiment.run(tiny.config(data, probe="ask", **little), data, grouping, **given)
    assert max(asked) == 1.0
    assert again.probe == result.probe
    assert again.steps
