"""Retraining with decisions: nothing up to selection is made again, and the decisions win."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tiny
import untouched

from gmaug_core.config.selection import Decisions
from gmaug_core.data import samples
from gmaug_core.method import experiment, inherited
from gmaug_core.method.pool import Pool


def grouping(data):
    return {name: [name] for name in data.class_names}


def files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_child_makes_nothing_again_and_what_people_decided_wins(bars, tmp_path, monkeypatch):
    config, parent, child = (
        tiny.config(bars, controls=["oversampling"], max_steps=1, seeds=1, use=["fill"]),
        tmp_path / "a",
        tmp_path / "b",
    )
    before = experiment.run(config, bars, grouping(bars), out_dir=parent)
    table = samples.table(parent / "samples")
    first = table[table["seed"] == 0]
    right, wrong = (first[first["accepted"].astype(bool) == side]["draw_seed"] for side in (True, False))
    assert len(right) * len(wrong) > 0, "there is something to overrule on both sides"
    known = Decisions(
        run="a", revision=1, people=("ada",), keep=(int(wrong.iloc[-1]),), reject=(int(right.iloc[0]),)
    )
    inherited.take_over(parent, child, known)
    taken = files(child)
    inherited.take_over(parent, child, known)
    assert files(child) == taken, "a second attempt changes nothing"
    trained = []
    monkeypatch.setattr("gmaug_core.method.experiment.draw", lambda *_: pytest.fail("drawn again"))
    told = untouched.seal(monkeypatch)
    result = experiment.run(
        config.model_copy(update={"decisions": known}),
        bars,
        grouping(bars),
        out_dir=child,
        report=lambda stage, step, total, **more: trained.append((stage, more.get("variant", ""))),
    )
    assert told == ["verdict"], "no test image was looked at before"
    assert "generator" not in {stage for stage, _ in trained}
    assert {name for _, name in trained} & {"baseline", "oversampling-1", "unfiltered-fill"} == set()
    assert "step1-fill" in {name for _, name in trained}, "what depends on the decisions is trained"
    judged = samples.table(child / "samples").set_index(["draw_seed", "seed"])
    for seed in (0,):
        assert judged.loc[(known.keep[0], seed), ["accepted", "reason"]].tolist() == [True, samples.KEPT]
        assert judged.loc[(known.reject[0], seed), ["accepted", "reason"]].tolist() == [
            False,
            samples.TURNED_AWAY,
        ]
    assert result.baseline == before.baseline
    assert any("ada" in line and "run a" in line for line in result.warnings)
    assert result.shared["classifier-baseline-0"] == "a"


def test_what_a_person_kept_enters_before_what_the_filter_accepted():
    rows = {name: [0] * 4 for name in samples.COLUMNS} | {"sample": range(4), "draw_seed": range(4)}
    table = samples.overruled(
        pd.DataFrame(rows).assign(accepted=[True, True, True, False], reason="accepted"), [3], [0]
    )
    images = np.arange(4, dtype=np.uint8)[:, None, None] + np.zeros((4, 2, 2), np.uint8)
    pool = Pool(1, images, table, np.array([2]), ("a",))
    assert pool.kept(0).images[np.arange(2)][:, 0, 0].tolist() == [3, 1]
    assert samples.overruled(table, (), ()) is table
