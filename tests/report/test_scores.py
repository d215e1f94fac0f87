"""Which score counts, and what is said of it."""

from __future__ import annotations

import json

import run_fixture

from gmaug_core.data import dataset
from gmaug_core.files import write_json
from gmaug_core.report import scores
from gmaug_core.scoring.advice import NOTHING, REFUSED, UNDECIDED


def test_a_score_from_before_sizes_were_noted_takes_them_from_the_dataset(demo):
    paths, data = run_fixture.make_score(demo, "shape", 0.30), dataset.load(demo)
    now = scores.advice(scores.newest(data, "shape"), data)
    assert (now.verdict, now.gain is None) == (UNDECIDED, False)
    old = json.loads(paths.result.read_text()) | {"schema": 1, "stored": None}
    write_json(paths.result, old)
    before = scores.advice(scores.newest(data, "shape"), data)
    assert (before.verdict, before.gain) == (REFUSED, None)
    assert "stored at 16 px" in before.text


def test_the_target_decides_how_much_would_be_added(demo):
    run_fixture.make_score(demo, "shape", 0.30)
    data = dataset.load(demo)
    score, counts = scores.newest(data, "shape"), list(data.counts.values())
    short = sum(max(counts) - n for n in counts)
    assert f"here {short / sum(counts):.2f} would be added" in scores.advice(score, data).text
    assert scores.advice(score, data, target=1).verdict == NOTHING
    assert "would be added" not in scores.advice(score, data, target=10_000).text


def test_a_damaged_score_is_passed_over(demo, caplog):
    good = run_fixture.make_score(demo, "shape", 0.30)
    broken = run_fixture.make_score(demo, "shape", 0.20)
    broken.result.write_text("{")
    assert scores.newest(dataset.load(demo), "shape").run == good.id
    assert broken.id in caplog.text
