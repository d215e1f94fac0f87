"""A whole augmentation of many images and classes on this machine: memory, time, and where it went.

    PYTHONPATH=. python -m benchmarks.whole_run FOLDER [--images 100000] [--classes 1000] [--draws 200000]
                                                [--out benchmarks/results/whole_run.json]

FOLDER holds what is made: a zip of generated JPEGs (96 px, long-tailed) and a workspace of its own, 6 GB.
Import and run work as their users run them, through the command line and its worker, at 64 px. The networks
are tiny, since what is measured is what depends on the number of images, classes and draws. Memory: the peak
of the sum over all processes of what is theirs alone, and, apart from it, with pages of memory-mapped files,
which the system takes back when it needs them.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from benchmarks.about import machine
from benchmarks.scale import Watched, class_sizes, make
from gmaug_core.files import write_json

RESULT = Path(__file__).resolve().parent / "results" / "whole_run.json"
SIDE = 64
SETTINGS = {
    "generator.resolution": SIDE,
    "seeds": 1,
    "max_steps": 1,
    "use": ["fill"],
    "controls": ["oversampling"],
    "device": "cpu",
    "generator.kimg": 2,
    "generator.batch": 32,
    "generator.channel_base": 256,
    "generator.channel_max": 8,
    "generator.z_dim": 8,
    "generator.w_dim": 8,
    "generator.snapshot_kimg": 1,
    "classifier.width": 8,
    "classifier.blocks": [1, 1],
    "classifier.steps": 300,
    "classifier.batch": 64,
    "selection.mode": "probability",
    "selection.threshold": 0.001,
    "draw_budget": 1,
    "sampling_batch": 500,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=200_000)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    home = (args.folder / "workspace").resolve()
    source = args.folder / f"made-{args.images}-{args.classes}.zip"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    if not source.exists():
        make(source, args.images, args.classes)
    imported = Watched(home, "import", str(source), "--level", "2")
    dataset = imported.document["id"]
    sizes = 0.7 * class_sizes(args.images, args.classes)  # in training, about
    settings = SETTINGS | {"amounts": [args.draws / float((sizes.max() - sizes).sum())]}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    run = Watched(home, "augment", dataset, "--generator", "stylegan2", "--classifier", "resnet18", *words)
    folder = next(path for path in (home / "runs").iterdir() if path.is_dir())
    result = run.document["result"]
    report = {
        "images": args.images,
        "classes": args.classes,
        "side": SIDE,
        "machine": machine(),
        "import": imported.figures(),
        "run": run.figures(),
        "stages_s": {name: round(seconds, 1) for name, seconds in run.document["stages"].items()},
        "drawn": sum(step["drawn"] for step in result["steps"]),
        "accepted": sum(step["accepted"] for step in result["steps"]),
        "disk_gb": round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9, 3),
    }
    print(json.dumps(report, indent=1))
    write_json(args.out, report)


if __name__ == "__main__":
    main()
