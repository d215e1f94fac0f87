"""The harness of benchmarks/faults.py: a run of ours stands every crash, and a naive writer is caught."""

from __future__ import annotations

import pytest

COUNT = """
import json, shutil
from pathlib import Path
from benchmarks import crashing, faults
from gmaug_core.data import dataset
(summary,) = dataset.list_datasets()
config = faults.settings(dataset.load(summary.id))["similarity"]
paths = faults.new(config)
crashing.warm(paths)
shutil.rmtree(paths.folder)
found = faults.steps_of(config), faults.steps_of(config, crashing.naive, most=1)
Path({into!r}).write_text(json.dumps(found))
"""


@pytest.mark.slow
def test_a_crash_at_every_step_costs_nothing_and_a_naive_writer_is_caught(bars, forks, tmp_path):
    into = tmp_path / "found.json"
    ours, naive = forks.program(COUNT.format(into=str(into)), into)
    assert ours["steps"] > 15
    assert (ours["corrupt"], ours["acknowledged rows lost"]) == (0, 0)
    assert ours["finished"]
    assert ours["as undisturbed"]
    assert naive["corrupt"] > 0
