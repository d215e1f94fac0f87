"""Which samples to keep: the same drawn images, kept in several ways, and what that does to the classifier.

    python -m benchmarks.keeping HOME CELL [CELL ...]

HOME: the workspace of the evidence benchmark with that cell's finished run. Every image that its generator
drew is offered again as if made elsewhere, to runs that differ in what they keep alone: confidence as the
paper has it, what real images pass, a cross-fitted judge, a band in feature space, all gates, nothing. The
classifiers on real images are taken from the cell's run. benchmarks/results/keeping/CELL.json has for each
way what was accepted and the accuracy on validation and test, with the difference to real images alone and to
keeping everything. Started again it goes on; some ten minutes of one core a cell.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.about import machine
from benchmarks.cells import CELLS, Cell
from benchmarks.evidence import code
from gmaug_core import runs
from gmaug_core.config import AugmentationConfig, augmentation_config
from gmaug_core.data import dataset, samples
from gmaug_core.data.dataset import Dataset
from gmaug_core.files import read_json, write_json
from gmaug_core.intake.elsewhere import take_in
from gmaug_core.method import experiment
from gmaug_core.method.parts.accuracy import Gain
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunConfigFile, RunPaths

RESULTS = Path(__file__).parent / "results" / "keeping"
NEVER = -1000.0  # a logit that every image exceeds
WAYS: Mapping[str, Mapping[str, Any]] = {
    "confidence": {"mode": "probability", "threshold": 0.9},
    "as 90 % of real images": {"mode": "real_share", "threshold": 0.9},
    "as 90 % of real images, cross-fitted": {
        "mode": "real_share",
        "threshold": 0.9,
        "judge": "cross_fitted",
    },
    "feature band": {"mode": "logit", "threshold": NEVER, "gates": ("copy", "outlier")},
    "confidence and feature band": {"mode": "probability", "threshold": 0.9, "gates": ("copy", "outlier")},
    "every gate": {
        "mode": "real_share",
        "threshold": 0.9,
        "gates": ("copy", "outlier", "told_apart", "repeat"),
    },
    "first choice alone": {"mode": "logit", "threshold": NEVER},
}


def offered(paths: RunPaths, data: Dataset, folder: Path) -> dict[str, Any]:
    """Settings of a generator that has the run's drawn images of its first step. folder: for PNG files."""
    shutil.rmtree(folder, ignore_errors=True)  # of a start that was killed
    table = samples.table(paths.samples, seed=0)
    table = table[table["step"] == 1]
    images = samples.images_of(paths.samples, 1)
    for name in table["class"].unique():
        (folder / name).mkdir(parents=True)
    for number, (name, image) in enumerate(zip(table["class"], images, strict=True)):
        Image.fromarray(image).save(folder / name / f"{number:06d}.png")
    given = take_in(folder, data).settings
    shutil.rmtree(folder)
    return given


def settings(
    cell: AugmentationConfig, data: Dataset, source: Mapping[str, Any], way: str
) -> AugmentationConfig:
    """The cell's own settings, but for the images offered and the way of keeping."""
    return augmentation_config(
        data.id,
        image_size=cell.generator.resolution,
        colour=data.colour,
        generator="folder",
        symmetric=True,
        preset=cell.preset,
        overrides={
            "generator": {"resolution": cell.generator.resolution, **source},
            "classifier": cell.classifier.model_dump(mode="json"),
            "seeds": cell.seeds,
            "use": cell.use,
            "target": cell.target or max(data.counts.values()),
            "grouping": cell.grouping,
            "controls": (),
            "max_steps": 1,
            "selection": dict(WAYS[way]),
            "device": "cpu",
        },
    )


def difference(found: Gain | None) -> dict[str, Any] | None:
    """In percentage points, with its 95 % interval."""
    if found is None:
        return None
    return {"points": found.points, "low": found.points_low, "high": found.points_high, "says": found.verdict}


def told(found: AugmentationResult) -> dict[str, Any]:
    """What one way came to."""
    drawn = found.accepted.total + found.rejected.total
    chosen = [each.val_after for each in found.steps if each.val_after is not None]
    return {
        "status": found.status,
        "accepted": found.accepted.total,
        "offered": drawn,
        "rejected": found.rejected.reasons,
        "validation": sum(chosen) / len(chosen) if chosen else None,
        "test": found.augmented.accuracy.to_dict(),
        "balanced": found.augmented.balanced_accuracy.to_dict(),
        "over_real_alone": difference(found.gains.get("baseline")),
        "over_keeping_all": difference(found.gains.get("unfiltered")),
    }


def measure(cell: Cell, home: Path) -> None:
    """Every way that is not measured yet."""
    paths = runs.find(f"augmentation-evidence-{cell.name}-augmentation".replace("_", "-"))
    config = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
    data = dataset.load(config.dataset)
    out = RESULTS / f"{cell.name}.json"
    report = read_json(out) if out.exists() else {}
    done: dict[str, Any] = report.get("ways", {})
    missing = [way for way in WAYS if way not in done]
    source = offered(paths, data, home / "scratch" / f"keeping-{cell.name}") if missing else {}
    for way in missing:
        folder = home / "scratch" / "keeping" / cell.name / str(list(WAYS).index(way))
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        found = experiment.run(
            settings(config, data, source, way),
            data,
            {name: [name] for name in data.class_names},
            out_dir=folder,
            others=partial(runs.checkpoints, but=RunPaths(folder)),
        )
        done[way] = told(found)
        print(cell.name, way, done[way], flush=True)
        write_json(
            out,
            {
                "cell": cell.name,
                "seeds": config.seeds,
                "real_alone": found.baseline.accuracy.to_dict(),
                "everything": found.controls["unfiltered"].accuracy.to_dict(),
                "code": code(),
                "machine": machine(),
                "ways": done,
            },
        )
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("cells", nargs="+", choices=[cell.name for cell in CELLS])
    args = parser.parse_args()
    os.environ["GMAUG_HOME"] = str(args.home.absolute())
    for cell in CELLS:
        if cell.name in args.cells:
            measure(cell, args.home.absolute())


if __name__ == "__main__":
    main()
