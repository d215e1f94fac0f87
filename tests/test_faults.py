"""The harness of benchmarks/faults.py: a run of ours stands every crash, and a naive writer is caught."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gmaug_core import children

ROOT = Path(__file__).resolve().parent.parent
COUNT = """
import sys, json
sys.path.insert(0, "tests")
from benchmarks import crashing, faults
import tiny
from pathlib import Path
from gmaug_core.data import dataset
(summary,) = dataset.list_datasets()
config = faults.settings(dataset.load(summary.id))["similarity"]
print(json.dumps([faults.steps_of(config), faults.steps_of(config, crashing.naive)]))
"""


@pytest.mark.slow
def test_a_crash_at_every_step_costs_nothing_and_a_naive_writer_is_caught(bars):
    environment = children.environment({"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"})
    environment |= {"GMAUG_HOME": os.environ["GMAUG_HOME"]}
    environment.pop("COVERAGE_PROCESS_CONFIG", None)  # a killed process has no coverage to tell
    done = subprocess.run(
        [sys.executable, "-c", COUNT], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    import json

    ours, naive = json.loads(done.stdout.splitlines()[-1])
    assert ours["steps"] > 15
    assert (ours["corrupt"], ours["acknowledged rows lost"]) == (0, 0)
    assert ours["finished"]
    assert ours["as undisturbed"]
    assert naive["corrupt"] > 0
