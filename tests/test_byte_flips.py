"""Flipped bits over every kind of kept file: none is believed, none is a traceback, the rest stands."""

from __future__ import annotations

import pytest
import run_fixture

from benchmarks import byte_flips
from gmaug_core import runs
from gmaug_core.runs import folder


@pytest.mark.slow
def test_no_flipped_bit_is_believed(finished_run):
    made = runs.RunConfigFile.read(finished_run.config).settings.dataset
    beside = run_fixture.make_run(made, token="beside", per_class=3)
    folder.sift_metrics(finished_run)  # those of the fixture are from before checksums
    found = byte_flips.measure(finished_run, beside, 9, seed=1)
    assert set(found) == {
        "database",
        "manifest",
        "summary",
        "cache",
        "samples",
        "config",
        "status",
        "result",
        "metrics",
    }
    for kind, counts in found.items():
        assert not counts.keys() & {"silent", "traceback"}, (kind, counts)
        assert counts["rest stands"] == counts["flips"], kind
