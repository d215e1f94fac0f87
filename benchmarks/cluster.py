"""A Ray cluster of two nodes on loopback: is what it computes what this machine computes, whatever dies?

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/cluster.py [--out benchmarks/results/cluster.json]

One run of every kind here and there, compared to the last bit; a node killed in the middle of a run, the node
of the run's own job killed and the run resumed, a stop, a wrong token. Needs ray (docs/cluster.md).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import about
from benchmarks.dashboard import ROOT
from gmaug_core import runs
from gmaug_core.config import RunConfig, SimilarityConfig, VerdictConfig, validate
from gmaug_core.data import dataset
from gmaug_core.errors import InputError
from gmaug_core.runs import RunPaths, launch
from gmaug_core.runs.backends import LOCAL, Backend
from gmaug_core.runs.cluster import RayBackend
from gmaug_core.runs.ray_jobs import RayJobs, Unreachable

sys.path.insert(0, str(ROOT / "tests"))
import tiny
from nowhere import Nowhere

HEAD, OTHER = "127.0.0.2", "127.0.0.3"  # of loopback: Ray knows nodes by their addresses
START_S = 180.0
PATIENT = {  # for a machine that does anything else, and no process that nobody asked for
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
}


class TwoNodes:
    """A cluster with a token, all of it processes of this machine. `folder`: for Ray's own files; its name is
    part of the names of sockets, so it must be short."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.token = folder, secrets.token_hex(16)
        self.port, self.dashboard = free_port(), free_port()
        self.address = f"http://{HEAD}:{self.dashboard}"
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self) -> dict[str, str]:
        """The interpreter that runs this is the cluster's `python`."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, **PATIENT, "PATH": path, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token}

    def start(self, cpus: int = 1) -> None:
        """The head, with its job interface."""
        options = ["--head", f"--port={self.port}", f"--dashboard-host={HEAD}"]
        self._node(HEAD, cpus, *options, f"--dashboard-port={self.dashboard}", f"--temp-dir={self.folder}")
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                RayJobs(self.address).check_closed()
                return
            except (Unreachable, InputError):
                time.sleep(0.2)
            if self.nodes[HEAD].poll() is not None:  # Ray gives its own start half a minute
                raise RuntimeError((self.folder / f"{HEAD}.log").read_text()[-1000:])
        raise RuntimeError("the head did not start")

    def add(self, cpus: int = 1) -> None:
        """The other node, which is there a few seconds later."""
        self._node(OTHER, cpus, f"--address={HEAD}:{self.port}")

    def _node(self, number: str, cpus: int, *options: str) -> None:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *options]
        command += [
            f"--node-ip-address={number}",
            f"--num-cpus={cpus}",
            f"--object-store-memory={80 * 2**20}",
        ]
        with (self.folder / f"{number}.log").open("ab") as log:
            self.nodes[number] = subprocess.Popen(
                command, env=self.environment(), start_new_session=True, stdout=log, stderr=log
            )

    def kill(self, number: str) -> None:
        """A machine that loses its power: all its processes at once."""
        node = self.nodes.pop(number)
        for each in reversed(family(node.pid)):
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue
        node.wait()

    def stop(self) -> None:
        for number in list(self.nodes):
            self.kill(number)


def family(pid: int) -> list[int]:
    """A process and all that it started, by the kernel's table."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind((HEAD, 0))
        return int(free.getsockname()[1])


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """A cluster of which the head runs; its token is this process's too."""
    folder = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
    made = TwoNodes(folder)
    before = os.environ.get("RAY_AUTH_TOKEN")
    os.environ["RAY_AUTH_TOKEN"] = made.token
    try:
        made.start()
        yield made
    finally:
        made.stop()
        os.environ.pop("RAY_AUTH_TOKEN")
        if before is not None:
            os.environ["RAY_AUTH_TOKEN"] = before
        shutil.rmtree(folder, ignore_errors=True)


def ended(paths: RunPaths, seconds: float = 300) -> str:
    """The state in which a run ended."""
    return until(paths, lambda state: not state.active, seconds).state


def until(paths: RunPaths, met: Callable[[runs.Status], bool], seconds: float = 300) -> runs.Status:
    """The status, as soon as it meets something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = runs.read_status(paths)
        if met(state):
            return state
        if state.state in ("failed", "lost"):
            raise RuntimeError(f"{state.state}: {state.error}\n{runs.read_log(paths)[-3000:]}")
        time.sleep(0.05)
    raise RuntimeError(f"still {state.state}, {state.stage}\n{runs.read_log(paths)[-3000:]}")


def found(paths: RunPaths) -> dict[str, Any]:
    """What a run found, without times and names."""
    assert ended(paths) == "finished", runs.read_log(paths)[-3000:]
    result = runs.read_result(paths)
    assert result is not None
    return dict(tiny.comparable(result.to_dict()))


def begin(config: RunConfig, where: Backend, like: RunPaths | None = None) -> RunPaths:
    """A run at work. like: one whose plan it follows (a verdict plans by the pace that it measures)."""
    paths = runs.find(launch.submit(config.model_copy(update={"device": "cpu"}), where=Nowhere()))
    if like is not None and (like.checkpoints / "plan.json").exists():
        shutil.copy(like.checkpoints / "plan.json", paths.checkpoints)
    where.start(paths)
    return paths


def as_tasks(paths: RunPaths) -> int:
    """Pieces of work that other processes of the cluster did, by the run's own log."""
    return sum(int(n) for n in re.findall(r"(\d+) of \d+ pieces were done as tasks", runs.read_log(paths)))


def kinds(data: dataset.Dataset) -> dict[str, RunConfig]:
    """One of each kind, tiny; the augmentation has several seeds."""
    augmentation = tiny.config(data, seeds=3, max_steps=1, use=["fill"], controls=["oversampling"])
    return {
        "augmentation": augmentation,
        "equivalence": tiny.equivalence(data),
        "verdict": VerdictConfig.about(augmentation, minutes=0.2),
        "similarity": validate(SimilarityConfig, {"dataset": data.id, "pairs": 20_000}),
    }


class Comparison:
    """Runs here and there, in workspaces that begin alike, so that none takes a classifier of the other."""

    def __init__(self, home: Path, out: Path | None) -> None:
        self.home, self.out = home, out
        self.rows: dict[str, Any] = {"machine": about.machine()}
        os.environ["GMAUG_HOME"] = str(home / "there")
        self.data = tiny.make_dataset(home / "given")
        self.data.images("16-grey")
        shutil.copytree(home / "there", home / "here")
        self.known: dict[str, tuple[RunPaths, dict[str, Any]]] = {}

    def say(self, name: str, **row: object) -> None:
        self.rows[name] = self.rows.get(name, {}) | row
        print(name, json.dumps(self.rows[name]), flush=True)
        if self.out:
            self.out.write_text(json.dumps(self.rows, indent=1) + "\n")

    def here(self, kind: str) -> None:
        """What this machine finds."""
        os.environ["GMAUG_HOME"] = str(self.home / "here")
        begun = time.monotonic()
        paths = begin(kinds(self.data)[kind], LOCAL)
        self.known[kind] = paths, found(paths)
        self.say(kind, seconds_here=round(time.monotonic() - begun, 1))
        os.environ["GMAUG_HOME"] = str(self.home / "there")

    def there(self, kind: str, nodes: TwoNodes) -> RunPaths:
        """The same run at work on the cluster."""
        return begin(kinds(self.data)[kind], RayBackend(nodes.address), self.known[kind][0])

    def same(self, kind: str, paths: RunPaths) -> bool:
        """Whether it found the same; the run is gone afterwards, so that no later one takes of it."""
        found_there = found(paths)
        shutil.rmtree(paths.folder)
        return found_there == self.known[kind][1]


def measured(one: Comparison) -> None:
    """Every row of the result."""
    one.here("augmentation")
    with two_nodes() as nodes:
        refused(one, nodes)
        node_killed(one, nodes)
        nodes.add(cpus=2)
        stopped(one, nodes)
        for kind in reversed(kinds(one.data)):
            if kind not in one.known:
                one.here(kind)
            begun = time.monotonic()
            paths = one.there(kind, nodes)
            ended(paths)
            seconds, away = round(time.monotonic() - begun, 1), as_tasks(paths)
            one.say(kind, same=one.same(kind, paths), seconds_there=seconds, pieces_as_tasks=away)
        cluster_killed(one, nodes)


def node_killed(one: Comparison, nodes: TwoNodes) -> None:
    """The other node dies while its tasks train. It comes after the run's own job has begun on the head."""
    paths = one.there("augmentation", nodes)
    until(paths, lambda state: state.attempt > 0)
    nodes.add(cpus=2)
    until(paths, lambda _: as_tasks(paths) > 0)
    until(paths, lambda state: state.stage in ("baseline", "retrain-1", "controls"))
    nodes.kill(OTHER)
    ended(paths)
    row = {"attempts": runs.read_status(paths).attempt, "pieces_as_tasks": as_tasks(paths)}
    again = runs.read_log(paths).count("a task was lost")
    one.say("node killed", same=one.same("augmentation", paths), tasks_done_again=again, **row)


def stopped(one: Comparison, nodes: TwoNodes) -> None:
    """Asked to stop, then resumed as a new job."""
    paths = one.there("augmentation", nodes)
    until(paths, lambda state: state.stage == "generator")
    begun = time.monotonic()
    launch.stop(paths.id)
    row = {"state": runs.read_status(paths).state, "seconds": round(time.monotonic() - begun, 1)}
    launch.resume(paths.id)
    ended(paths)
    row["attempts"] = runs.read_status(paths).attempt
    one.say("stopped", **row, same_when_resumed=one.same("augmentation", paths))


def refused(one: Comparison, nodes: TwoNodes) -> None:
    """With another token nothing is sent."""
    os.environ["RAY_AUTH_TOKEN"] = "another"
    try:
        launch.submit(kinds(one.data)["augmentation"], where=RayBackend(nodes.address))
        said = "taken"
    except InputError as error:
        said = error.what
    os.environ["RAY_AUTH_TOKEN"] = nodes.token
    one.say("wrong token", said=said, runs=len(runs.list_runs()))


def cluster_killed(one: Comparison, nodes: TwoNodes) -> None:
    """All of it at once, and the run resumed here."""
    paths = one.there("augmentation", nodes)
    until(paths, lambda state: state.stage == "controls")
    nodes.stop()
    begun = time.monotonic()
    while (state := runs.read_status(paths)).active:
        time.sleep(0.2)
    row = {"state": state.state, "seconds_to_know": round(time.monotonic() - begun, 1)}
    launch.resume(paths.id, where=LOCAL)
    one.say("cluster killed", **row, same_when_resumed_here=one.same("augmentation", paths))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured(Comparison(Path(folder), args.out))


if __name__ == "__main__":
    main()
