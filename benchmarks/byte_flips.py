"""One flipped bit in a file of a workspace: is it noticed, and does the rest stand?

    PYTHONPATH=. python benchmarks/byte_flips.py [--flips 300] [--out benchmarks/results/byte_flips.json]

A workspace with the demo dataset, a tiny augmentation run that was really done, a second run beside it, and
people's decisions. Each time one bit of one file is flipped, everything that the program reads is read as
another process would: what differs from before without a word is silent, any error that is not in words is a
traceback, and the second run with its lists has to be there each time.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

from benchmarks.dashboard import ROOT
from gmaug_core import runs, worker
from gmaug_core.cli import main as cli
from gmaug_core.data import dataset, decoded_cache, samples
from gmaug_core.data.demo import make_demo
from gmaug_core.errors import GMAugError
from gmaug_core.runs import RunConfigFile, RunPaths, launch, mending
from gmaug_core.workspace import audit, database, reviews, safekeeping

sys.path.insert(0, str(ROOT / "tests"))
import run_fixture
import tiny
from nowhere import Nowhere

LISTS = ("runs", "datasets", "audit", "bin")  # verbs that have to answer whatever is damaged
Read = Callable[[], object]


def workspace() -> tuple[RunPaths, RunPaths]:
    """A run that was really done, and one made by hand beside it."""
    made = dataset.load(make_demo())
    config = tiny.config(made, seeds=1, controls=[], max_steps=1)
    paths = runs.find(launch.submit(config, where=Nowhere()))
    assert worker.work(paths) == 0, runs.read_status(paths).error
    return paths, run_fixture.make_run(made.id, token="beside", per_class=3)


def kept(paths: RunPaths) -> dict[str, list[Path]]:
    """Every kind of kept file of the workspace, with its files."""
    settings = RunConfigFile.read(paths.config).settings
    data = dataset.load(settings.dataset).folder
    found = {
        "database": [database.path()],
        "manifest": [data / "manifest.json"],
        "summary": [data / "summary.json"],
        "cache": sorted([*data.glob("cache/*.npy"), *data.glob("cache/*.json")]),
        "checkpoint": sorted(path for path in paths.checkpoints.rglob("*.safetensors") if path.is_file()),
        "samples": sorted(path for path in paths.samples.iterdir() if path.is_file()),
        "config": [paths.config],
        "status": [paths.status],
        "result": [paths.result],
        "metrics": [paths.metrics],
    }
    return {kind: files for kind, files in found.items() if files}


def readings(paths: RunPaths, data_id: str, form: str) -> dict[str, Read]:
    """Everything that is read of a run and its dataset."""

    def status() -> object:
        found = runs.read_status(paths)
        if "damaged" in found.reason:
            raise GMAugError(found.reason)
        return found.to_dict()

    def decided() -> object:
        found = reviews.history(paths.id), len(audit.trail())
        if about := safekeeping.notice():
            safekeeping.seen()
            raise GMAugError(about.words)
        return found

    def whole() -> object:
        if found := mending.damaged(paths):
            raise GMAugError(f"damaged: {', '.join(found)}")
        return True

    def metrics() -> object:
        if damaged := runs.damaged_metrics(paths):
            raise GMAugError(f"{damaged} rows of the metrics are damaged")
        return runs.read_metrics(paths)[0]

    return {
        "people": decided,
        "config": lambda: RunConfigFile.read(paths.config).to_dict(),
        "status": status,
        "result": lambda: (found := runs.read_result(paths)) and found.to_dict(),
        "manifest": lambda: dataset.load(data_id).manifest.to_dict(),
        "summary": lambda: dataset.load(data_id).summary.to_dict(),
        "decoded images": lambda: np.array(dataset.load(data_id).images(form)).tobytes(),
        "samples": lambda: samples.all_images(paths.samples).tobytes(),
        "verdicts": lambda: samples.table(paths.samples).to_json(),
        "metrics": metrics,
        "units": whole,
    }


def read_all(readings: dict[str, Read]) -> dict[str, object]:
    """Each reading's value, or the error that it ended in."""
    decoded_cache._seen.clear()  # as another process, which has seen nothing yet
    safekeeping._seen.clear()
    found: dict[str, object] = {}
    for name, read in readings.items():
        try:
            found[name] = read()
        except Exception as error:  # noqa: BLE001 - a traceback is what is looked for
            found[name] = error
    return found


def rest_stands(beside: RunPaths) -> bool:
    """Whether the lists answer, and the run beside is there with its result."""
    for verb in LISTS:
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            if cli.main([verb, "--json"]) != 0:
                return False
        if verb == "runs" and beside.id not in {row["run"] for row in json.loads(out.getvalue())}:
            return False
    return runs.read_result(beside) is not None


@contextmanager
def flipped(path: Path, at: int, bit: int) -> Iterator[None]:
    """The file with one bit another way; everything is put back as it was."""
    before = {each: each.read_bytes() for each in {path, *_with_it(path)} if each.exists()}
    data = bytearray(before[path])
    data[at] ^= 1 << bit
    path.write_bytes(data)
    try:
        yield
    finally:
        for each, content in before.items():
            each.write_bytes(content)


def _with_it(path: Path) -> list[Path]:
    """What reading a damaged file may write anew."""
    if path.name.startswith("workspace.db"):
        return [path.with_name(path.name + ".seal")]
    return [*path.parent.glob("*.npy"), *path.parent.glob("*.json")] if path.parent.name == "cache" else []


def measure(paths: RunPaths, beside: RunPaths, flips: int, seed: int = 0) -> dict[str, dict[str, int]]:
    """kind of file -> outcome -> how often: noticed, rebuilt or harmless (nothing that is read differs),
    silent, traceback; and `rest stands`."""
    reviews.save(paths.id, {0: "keep", 1: "reject"}, person="ada")
    data_id = RunConfigFile.read(paths.config).settings.dataset
    files, random = kept(paths), np.random.default_rng(seed)
    form = files["cache"][0].name.partition(".")[0]
    read = readings(paths, data_id, form)
    files["cache"] = [path for path in files["cache"] if path.name.startswith(form)]
    expected = read_all(read)
    wrong = [name for name, value in expected.items() if isinstance(value, Exception)]
    assert not wrong, (wrong, expected[wrong[0]])
    found: dict[str, Counter[str]] = {kind: Counter() for kind in files}
    for number in range(flips):
        kind = list(files)[number % len(files)]
        path = files[kind][int(random.integers(len(files[kind])))]
        content = np.frombuffer(path.read_bytes(), np.uint8)
        places = np.flatnonzero(content) if kind == "database" else np.arange(len(content))
        with flipped(path, int(random.choice(places)), int(random.integers(8))):
            stands = rest_stands(beside)
            values = read_all(read)
        found[kind][outcome(expected, values)] += 1
        found[kind]["rest stands"] += stands
        found[kind]["flips"] += 1
    return {kind: dict(counts) for kind, counts in found.items()}


def outcome(expected: dict[str, object], values: dict[str, object]) -> str:
    """What became of one flip."""
    errors = [value for value in values.values() if isinstance(value, Exception)]
    if any(not isinstance(error, GMAugError) for error in errors):
        return "traceback"
    if any(values[name] != expected[name] for name in expected if not isinstance(values[name], Exception)):
        return "silent"
    return "noticed" if errors else "rebuilt or harmless"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=300)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GMAUG_HOME"] = str(Path(folder) / "workspace")
        found = measure(*workspace(), args.flips)
    total = Counter[str]()
    for counts in found.values():
        total.update(counts)
    document = {"flips": args.flips, "total": dict(total), "by kind of file": found}
    text = json.dumps(document, indent=1)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
