"""Does it tell the truth, and where does it help? Ordinary runs of the product over many datasets.

    python -m benchmarks.evidence HOME DATA [--only CELL ...] [--cells N] [--check]

HOME: a folder for a workspace that is kept: a cell that was killed goes on where it stopped. DATA: a folder
with zips (flowers_128.zip, ...); fashion-mnist and the digits are found by themselves. Each cell (cells.py)
is a first verdict, a full verdict and an augmentation run of the quick preset with five classifier seeds and
two generators; what came of it is benchmarks/results/evidence/CELL.json. Meant for hours at low priority:
about 10 to 60 minutes of one core a cell. --check: measure what is published already once more, in a HOME of
one's own, and say of each figure whether it lies inside the published interval, or at least no further off
than two measurements of one thing are; exit 1 where one is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from benchmarks.about import machine
from benchmarks.cells import CELLS, Cell, made
from benchmarks.evidence_seen import RESULTS, rivals
from gmaug_core import children, runs
from gmaug_core.config import AugmentationConfig, RunConfig, VerdictConfig, augmentation_config
from gmaug_core.data.dataset import Dataset
from gmaug_core.files import read_json, write_json
from gmaug_core.method.predictions import Predictions
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.variants import short
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.runs import RunConfigFile, RunPaths, launch
from gmaug_core.runs.backends import LocalBackend
from gmaug_core.scoring.record import Z_95
from gmaug_core.workspace import groupings

SEEDS = 5
GENERATORS = 2  # the luck of one is in no interval
MOST_STEPS = 1000  # of a classifier: a cell must end within an hour of one core
VERDICT_MINUTES = 2.0
ROUNDING = 1e-9  # of an interval that is a point


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


class Waiting(LocalBackend):
    """Submits a run and leaves its worker to `measured`, which counts what it costs."""

    def start(self, paths: RunPaths) -> None:
        del paths


def config_of(cell: Cell, data: Dataset, device: str = "cpu") -> AugmentationConfig:
    """The settings of a cell's augmentation run: its preset, but for what is said here."""
    return augmentation_config(
        data.id,
        image_size=min(cell.size, data.image_size),
        colour=data.colour,
        symmetric=cell.symmetric,
        preset=cell.preset,
        overrides={
            "seeds": SEEDS,
            "generator_seeds": GENERATORS,
            "device": device,
            "grouping": groupings.names(data)[0],
            "classifier": {"most_steps": MOST_STEPS},
            "use": ("mix",),  # one way of use: half the trainings
            **cell.settings,
        },
    )


def run_of(cell: Cell, kind: str, config: RunConfig, data: Dataset) -> RunPaths:
    """The cell's run of a kind, submitted once: the token is the cell's."""
    token = f"evidence-{cell.name}-{kind}".replace("_", "-")
    return runs.find(launch.submit(config, data=data, token=token, where=Waiting()))


def measured(paths: RunPaths) -> None:
    """Work on a run until it has ended, and add what that cost to costs.json beside it."""
    if paths.result.exists():
        return
    began = time.monotonic()
    environment = children.environment({**children.computing(), "GMAUG_HOME": os.environ["GMAUG_HOME"]})
    with paths.log.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "gmaug_core.worker", str(paths.folder)],
            stdout=log,
            stderr=log,
            env=environment,
        )
        _, status, usage = os.wait4(child.pid, 0)
    costs = paths.folder / "costs.json"
    before = read_json(costs) if costs.exists() else {"minutes": 0.0, "cpu_minutes": 0.0, "peak_mb": 0.0}
    write_json(
        costs,
        {
            "minutes": before["minutes"] + (time.monotonic() - began) / 60,
            "cpu_minutes": before["cpu_minutes"] + (usage.ru_utime + usage.ru_stime) / 60,
            "peak_mb": max(before["peak_mb"], usage.ru_maxrss / 1024),
            "code": code(),
            "machine": machine(),
        },
    )
    if status != 0 or not paths.result.exists():
        raise SystemExit(f"{paths.id} did not finish: see {paths.log}")


def code() -> str:
    """The commit that this was measured with."""
    found = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=RESULTS.parent,
    )
    return found.stdout.strip() or "unknown"


def measure(cell: Cell, data_folder: Path, home: Path, device: str = "cpu") -> dict[str, Any] | None:
    """What came of a cell, in one document; None where its source is not here. A run that is there already
    keeps the settings and the device that it was made with.
    """
    data = made(cell, data_folder, home / "scratch")
    if data is None:
        return None
    config = config_of(cell, data, device)
    paths = {
        "first": run_of(cell, "first", VerdictConfig.about(config, fast=True), data),
        "verdict": run_of(cell, "verdict", VerdictConfig.about(config, minutes=VERDICT_MINUTES), data),
        "augmentation": run_of(cell, "augmentation", config, data),
    }
    for path in paths.values():
        measured(path)
    result = AugmentationResult.read(paths["augmentation"].result)
    config = RunConfigFile.read(paths["augmentation"].config).settings_as(AugmentationConfig)
    return {
        "balanced": of_endpoint(Predictions.read(paths["augmentation"].folder / Predictions.FILE), result),
        "cell": cell.name,
        "source": cell.source,
        "largest": cell.largest,
        "ratio": cell.ratio,
        "size": config.generator.resolution,
        "seeds": config.seeds,
        "generator_seeds": config.generator_seeds,
        "config": config.model_dump(mode="json", exclude={"dataset"}),
        "costs": {key: read_json(path.folder / "costs.json") for key, path in paths.items()},
        "machine": machine(),
        "first": told(Verdict.read(paths["first"].result)),
        "verdict": told(Verdict.read(paths["verdict"].result)),
        "result": found(result),
    }


def of_endpoint(predictions: Predictions, result: AugmentationResult) -> dict[str, dict[str, float]]:
    """The endpoint's difference of balanced accuracy in percentage points with its 95 % interval, by
    'AFTER over BEFORE'; empty where synthetic images were not tested.

    What a seed does is seen in its values, what the test images do in the first seed's predictions, class by
    class; the two halves are added as squares, although those predictions hold some of the first.
    """
    if result.endpoint is None:
        return {}
    of, control = result.endpoint.of, result.endpoint.control
    after, before = (np.array(result.variants[key].balanced_accuracy.values) for key in (of, control))
    values = 100 * (after - before)
    label = np.array(predictions.label)
    right = [np.array(each) == label for each in (predictions.after, predictions.before)]
    change = right[0].astype(float) - right[1]
    known = np.unique(label)
    of_images = sum(change[label == c].var() / np.count_nonzero(label == c) for c in known) / len(known) ** 2
    of_seeds = special.stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / len(values) ** 0.5
    half = float(np.hypot(of_seeds, Z_95 * 100 * of_images**0.5))
    middle = float(values.mean())
    return {f"{of} over {control}": {"points": middle, "low": middle - half, "high": middle + half}}


def told(verdict: Verdict) -> dict[str, Any]:
    """What a verdict said."""
    document = verdict.to_dict()
    return {
        "measure": document["measure"],
        "key": document["verdict"]["key"],
        "sentence": document["verdict"]["sentence"],
        "headroom": document["headroom"],
        "projections": document["ceiling"]["projections"],
        "seen": {
            key: document["seen"][key] for key in ("smallest", "seed_deviation", "disagreement", "seeds")
        },
        "free": {
            "best": document["free"]["best"],
            "gains": {each["key"]: each["gain"] for each in document["free"]["recipes"]},
        },
        "seconds": document["seconds"],
    }


LONG = ("per_class", "real_acceptance", "run", "dataset", "steps", "schema", "kind", "preset")


def found(result: AugmentationResult) -> dict[str, Any]:
    """What a run found, without what has a row a class or a sample."""
    document: dict[str, Any] = {key: value for key, value in result.to_dict().items() if key not in LONG}
    accepted: Mapping[str, Any] = document["accepted"]
    document["accepted"], document["rejected"] = accepted["total"], document["rejected"]["total"]
    document["wanted"] = sum(row.wanted or 0 for row in result.per_class)
    document["train_counts"] = [row.train for row in result.per_class]
    document["drawn"] = max((step.drawn for step in result.steps if step.step == 1), default=0)
    if result.real_acceptance:
        document["real_accepted"] = result.real_acceptance.total.to_dict()
    return document


def figures(document: Mapping[str, Any]) -> dict[str, Figure]:
    """What a cell comes to, each with its 95 % interval."""
    result = document["result"]
    score = result["score"]["ssim_supsubcls"]
    found = {"SSIM-supSubCls": Figure(score["value"], score["ci_low"], score["ci_high"])}
    for name, arm in (("plain training", "baseline"), ("GM-augCls", "augmented")):
        of = result[arm]["accuracy"]
        found[f"accuracy of {name}, %"] = Figure(100 * of["mean"], 100 * of["ci_low"], 100 * of["ci_high"])
    gain = result["relative_gain_percent"]
    found["gain over plain training, %"] = Figure(gain["value"], gain["ci_low"], gain["ci_high"])
    for key, gain in result["gains"].items():
        if key in RECIPES:
            found[f"GM-augCls over {short(key).lower()}, points"] = points_of(gain)
    return found


def points_of(gain: Mapping[str, Any]) -> Figure:
    """A difference of two accuracies, in percentage points."""
    return Figure(gain["points"], gain["points_low"], gain["points_high"])


def endpoints(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether two measurements' endpoints agree, and a line. They may have chosen two recipes: that agrees
    where validation could not tell these apart, but the two figures are then of two comparisons."""
    name = "over the best recipe without a generator, points"
    of, end = theirs.get("endpoint"), mine.get("endpoint")
    if of is None or end is None:
        return of == end, f"{name}: " + ("not tested" if of == end else "tested on one side alone")
    there, here = of["control"], end["control"]
    if there == here:
        return compared(name, points_of(of), points_of(end))
    alike = here in rivals(theirs) or there in rivals(mine)
    told = "could not tell them apart" if alike else "DISAGREES"
    return alike, (
        f"{name}: of two comparisons, as validation chose {short(there).lower()} there and "
        f"{short(here).lower()} here, and {told}: {shown(points_of(end))}, published "
        f"{shown(points_of(of))}"
    )


def shown(figure: Figure) -> str:
    """'1.381 [0.037, 2.725]'."""
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def checked(published: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[bool, list[str]]:
    """Whether the figures of one's own measurement agree with the published ones, and a line for each.

    A figure agrees inside the published interval; outside of it, where the two differ by no more than the
    root of the sum of both half-widths squared: the interval is one of the truth, and the second measurement
    has an error of its own. One that was not measured on both sides does not agree.
    """
    theirs, mine = figures(published), figures(own)
    lines, agreed = [], True
    for name in theirs | mine:
        if name not in theirs or name not in mine:
            lines.append(f"{name}: measured on one side alone")
            agreed = False
            continue
        same, line = compared(name, theirs[name], mine[name])
        agreed = agreed and same
        lines.append(line)
    same, line = endpoints(published["result"], own["result"])
    return agreed and same, [*lines, line]


def compared(name: str, at: Figure, now: Figure) -> tuple[bool, str]:
    """Whether a figure agrees with the published one, and a line."""
    inside = at.low - ROUNDING <= now.value <= at.high + ROUNDING
    apart = float(np.hypot(at.high - at.low, now.high - now.low)) / 2
    near = abs(now.value - at.value) <= apart + ROUNDING
    where = "inside" if inside else "outside, as two measurements may be, of" if near else "DISAGREES with"
    said = f"{name}: {shown(now)}, {where} [{at.low:.3f}, {at.high:.3f}] (published {at.value:.3f})"
    return inside or near, said


def check(cells: Sequence[Cell], data: Path, home: Path) -> bool:
    """Measure these cells once more and say how each compares; whether all of them agree."""
    all_agree = True
    for cell in cells:
        published = read_json(RESULTS / f"{cell.name}.json")
        began = time.monotonic()
        document = measure(cell, data, home)
        if document is None:
            raise SystemExit(f"{cell.name}: its source is not on this machine")
        agreed, lines = checked(published, document)
        all_agree = all_agree and agreed
        print(f"{cell.name}, {(time.monotonic() - began) / 60:.0f} minutes:", *lines, sep="\n  ", flush=True)
        print("agrees with what is published" if agreed else "does NOT agree", flush=True)
    return all_agree


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", help="these cells")
    parser.add_argument("--cells", type=int, help="end after so many")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N; timings are of where it ran")
    parser.add_argument("--check", action="store_true", help="compare with what is published")
    args = parser.parse_args()
    os.environ["GMAUG_HOME"] = str(args.home.resolve())
    if args.check:
        known = [cell for cell in CELLS if (RESULTS / f"{cell.name}.json").exists()]
        chosen = [cell for cell in known if not args.only or cell.name in args.only][: args.cells]
        if not chosen:
            raise SystemExit("none of these cells is published")
        sys.exit(0 if check(chosen, args.data.resolve(), args.home.resolve()) else 1)
    begun = 0
    for cell in CELLS:
        out = RESULTS / f"{cell.name}.json"
        if (args.only and cell.name not in args.only) or out.exists():
            continue
        if args.cells is not None and begun >= args.cells:
            break
        begun += 1
        document = measure(cell, args.data.resolve(), args.home.resolve(), args.device)
        if document is None:
            print(f"{cell.name}: its source is not on this machine")
            continue
        write_json(out, document)
        endpoint = document["result"].get("endpoint")
        print(cell.name, document["result"]["status"], endpoint and endpoint["points"], flush=True)


if __name__ == "__main__":
    main()
