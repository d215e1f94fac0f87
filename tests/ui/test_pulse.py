"""What a watching page asks every two seconds: cheap, and of another shape when the page must be another."""

from __future__ import annotations

import json

import run_fixture
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gmaug_core import locks, runs
from gmaug_core.files import write_json
from gmaug_core.ui import pulse
from gmaug_core.ui.routes import ROUTES


def test_a_beat_says_what_moves_and_its_shape_what_must_be_drawn(demo):
    paths = run_fixture.make_run(demo, state="running", token="pulse")
    client = TestClient(Starlette(routes=ROUTES))

    def beat() -> dict:
        return client.get(f"/runs/{paths.id}/pulse").json()

    with locks.locked(paths.lock):
        first = beat()
        assert first["said"].startswith("Train generator: ")
        assert "31 of 60, about 41 s to go" in first["said"]
        assert first["share"] == round(31 / 60, 4)
        document = json.loads(paths.status.read_text())
        write_json(paths.status, document | {"step": 40})
        with paths.metrics.open("a") as file:
            file.write("{}\n")
        moved = beat()
        assert moved["shape"] == first["shape"]
        assert moved["news"] > first["news"]
        assert moved["share"] > first["share"]
        paths.stop.touch()
        assert beat()["shape"] != first["shape"]
    lost = beat()
    assert lost["shape"].startswith("lost")
    assert lost["share"] is None
    assert client.get("/runs/nope/pulse").status_code == 404


def test_a_finished_run_has_nothing_that_moves(finished_run):
    still = pulse.of(finished_run, runs.read_status(finished_run))
    assert (still["share"], still["said"]) == (None, "")
