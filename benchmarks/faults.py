"""Tiny runs of every kind under faults, counted: what was damaged, what was lost, what did not come back.

    OMP_NUM_THREADS=1 PYTHONPATH=. python -m benchmarks.faults PART ... [--out benchmarks/results/faults.json]

Parts, each with its own key in the result, which others leave as they are:
steps     every step of persistence crashed once (before and after each rename, before each write and each
          deletion of every kind of file), by enumeration; the same of a naive writer, which has to be caught
kills     300 SIGKILLs at random moments
stops     20 stops at random looks, of every kind of run and every generator; the result as if undisturbed
phases    a stop in each stage: seconds until it has ended, and processes that are left
servers   whoever launched a run killed with its group, and begun again 20 times: the run goes on
folders   two workers on one folder; a worker that is frozen and wakes up, or is stopped while frozen
disk      a full disk and a read-only one (a small tmpfs; needs the right to mount)
numbers   NaN in a loss, too little memory, a clock that is set back
tabs      1,000 interleaved edits of two tabs: every edit that was acknowledged is there
settings  absurd settings on the page's door, on the command line and in Python
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import crashing
from benchmarks.about import machine
from benchmarks.dashboard import ROOT
from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.config import AugmentationConfig, RunConfig, SimilarityConfig, VerdictConfig, validate
from gmaug_core.data import dataset
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import Conflict, InputError
from gmaug_core.runs import RunPaths, launch
from gmaug_core.runs.backends import LocalBackend
from gmaug_core.work import augmentation, equivalence, similarity, verdict  # noqa: F401 - before the forks
from gmaug_core.workspace import groupings
from gmaug_core.workspace.grouping import Grouping

sys.path.insert(0, str(ROOT / "tests"))
import tiny
from nowhere import Nowhere

CLASSIFIER = {"width": 4, "blocks": [1], "steps": 12, "batch": 16, "checkpoint_steps": 5}
MOST_ATTEMPTS = 400  # at one run
Report = dict[str, Any]
Keep = Callable[[Report], None]  # what is known so far


def settings(data: Dataset) -> dict[str, RunConfig]:
    """A tiny run of every kind, and of every generator."""
    short = {"seeds": 1, "classifier": CLASSIFIER, "device": "cpu", "max_steps": 1, "use": ["fill"]}
    found: dict[str, RunConfig] = {
        "similarity": validate(SimilarityConfig, {"dataset": data.id}),
        "verdict": VerdictConfig.about(tiny.config(data, **short), minutes=20),
        "equivalence": tiny.equivalence(data, device="cpu"),
    }
    for generator in tiny.GENERATORS:
        more = {"controls": ["oversampling"] if generator == "edm" else []}
        found[f"augmentation, {generator}"] = tiny.config(data, generator, **{**short, **more})
    return found


def new(config: RunConfig) -> RunPaths:
    return runs.find(launch.submit(config, where=Nowhere()))


def undisturbed(config: RunConfig) -> tuple[RunPaths, Report, dict[str, bytes], float]:
    """A run that nobody disturbs: its folder, result and images, and how long it took. Its units of work are
    gone, but for a verdict's plan, so that another run of the same settings makes everything itself."""
    paths, began = new(config), time.monotonic()
    assert crashing.attempt(paths) == 0, runs.read_log(paths)[-3000:]
    took, result = time.monotonic() - began, runs.read_result(paths)
    assert result is not None
    images = crashing.drawn(paths)
    for unit in paths.checkpoints.iterdir():
        if unit.is_dir():
            shutil.rmtree(unit)
        elif unit.name != "plan.json":
            unit.unlink()
    return paths, tiny.comparable(result.to_dict()), images, took


def like(undisturbed: RunPaths, config: RunConfig) -> RunPaths:
    """A new run of the same settings; a verdict's plan follows the machine's pace, so the other one's is
    taken."""
    paths = new(config)
    plan = undisturbed.checkpoints / "plan.json"
    if plan.exists():
        shutil.copy(plan, paths.checkpoints)
    return paths


def the_same(paths: RunPaths, expected: Report, images: dict[str, bytes]) -> bool:
    found = runs.read_result(paths)
    same = found is not None and tiny.comparable(found.to_dict()) == expected
    return same and crashing.drawn(paths) == images


def steps_of(config: RunConfig, *faults: crashing.Fault, most: int = MOST_ATTEMPTS) -> Report:
    """A run that is crashed once at every step of persistence there is, and then ends. most: what is damaged
    so often is crashed no more."""
    first, expected, images, _ = undisturbed(config)
    paths, seen, counts = like(first, config), set[str](), Counter[str]()
    note, told = paths.folder.parent / "step.txt", paths.folder.parent / "acknowledged.txt"
    told.unlink(missing_ok=True)
    while len(seen) < MOST_ATTEMPTS and counts["corrupt"] < most:
        note.unlink(missing_ok=True)
        acknowledged = [] if faults else [crashing.acknowledging(told)]
        came = crashing.attempt(paths, *faults, *acknowledged, crashing.at_new_step(seen, note))
        if came == 0:
            break
        if came != -signal.SIGKILL:
            counts["did not go on"] += 1
            break
        seen.add(note.read_text())
        damaged = crashing.wrong(paths, told)
        counts["corrupt"] += bool(set(damaged) - {"lost row"})
        counts["lost rows"] += damaged.count("lost row")
    note.unlink(missing_ok=True)
    return {
        "steps": len(seen),
        "corrupt": counts["corrupt"],
        "acknowledged rows lost": counts["lost rows"],
        "finished": runs.read_status(paths).state == "finished",
        "as undisturbed": the_same(paths, expected, images),
        "rows acknowledged": len(told.read_text().splitlines()) if told.exists() else 0,
    }


def part_steps(data: Dataset, keep: Keep) -> Report:
    kinds, found = settings(data), Report()
    for name in sorted(kinds, reverse=True):
        found[name] = steps_of(kinds[name])
        keep(found)
    found["a naive writer, similarity"] = steps_of(kinds["similarity"], crashing.naive)
    return found


def part_kills(data: Dataset, keep: Keep, times: int = 300) -> Report:
    """Kinds in turn, each run killed at random moments until it ends by itself, and then another."""
    rng, kinds = random.Random(0), settings(data)
    # a verdict reads the equivalence run of its dataset: it comes last
    known = {name: undisturbed(kinds[name]) for name in sorted(kinds, key="verdict".__eq__)}
    counts = {name: Counter[str]() for name in kinds}
    told = runs.root() / "acknowledged.txt"
    while sum(count["kills"] for count in counts.values()) < times:
        for name, config in kinds.items():
            first, expected, images, took = known[name]
            paths, count = like(first, config), counts[name]
            told.unlink(missing_ok=True)
            for _ in range(12):
                fault = crashing.killed_after(rng.uniform(0, min(took, 2.0)))
                if crashing.attempt(paths, crashing.acknowledging(told), fault) == 0:
                    break
                count["kills"] += 1
                damaged = crashing.wrong(paths, told)
                count["corrupt"] += bool(set(damaged) - {"lost row"})
                count["acknowledged rows lost"] += damaged.count("lost row")
            count["runs"] += 1
            count["resumed to the end"] += crashing.attempt(paths) == 0
            count["as undisturbed"] += the_same(paths, expected, images)
            shutil.rmtree(paths.folder)
            keep({each: dict(found) for each, found in counts.items() if found})
    return {name: dict(count) for name, count in counts.items()}


def part_stops(data: Dataset, keep: Keep, times: int = 20) -> Report:
    rng, found = random.Random(1), Report()
    for name, config in settings(data).items():
        first, expected, images, _ = undisturbed(config)
        note, whole = runs.root() / "looks.txt", like(first, config)
        crashing.attempt(whole, crashing.stopped_at_look(sys.maxsize, note))
        looks = int(note.read_text())
        shutil.rmtree(whole.folder)
        paths, stops = like(first, config), 0
        while stops < times:
            came = crashing.attempt(paths, crashing.stopped_at_look(rng.randint(1, max(2, looks // 4))))
            stops += came == 0 and runs.read_status(paths).state == "cancelled"
            if paths.result.exists():  # the run was shorter than its stops: another one
                if not the_same(paths, expected, images):
                    break
                paths = like(first, config)
        ended = crashing.attempt(paths)
        same = the_same(paths, expected, images)
        found[name] = {"stops": stops, "finished": ended == 0, "as undisturbed": same}
        keep(found)
    return found


class Forked(LocalBackend):
    """Workers that are forks of this process."""

    def __init__(self) -> None:
        self.child = 0

    def start(self, paths: RunPaths) -> None:
        self.child = crashing.begin(paths)


def left_of(session: int) -> int:
    """Processes of a session that still are."""
    found = 0
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            found += folder.name.isdigit() and int(fields[3]) == session and fields[0] != "Z"
    return found


def part_phases(data: Dataset, _keep: Keep) -> Report:
    seconds, left, states = dict[str, list[float]](), 0, Counter[str]()
    for config in settings(data).values():
        first, *_ = undisturbed(config)
        stages, where = list(runs.read_status(first).stages), Forked()
        for stage in stages:
            paths = like(first, config)
            where.start(paths)
            session = where.child
            while (status := runs.read_status(paths)).stage != stage and status.state != "finished":
                time.sleep(0.002)
            began = time.monotonic()
            launch.stop(paths.id, where=where)
            seconds.setdefault(stage, []).append(round(time.monotonic() - began, 2))
            crashing.ended(session)
            left += left_of(session)
            states[runs.read_status(paths).state] += 1
            shutil.rmtree(paths.folder)
    every = sorted(each for stage in seconds.values() for each in stage)
    return {
        "stops": len(every),
        "slowest s": every[-1],
        "p99 s": every[min(int(0.99 * len(every)), len(every) - 1)],
        "processes left": left,
        "states": dict(states),
        "slowest s a stage": {stage: max(each) for stage, each in seconds.items()},
    }


SERVER = """
import sys, time
from gmaug_core import runs
from gmaug_core.config import validate, AugmentationConfig
from gmaug_core.runs import launch
import json
run_id, settings = sys.argv[1], sys.argv[2]
if not run_id:
    run_id = launch.submit(validate(AugmentationConfig, json.loads(settings)), token="from-a-server")
    print(run_id, flush=True)
while True:
    print(runs.read_status(runs.find(run_id)).state, flush=True)
    time.sleep(1)
"""


def part_servers(data: Dataset, _keep: Keep, times: int = 20) -> Report:
    """A process that does what the page's does when it launches a run and watches it."""
    config = settings(data)["augmentation, edm"]
    assert isinstance(config, AugmentationConfig)
    long = config.model_copy(update={"generator": config.generator.model_copy(update={"kimg": 2000.0})})
    run_id, seen, slowest = "", 0, 0.0
    for number in range(times + 1):
        began = time.monotonic()
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, run_id, long.model_dump_json()],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert server.stdout
        if not run_id:
            run_id = server.stdout.readline().strip()
            while runs.read_status(runs.find(run_id)).state != "running":
                time.sleep(0.1)
        else:
            seen += server.stdout.readline().strip() == "running"
            slowest = max(slowest, time.monotonic() - began)
        os.killpg(server.pid, signal.SIGKILL)
        server.communicate()
        assert number or run_id
    status = runs.read_status(runs.find(run_id))
    launch.stop(run_id)
    return {
        "times": times,
        "the run went on, and was seen at work": seen,
        "slowest s from the start to that": round(slowest, 1),
        "attempts of the run": status.attempt,
        "stopped at the end": runs.read_status(runs.find(run_id)).state,
    }


def part_folders(data: Dataset, _keep: Keep, times: int = 20) -> Report:
    config = settings(data)["augmentation, stylegan2"]
    first, expected, images, _ = undisturbed(config)
    one_worked = frozen = 0
    for _ in range(times):
        paths = like(first, config)
        both = [crashing.begin(paths), crashing.begin(paths)]
        one_worked += sorted(map(crashing.ended, both)) == [0, 3] and the_same(paths, expected, images)
        shutil.rmtree(paths.folder)
    rng = random.Random(2)
    for _ in range(times):
        paths = like(first, config)
        child = crashing.begin(paths)
        time.sleep(rng.uniform(0.05, 0.6))
        os.kill(child, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(child, signal.SIGCONT)
        frozen += crashing.ended(child) == 0 and the_same(paths, expected, images)
        shutil.rmtree(paths.folder)
    stopped, longest, where = Counter[str](), 0.0, Forked()
    for _ in range(3):
        paths = like(first, config)
        where.start(paths)
        while runs.read_status(paths).stage != "generator":
            time.sleep(0.005)
        os.kill(where.child, signal.SIGSTOP)
        began = time.monotonic()
        launch.stop(paths.id, where=where)
        longest = max(longest, time.monotonic() - began)
        crashing.ended(where.child)
        stopped[runs.read_status(paths).state] += 1
        resumed = crashing.attempt(unstopped(paths)) == 0 and the_same(paths, expected, images)
        stopped["resumed as undisturbed"] += resumed
    return {
        "two workers on one folder": {"times": times, "one worked, one ended": one_worked},
        "frozen and woken": {"times": times, "as undisturbed": frozen},
        "stopped while frozen": {"times": 3, "longest s": round(longest, 1), **stopped},
    }


def unstopped(paths: RunPaths) -> RunPaths:
    paths.stop.unlink(missing_ok=True)
    return paths


def part_disk(data: Dataset, _keep: Keep, times: int = 20) -> Report:
    """The run's folder on a tmpfs that is full, at sizes spread over what a whole run needs; then with room,
    the same run. And one that is mounted read-only."""
    config = settings(data)["augmentation, edm"]
    first, expected, images, _ = undisturbed(config)
    whole = new(config)
    assert crashing.attempt(whole) == 0
    needs = sum(path.stat().st_size for path in whole.folder.rglob("*") if path.is_file())
    shutil.rmtree(whole.folder)
    counts, readonly = Counter[str](), Counter[str]()
    for number in range(times):
        paths = like(first, config)
        kept = paths.folder.with_name("kept")
        paths.folder.rename(kept)
        paths.folder.mkdir()
        size = 32_768 + int(needs * (number + 0.5) / times)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "x", paths.folder], check=True)
        try:
            for each in kept.iterdir():
                shutil.move(str(each), paths.folder)
            came = crashing.attempt(paths)
            status = runs.read_status(paths)
            counts[f"{status.word}, exit {came}"] += 1
            said = status.error.what if status.error else status.reason
            counts["named"] += came == 0 or "full" in said
            counts["corrupt"] += bool(crashing.wrong(paths))
            subprocess.run(["mount", "-o", f"remount,size={20 * needs + 10**7}", paths.folder], check=True)
            counts["resumed to the end"] += crashing.attempt(paths) == 0
            counts["as undisturbed"] += the_same(paths, expected, images)
            if number % 4 == 0:
                paths.result.unlink()
                runs.RunWriter(paths).end("cancelled")
                subprocess.run(["mount", "-o", "remount,ro", paths.folder], check=True)
                told = io.StringIO()
                with contextlib.redirect_stderr(told):
                    readonly[f"resume: exit {cli.main(['resume', paths.id, '--detach'])}"] += 1
                readonly["times"] += 1
                readonly["named"] += "read-only" in told.getvalue()
                readonly["corrupt"] += bool(crashing.wrong(paths))
        finally:
            subprocess.run(["umount", paths.folder], check=True)
        shutil.rmtree(paths.folder)
        shutil.rmtree(kept)
    return {"full": {"times": times, "a run needs": needs, **counts}, "read-only": dict(readonly)}


def part_numbers(data: Dataset, _keep: Keep, times: int = 20) -> Report:
    from gmaug_core.models.classifiers import training

    config = settings(data)["augmentation, edm"]
    first, expected, images, _ = undisturbed(config)
    rng, nan, oom, clock = random.Random(3), Counter[str](), Counter[str](), Counter[str]()

    def broken(at: int) -> crashing.Fault:
        def install(_: RunPaths) -> None:
            steps, original = 0, training._Training.checked

            def checked(self: Any) -> float:
                nonlocal steps
                steps += len(self.unchecked)
                if steps > at and self.unchecked:
                    self.unchecked[-1] = torch.tensor(float("nan"))
                return original(self)

            training._Training.checked = checked  # type: ignore[method-assign]

        return install

    for _ in range(times):
        paths = like(first, config)
        nan[f"exit {crashing.attempt(paths, broken(rng.randint(0, 30)))}"] += 1
        status = runs.read_status(paths)
        nan[status.word] += 1
        nan["corrupt"] += bool(crashing.wrong(paths))
        nan["resumed as undisturbed"] += crashing.attempt(paths) == 0 and the_same(paths, expected, images)
        shutil.rmtree(paths.folder)
    for _ in range(times // 2):
        paths = like(first, config)
        came = crashing.attempt(paths, crashing.with_memory(rng.randint(1, 40) * 10**6))
        status = runs.read_status(paths)
        oom[f"{status.word}, exit {came}"] += 1
        oom["corrupt"] += bool(crashing.wrong(paths))
        oom["resumed as undisturbed"] += crashing.attempt(paths) == 0 and the_same(paths, expected, images)
        shutil.rmtree(paths.folder)
    for _ in range(times // 2):
        paths = like(first, config)
        came = crashing.attempt(paths, crashing.clock_set_back(rng.randint(1, 60)))
        clock["as undisturbed"] += came == 0 and the_same(paths, expected, images)
        clock["stages are longer than nothing"] += min(runs.read_status(paths).stages.values()) >= 0
        shutil.rmtree(paths.folder)
    return {
        "NaN": {"times": times, **nan},
        "too little memory": {"times": times // 2, **oom},
        "clock set back": {"times": times // 2, **clock},
    }


def part_tabs(data: Dataset, _keep: Keep, times: int = 1000) -> Report:
    """Two tabs, each with the grouping as it last saw it, edit in a random order; who meets a conflict looks
    again and does it again."""
    rng, counts, names = random.Random(4), Counter[str](), data.class_names
    seen = [groupings.current(data, "identity") for _ in range(2)]
    grouping, revision = seen[0]
    counts["revision at first"] = revision
    acknowledged: list[tuple[int, str, str]] = []
    for number in range(times):
        tab = rng.randrange(2)
        grouping, revision = seen[tab]
        what, to = rng.choice(names), f"group {number}"
        for _ in range(3):
            changed = moved(grouping, what, to)
            try:
                revision = groupings.save(data.id, changed, revision=revision)
            except Conflict:
                counts["conflicts"] += 1
                grouping, revision = groupings.current(data, "identity")
                continue
            seen[tab] = (changed, revision)
            acknowledged.append((revision, what, to))
            break
    history = groupings.history(data.id, "identity")
    counts["acknowledged"], counts["revisions"] = len(acknowledged), len({each[0] for each in acknowledged})
    now, _ = groupings.current(data, "identity")
    last = {what: to for _, what, to in acknowledged}
    there = sum(what in now.super_classes.get(to, ()) for what, to in last.items())
    counts["last edits that are there"] = there
    return {**counts, "edited classes": len(last), "in the history": len(history), "times": times}


def moved(grouping: Grouping, what: str, to: str) -> Grouping:
    """One sub-class into a super-class of its own."""
    rest = {name: [each for each in subs if each != what] for name, subs in grouping.super_classes.items()}
    return Grouping(grouping.name, {name: subs for name, subs in rest.items() if subs} | {to: [what]})


def part_settings(data: Dataset, _keep: Keep) -> Report:
    sys.path.insert(0, str(ROOT / "tests" / "config"))
    from test_absurd import CASES

    from gmaug_core.config import augmentation_config, parse_assignments
    from gmaug_core.ui import launching

    counts, through = Counter[str](), list[str]()

    def in_python(_: str, overrides: Report) -> object:
        return augmentation_config(
            data.id, image_size=data.image_size, colour=data.colour, overrides=overrides
        )

    def on_page(generator: str, overrides: Report) -> object:
        return launching.resolve(data, "quick", generator, overrides)

    for generator, text in CASES:
        overrides = {"generator": {}} | parse_assignments([text])
        if isinstance(overrides["generator"], dict):
            overrides["generator"].setdefault("name", generator)
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            status = cli.main(["augment", data.id, "--generator", generator, "--detach", "--set", text])
        counts["command line"] += status == 2
        if status != 2:
            through.append(f"command line: {text} ({status})")
        for door, ask in (("Python", in_python), ("page", on_page)):
            try:
                ask(generator, overrides)
            except InputError:
                counts[door] += 1
            else:
                through.append(f"{door}: {text}")
    return {"settings": len(CASES), **counts, "runs made": len(runs.list_runs()), "not refused": through}


PARTS: dict[str, Callable[[Dataset, Keep], Report]] = {
    "steps": part_steps,
    "kills": part_kills,
    "stops": part_stops,
    "phases": part_phases,
    "servers": part_servers,
    "folders": part_folders,
    "disk": part_disk,
    "numbers": part_numbers,
    "tabs": part_tabs,
    "settings": part_settings,
}


def measured(part: str, keep: Keep) -> Report:
    """One part, in a workspace of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GMAUG_HOME"] = str(Path(folder) / "workspace")
        data = tiny.make_dataset(Path(folder) / "given")
        if part not in ("tabs", "settings", "servers"):
            paths = new(settings(data)["augmentation, edm"])
            crashing.warm(paths)
            shutil.rmtree(paths.folder)
        began = time.monotonic()
        return {**PARTS[part](dataset.load(data.id), keep), "seconds": round(time.monotonic() - began, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for part in args.parts:

        def keep(found: Report, part: str = part) -> None:
            print(part, json.dumps(found, indent=1), flush=True)
            if args.out:
                known = json.loads(args.out.read_text()) if args.out.exists() else {"machine": machine()}
                args.out.write_text(json.dumps(known | {part: found}, indent=1) + "\n", encoding="utf-8")

        def so_far(found: Report, keep: Keep = keep) -> None:
            keep(found | {"ended": False})

        keep(measured(part, so_far))


if __name__ == "__main__":
    main()
