"""A real Ray cluster of two nodes on loopback: what is done there is what is done here, whatever dies."""

from __future__ import annotations

import importlib.util
import shutil

import pytest
import tiny

from benchmarks import cluster as two
from gmaug_core import runs
from gmaug_core.data import dataset
from gmaug_core.errors import InputError
from gmaug_core.runs import launch
from gmaug_core.runs.backends import LOCAL
from gmaug_core.runs.cluster import RayBackend

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(280),
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="ray is not installed: docs/cluster.md"
    ),
]


def test_a_run_of_several_seeds_outlives_a_node_and_is_what_it_is_here(bars, home, tmp_path, monkeypatch):
    """Everything in one test, since a cluster costs more than what is done in it."""
    there = tmp_path / "there"
    shutil.copytree(home, there)
    config = tiny.config(bars, seeds=2, max_steps=1, use=["fill"], device="cpu")
    expected = two.found(two.begin(config, LOCAL))
    monkeypatch.setenv("GMAUG_HOME", str(there))
    with two.two_nodes() as nodes:
        where = RayBackend(nodes.address)
        with monkeypatch.context() as patch:
            patch.setenv("RAY_AUTH_TOKEN", "another")
            with pytest.raises(InputError, match="does not take this token"):
                launch.submit(config, where=where)
        assert not runs.list_runs()
        paths = runs.find(launch.submit(config, where=where))  # storage and version are looked at
        two.until(paths, lambda state: state.attempt > 0)  # its own job is on the head
        nodes.add(cpus=2)
        two.until(paths, lambda _: two.as_tasks(paths) > 0)
        nodes.kill(two.OTHER)
        assert two.found(paths) == expected
        assert runs.read_status(paths).attempt == 1
    assert dataset.load(bars.id)
