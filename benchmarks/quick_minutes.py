"""How long the preset `quick` takes on photographs, when the first accepted images are there, and what it
came to.

    python -m benchmarks.quick_minutes HOME flowers_128.zip [--run RUN]

HOME: a workspace that is kept: begun again it goes on where it stopped, but only an undisturbed run has
times worth reading. --run: read one that is there already, whoever began it.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks.about import machine
from benchmarks.evidence import Waiting, code, measured
from gmaug_core import intake, runs
from gmaug_core.config import AugmentationConfig, augmentation_config
from gmaug_core.data import dataset
from gmaug_core.files import write_json
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunConfigFile, RunPaths, launch

RESULTS = Path(__file__).parent / "results" / "quick_minutes.json"


def begun(archive: Path) -> RunPaths:
    """The run of the preset as it is, on the images as they come; worked on to its end."""
    name = archive.stem
    known = {summary.name: summary.id for summary in dataset.list_datasets()}
    data = dataset.load(known.get(name) or intake.import_path(archive, name=name).dataset_id)
    config = augmentation_config(
        data.id, image_size=data.image_size, colour=data.colour, symmetric=data.symmetric, preset="quick"
    )
    paths = runs.find(launch.submit(config, data=data, token="quick-minutes", where=Waiting()))
    measured(paths)
    return paths


def told(paths: RunPaths) -> dict[str, Any]:
    """Its times and figures. Raises SystemExit where it was stopped on the way."""
    status, result = runs.read_status(paths), AugmentationResult.read(paths.result)
    config = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
    if status.attempt != 1 or status.started is None or status.ended is None:
        raise SystemExit(f"{paths.id} was not done in one go: its times say nothing")
    rows = [json.loads(line) for line in paths.metrics.read_text(encoding="utf-8").splitlines()]
    first = min(row["time"] for row in rows if row["stage"] == "sample-1" and row["accepted"])
    return {
        "images": sum((result.splits.train, result.splits.val, result.splits.test)),
        "resolution": config.generator.resolution,
        "seeds": config.seeds,
        "minutes": round((status.ended - status.started) / 60, 2),
        "first_accepted_minutes": round((first - status.started) / 60, 2),
        "stages_s": {name: round(seconds, 1) for name, seconds in status.stages.items()},
        "accepted": result.accepted.total,
        "drawn": result.accepted.total + result.rejected.total,
        "accuracy": {key: found.accuracy.to_dict() for key, found in result.variants.items()},
        "endpoint": result.endpoint.to_dict() if result.endpoint else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--run")
    args = parser.parse_args()
    os.environ["GMAUG_HOME"] = str(args.home.resolve())
    found = told(runs.find(args.run) if args.run else begun(args.archive.resolve()))
    document = {"dataset": args.archive.name, **found, "code": code(), "machine": machine()}
    write_json(RESULTS, document)
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
