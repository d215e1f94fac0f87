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


def test_while_images_are_drawn_the_draws_count_as_well(demo):
    paths = run_fixture.make_run(demo, state="running", token="drawing")
    status = json.loads(paths.status.read_text()) | {"stage": "sample-1", "step": 50, "total": 4_000}
    write_json(paths.status, status)
    with locks.locked(paths.lock):
        assert pulse.of(paths, runs.read_status(paths))["share"] == round(50 / 4_000, 4)
        row = {"stage": "sample-1", "drawn": 198_000, "at_most": 200_491, "accepted": 50}
        with paths.metrics.open("a") as file:
            file.write(json.dumps(row) + "\n")
        beat = pulse.of(paths, runs.read_status(paths))
        assert beat["share"] == round(198_000 / 200_491, 4)
        assert "198,000 of at most 200,491 drawn, 50 accepted of 4,000 wanted" in beat["said"]
        assert "to go" not in beat["said"]
        write_json(paths.status, status | {"step": 3_996})
        beat = pulse.of(paths, runs.read_status(paths))
        assert beat["share"] == round(3_996 / 4_000, 4)
        assert "3,996 of 4,000" in beat["said"]


def test_a_finished_run_has_nothing_that_moves(finished_run):
    still = pulse.of(finished_run, runs.read_status(finished_run))
    assert (still["share"], still["said"]) == (None, "")
