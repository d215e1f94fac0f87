"""K folds: every image is tested once, by an experiment that has not seen it; a killed run ends the same."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import tiny
import untouched

from gmaug_core.data import splits
from gmaug_core.errors import Stopped
from gmaug_core.method import experiment, folds
from gmaug_core.method.predictions import Predictions
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.statistics import between_folds, difference
from gmaug_core.report import findings

LITTLE = {"folds": 2, "controls": ["oversampling"], "use": ["fill"], "max_steps": 1}


def test_what_each_fold_s_own_generator_did_widens_the_interval():
    rng = np.random.default_rng(0)
    fold = np.arange(500) % 5
    control = (rng.random((3, 500)) < 0.7).astype(float)
    lucky = np.array([0.02, 0.15, 0.02, 0.15, 0.08])[fold]
    augmented = np.maximum(control, rng.random((3, 500)) < lucky)
    plain, wide = difference(augmented, control), difference(augmented, control, fold=fold)
    assert wide.mean == plain.mean
    assert wide.high - wide.low > 1.2 * (plain.high - plain.low)
    means = [(augmented - control)[:, fold == k].mean() for k in range(5)]
    assert between_folds(augmented - control, fold).variance == pytest.approx(np.var(means, ddof=1) / 5)
    alike = control.copy()
    alike[:, :50] = 1
    assert difference(alike, control, fold=fold) == difference(alike, control), (
        "folds agree: nothing is added"
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("home")))
        yield tiny.make_dataset(tmp_path_factory.mktemp("bars"))


def run(data, folder, **hooks):
    grouping = {name: [name] for name in data.class_names}
    return folds.run(tiny.config(data, **LITTLE), data, grouping, out_dir=folder, **hooks)


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A whole run: (result, folder). No fold looks at a test image of its own before its comparison."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        told = untouched.seal(patch)
        result = run(data, folder)
    assert told == ["verdict"] * 2
    return result, folder


@pytest.mark.slow
def test_every_image_is_tested_once(finished, data):
    result, folder = finished
    assert result.splits.test == len(data) == sum(row.test for row in result.per_class)
    assert [each.fold for each in result.folds] == [1, 2]
    own = [AugmentationResult.read(folder / f"fold-{k}" / "result.json") for k in (1, 2)]
    n = np.array([each.splits.test for each in own])
    for key in ("baseline", "augmented"):
        values = np.array([each.variants[key].accuracy.values for each in own])
        np.testing.assert_allclose(result.variants[key].accuracy.values, n @ values / n.sum())
    ends = np.array([each.endpoint.points for each in own])
    assert result.endpoint.points == pytest.approx(n @ ends / n.sum())
    assert (result.endpoint.n, result.endpoint.n_seeds) == (len(data), 2)
    chosen = {each.endpoint.control for each in own}
    unsure = chosen.union(*(each.rivals for each in own))
    assert set(result.rivals) == (unsure - chosen if len(chosen) == 1 else unsure)
    said = Predictions.read(folder / "predictions.json")
    assert said.images == tuple(range(len(data)))
    assert list(said.label) == data.labels.tolist()
    right = np.mean(np.array(said.after) == np.array(said.label))
    assert right == pytest.approx(result.variants[said.augmented].accuracy.values[0])
    result.write(folder / "result.json")
    assert AugmentationResult.read(folder / "result.json") == result
    assert "Best recipe alone" in [row.name for row in findings.compared(result)]
    assert any("tested once, in 2 folds" in line for line in result.warnings)


@pytest.mark.slow
def test_stopped_and_gone_on_with_is_the_same(finished, data, tmp_path):
    """The first fold is done; the second is stopped three times."""
    result, folder = finished
    shutil.copytree(folder / "fold-1", tmp_path / "fold-1")
    for patience in (20, 60, 60):
        calls = iter(range(10**6))
        with pytest.raises(Stopped):
            run(data, tmp_path, should_stop=lambda calls=calls, patience=patience: next(calls) >= patience)
    assert tiny.comparable(run(data, tmp_path)) == tiny.comparable(result)


@pytest.mark.slow
def test_a_probe_that_asked_in_one_fold_asks_in_no_other(data, tmp_path, monkeypatch):
    asked = []

    class Ended(Exception):
        pass

    def fake(config, data, grouping, *, out_dir, keep, **_):
        asked.append(config.probe)
        raise Ended

    stop = {"probe": type("P", (), {"stop": True})()}
    monkeypatch.setattr(experiment, "run", fake)
    monkeypatch.setattr(folds, "_read", lambda *_: folds.Done(type("R", (), stop)(), {}, np.zeros(0)))
    (tmp_path / "fold-1").mkdir()
    (tmp_path / "fold-1" / "result.json").write_text("{}")
    with pytest.raises(Ended):
        folds.run(tiny.config(data, **LITTLE, probe="ask"), data, {}, out_dir=tmp_path)
    assert asked == ["off"]
    parts = splits.Split.read(tmp_path / "fold-2" / "split.json").parts
    assert len(parts["test"])
    assert not set(parts["test"]) & set(splits.Split.read(tmp_path / "fold-1" / "split.json").test)
