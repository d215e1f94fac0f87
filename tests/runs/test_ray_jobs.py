"""Runs on a Ray cluster, as far as its job interface goes: a small server stands in for it."""

from __future__ import annotations

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from nowhere import Nowhere, new_run

from gmaug_core import __version__, runs
from gmaug_core.cli import main as cli
from gmaug_core.config import SimilarityConfig
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs import cluster, devices, heartbeat, launch
from gmaug_core.runs.backends import backend, place_of
from gmaug_core.runs.cluster import RayBackend
from gmaug_core.runs.place import Place
from gmaug_core.runs.ray_jobs import RayJobs

TOKEN = "the-cluster's-own"


class Cluster(ThreadingHTTPServer):
    """Answers as Ray's job interface does. What was submitted is in `jobs`, by name, with its state."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.jobs: dict[str, dict] = {}
        self.stopped: list[str] = []
        self.open, self.begins, self.shares, self.version = False, "RUNNING", True, __version__

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def submit(self, body: dict) -> None:
        name, command = body["submission_id"], body["entrypoint"]
        self.jobs[name] = body | {"status": self.begins}
        if "gmaug_core.runs.site" in command:  # what a machine of the cluster would say
            self.jobs[name]["status"] = "SUCCEEDED"
            if self.shares:
                answer = command.split(" > ")[1].strip("'")
                site = {
                    "version": self.version,
                    "device": "cpu",
                    "precision": "float32",
                    "devices": devices.Devices(torch="2", cpu_threads=1, cuda=(), device="cpu").to_dict(),
                }
                Path(answer).write_text(json.dumps({"answer": site}))


class Handler(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        if given != f"Bearer {TOKEN}" and not self.server.open:
            return self._say(403 if given else 401, {})
        name = self.path.split("/")[3] if self.path.startswith("/api/jobs/") else ""
        if self.path == "/api/cluster_status":
            return self._say(
                200, {"data": {"clusterStatus": {"loadMetricsReport": {"usage": {"CPU": [0, 4]}}}}}
            )
        if self.path.endswith("/logs"):
            return self._say(200, {"logs": "words\n"})
        if name and name not in self.server.jobs:
            return self._say(404, {})
        return self._say(200, self.server.jobs[name] if name else [])

    def do_POST(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" and not self.server.open:
            return self._say(403, {})
        if self.path.endswith("/stop"):
            name = self.path.split("/")[3]
            self.server.stopped.append(name)
            self.server.jobs[name]["status"] = "STOPPED"
            return self._say(200, {"stopped": True})
        self.server.submit(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        return self._say(200, {})

    def _say(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def ray(monkeypatch, home):
    server = Cluster()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    monkeypatch.setattr(cluster, "POLL_S", 0.01)
    for remembered in (cluster._site, cluster._state):
        remembered.cache_clear()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def sent(ray: Cluster) -> runs.RunPaths:
    """A run that was sent there."""
    paths = new_run("similarity")
    RayBackend(ray.address).start(paths)
    return paths


@pytest.mark.parametrize(
    "address", ["8.8.8.8:8265", "http://0.0.0.0:8265", "http://1.2.3.4", "[2001:4860::8]:1"]
)
def test_a_public_address_is_refused_before_anything_is_sent_there(address):
    with pytest.raises(InputError, match="public"):
        RayJobs(address).check_closed()


@pytest.mark.parametrize(
    "address", ["https://127.0.0.1", "127.0.0.1/x", "user@127.0.0.1", "127.0.0.1:99999", ""]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InputError, match="no address"):
        RayJobs(address).check_closed()


def test_without_a_token_nothing_is_asked(ray, monkeypatch, tmp_path):
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match="no token"):
        RayJobs(ray.address).check_closed()
    (tmp_path / "none").write_text(TOKEN + "\n")
    RayJobs(ray.address).check_closed()


def test_a_wrong_token_and_a_cluster_that_asks_for_none_are_refused(ray, monkeypatch, bars):
    ray.open = True
    with pytest.raises(InputError, match="asks for no token"):
        launch.submit(SimilarityConfig(dataset=bars.id), where=RayBackend(ray.address))
    ray.open = False
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another")
    with pytest.raises(InputError, match="does not take this token") as caught:
        launch.submit(SimilarityConfig(dataset=bars.id), where=RayBackend(ray.address))
    assert "another" not in str(caught.value)
    assert not ray.jobs
    assert not runs.list_runs()


def test_a_run_is_the_worker_on_its_folder_with_what_it_asks_for(ray, bars):
    where = RayBackend(ray.address)
    paths = runs.find(launch.submit(SimilarityConfig(dataset=bars.id), where=where))
    place = Place.read(paths.place)
    job = ray.jobs[place.submission]
    assert job["entrypoint"].startswith(f"exec python -m gmaug_core.worker {paths.folder} >> ")
    assert (job["entrypoint_num_cpus"], job["entrypoint_num_gpus"]) == (1, 0)
    assert job["runtime_env"]["env_vars"]["GMAUG_HOME"] == os.environ["GMAUG_HOME"]
    assert TOKEN not in json.dumps(ray.jobs)
    assert TOKEN not in paths.place.read_text()
    assert runs.read_status(paths).state == "queued"


@pytest.mark.parametrize(
    ("shares", "version", "words"), [(False, __version__, "does not see"), (True, "0", "gmaug 0")]
)
def test_other_storage_and_another_version_are_refused_before_a_run_exists(ray, bars, shares, version, words):
    ray.shares, ray.version = shares, version
    with pytest.raises(InputError, match=words):
        launch.submit(SimilarityConfig(dataset=bars.id), where=RayBackend(ray.address))
    assert not runs.list_runs()


def test_a_gpu_that_the_cluster_has_not_is_refused(ray, bars):
    for device, words in (("cuda", "no GPU"), ("cuda:3", "cannot be asked")):
        with pytest.raises(InputError, match=words):
            launch.submit(SimilarityConfig(dataset=bars.id, device=device), where=RayBackend(ray.address))


@pytest.mark.parametrize(
    ("state", "beat", "sent_before", "alive"),
    [
        ("RUNNING", None, 10, True),  # it imports torch
        ("RUNNING", None, 1000, False),  # it never began: a head that was started anew says so of the dead
        ("RUNNING", 1, 1000, True),
        ("RUNNING", 30, 1000, True),
        ("RUNNING", 100, 1000, False),
        ("PENDING", None, 1000, True),
        ("FAILED", 30, 1000, False),
        (None, None, 10, False),
    ],
)
def test_alive_is_who_beats(ray, state, beat, sent_before, alive):
    paths = sent(ray)
    place, now = Place.read(paths.place), time.time()
    place.model_copy(update={"submitted": now - sent_before}).write(paths.place)
    if state is None:
        ray.jobs.clear()
    else:
        ray.jobs[place.submission]["status"] = state
    if beat is not None:
        paths.heartbeat.touch()
        os.utime(paths.heartbeat, (now - beat, now - beat))
    assert place_of(paths).alive(paths) is alive


def test_a_cluster_that_is_gone_is_waited_for_a_minute(ray):
    paths = sent(ray)
    address = f"http://127.0.0.1:{ray.server_port - 1 or 1}"
    gone = Place.read(paths.place).model_copy(update={"address": address})
    gone.write(paths.place)
    assert place_of(paths).alive(paths)
    gone.model_copy(update={"submitted": time.time() - 2 * heartbeat.DEAD_S}).write(paths.place)
    assert not place_of(paths).alive(paths)


def test_a_beat_of_an_earlier_attempt_counts_no_more(ray):
    paths = sent(ray)
    paths.heartbeat.touch()
    assert heartbeat.age(paths.heartbeat, time.time() + 10) is None


def test_one_that_waits_for_a_machine_is_stopped_at_once(ray, monkeypatch):
    monkeypatch.setattr(launch, "STOP_GRACE_S", (0.3, 0.3))
    ray.begins = "PENDING"
    paths = sent(ray)
    launch.stop(paths.id)
    assert ray.stopped == [Place.read(paths.place).submission]
    assert runs.read_status(paths).state == "cancelled"


def test_one_at_work_is_asked_before_its_job_is_ended(ray):
    paths = sent(ray)
    place_of(paths).kill(paths, force=False)
    assert not ray.stopped
    place_of(paths).kill(paths, force=True)
    assert ray.stopped


def test_resume_is_a_new_submission_there_or_elsewhere(ray, bars, monkeypatch):
    paths = runs.find(launch.submit(SimilarityConfig(dataset=bars.id), where=RayBackend(ray.address)))
    first = Place.read(paths.place).submission
    runs.read_status(paths).but(state="failed").write(paths.status)
    launch.resume(paths.id)
    assert runs.read_status(paths).state == "queued"
    assert len({first, Place.read(paths.place).submission} & set(ray.jobs)) == 2
    runs.read_status(paths).but(state="failed").write(paths.status)
    started = []
    monkeypatch.setattr("gmaug_core.children.start", lambda *args, **_: started.append(args))
    monkeypatch.setattr(launch, "START_GRACE_S", 0)
    launch.resume(paths.id, where=backend("local"))
    assert started
    assert not paths.place.exists()


def test_a_cluster_that_refuses_leaves_a_failed_run_that_says_why(ray, bars, monkeypatch):
    def refuses(*_, **__):
        raise GMAugError("the Ray cluster refused (500): full")

    monkeypatch.setattr(RayJobs, "submit", refuses)
    monkeypatch.setattr(RayBackend, "resolve", lambda *_: "cpu")
    with pytest.raises(GMAugError, match="full"):
        launch.submit(SimilarityConfig(dataset=bars.id), where=RayBackend(ray.address))
    (paths,) = runs.list_runs()
    state = runs.read_status(paths)
    assert (state.state, state.error and state.error.what) == (
        "failed",
        "the Ray cluster refused (500): full",
    )


def test_the_command_line_sends_a_run_there_and_names_what_is_missing(ray, bars, capsys, monkeypatch):
    words = ["similarity", bars.id, "--backend", "ray"]
    assert cli.main(words) == 2
    assert "--address" in capsys.readouterr().err
    monkeypatch.setattr(
        "gmaug_core.cli.similarity.follow", lambda _: (_ for _ in ()).throw(GMAugError("sent"))
    )
    assert cli.main([*words, "--address", ray.address]) == 1
    assert len([job for job in ray.jobs.values() if "gmaug_core.worker" in job["entrypoint"]]) == 1
    monkeypatch.setenv("GMAUG_RAY_ADDRESS", ray.address)
    assert cli.main(["devices", "--backend", "ray", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.strip().splitlines()[-1])["cpu_threads"] == 1


def test_a_heartbeat_is_there_while_the_worker_is(tmp_path):
    file = tmp_path / "heartbeat"
    with heartbeat.beating(file):
        for _ in range(100):
            if file.exists():
                break
            time.sleep(0.01)
        assert heartbeat.age(file, time.time() - 5) < 5
    assert not file.exists()


def test_a_run_without_a_place_is_here(home):
    paths = new_run()
    Nowhere().start(paths)
    assert place_of(paths) is backend("local")
