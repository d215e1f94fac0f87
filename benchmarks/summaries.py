"""A finished cell of the evidence benchmark once more, from its kept run folder: what its JSON
does not say yet.

    python -m benchmarks.summaries HOME [--only CELL ...] [--counting-seeds N]

Nothing that the folder has is trained again: the run goes once more over a copy of it,
HOME/summaries/CELL, and every classifier, image and score is taken from its file. New are the
differences of balanced accuracy, paired by seed and test image, and the paper's way of counting
with its placebo, for which three classifiers a seed are trained (N seeds; 0: none): 2 to 10 CPU
minutes a cell. Whether the figures are those of the first time is noted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import CELLS
from benchmarks.evidence import code, found
from benchmarks.evidence_seen import RESULTS
from gmaug_core import runs
from gmaug_core.config import AugmentationConfig
from gmaug_core.data import dataset
from gmaug_core.data.splits import Split
from gmaug_core.files import read_json, write_json
from gmaug_core.method import experiment
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.statistics import difference, seed_variance
from gmaug_core.method.testing import Endpoint
from gmaug_core.runs import RunConfigFile, RunPaths

if TYPE_CHECKING:
    from gmaug_core.models.classifiers import Evaluation

COUNTING_SEEDS = 1
Tested = Mapping[str, Sequence["Evaluation"]]


def again(paths: RunPaths, folder: Path, counting_seeds: int) -> tuple[AugmentationResult, dict[str, Any]]:
    """The run once more in a copy of its folder; its result, and its differences of balanced accuracy.

    folder: the copy, made where it is not there: a pass that was killed goes on.
    """
    if not folder.exists():
        growing = folder.with_name(folder.name + ".growing")
        shutil.rmtree(growing, ignore_errors=True)
        shutil.copytree(paths.folder, growing)
        growing.rename(folder)
    document = RunConfigFile.read(paths.config)
    config = document.settings_as(AugmentationConfig).model_copy(update={"counting_seeds": counting_seeds})
    data = dataset.load(config.dataset)
    balanced: dict[str, Any] = {}

    def keep(tested: Tested, endpoint: Endpoint | None) -> None:
        test = Split.read(folder / Split.FILE).parts["test"]
        balanced.update(of_balanced(tested, endpoint, data.labels[test]))

    result = experiment.run(
        config,
        data,
        document.grouping,
        out_dir=folder,
        others=partial(runs.checkpoints, but=paths),
        keep=keep,
    )
    return result, balanced


def of_balanced(tested: Tested, endpoint: Endpoint | None, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Differences of balanced accuracy in percentage points with 95 % intervals over seeds and test images:
    of the endpoint, of the accepted images over every other arm, and of every arm over plain training; by
    'AFTER over BEFORE'. labels: int [images], of the test part."""
    counts = np.bincount(labels)
    weight = len(labels) / (np.count_nonzero(counts) * counts[labels])  # its mean over correct is balanced
    right = {key: np.array([each.correct for each in rows]) * weight for key, rows in tested.items()}
    distinct = {tuple(rows.mean(axis=1)): None for rows in right.values()}
    pooled = seed_variance(np.array(list(distinct)))
    pairs = {("augmented", key): None for key in right if key not in ("augmented", "best_augmented")}
    pairs |= {(key, "baseline"): None for key in right if key != "baseline"}
    if endpoint:
        pairs[endpoint.augmented, endpoint.alone] = None
    told = {}
    for after, before in pairs:
        interval = difference(right[after], right[before], pooled)
        told[f"{after} over {before}"] = {
            "points": 100 * interval.mean,
            "low": 100 * interval.low,
            "high": 100 * interval.high,
        }
    return told


def summarised(name: str, document: dict[str, Any], home: Path, counting_seeds: int) -> dict[str, Any]:
    """The cell's document with what is new in it. home: the workspace that its runs are in."""
    token = f"evidence-{name}-augmentation".replace("_", "-")
    paths = runs.find(f"augmentation-{token}")
    began = time.process_time()
    result, balanced = again(paths, home / "summaries" / name, counting_seeds)
    told = found(result)
    before = document["result"].get("endpoint")
    return document | {
        "result": told,
        "balanced": balanced,
        "summary": {
            "cpu_minutes": (time.process_time() - began) / 60,
            "code": code(),
            "same": told.get("endpoint") == before,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--only", nargs="*", help="these cells")
    parser.add_argument("--counting-seeds", type=int, default=COUNTING_SEEDS)
    args = parser.parse_args()
    home = args.home.resolve()
    os.environ["GMAUG_HOME"] = str(home)
    for cell in CELLS:
        out = RESULTS / f"{cell.name}.json"
        if (args.only and cell.name not in args.only) or not out.exists():
            continue
        document = read_json(out)
        if "summary" in document and not args.only:
            continue
        told = summarised(cell.name, document, home, args.counting_seeds)
        write_json(out, told)
        print(cell.name, "as before" if told["summary"]["same"] else "NOT as before", flush=True)


if __name__ == "__main__":
    main()
