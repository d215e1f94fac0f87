"""What each judge and rule let through of images whose worth is known, without training anything on them.

    python -m benchmarks.judges [--seeds 2] [--folds 5] [--steps 0]

The dataset is the demo's digits. Its test part stands for a perfect generator: new real images, under their
own class and under the next one. Said of each judge (plain, cross-fitted) and rule: the share accepted of
both, of all classes and of the three rarest, means over seeds. Nothing is chosen by it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.about import machine
from gmaug_core.config import SelectionConfig, augmentation_config
from gmaug_core.data import dataset
from gmaug_core.data.demo import make_demo
from gmaug_core.data.views import View
from gmaug_core.files import write_json
from gmaug_core.hooks import never, no_report
from gmaug_core.method.bench import Bench
from gmaug_core.method.judging import Judge, judges
from gmaug_core.method.lab import Lab

RULES: dict[str, dict[str, Any]] = {
    "probability > 0.9": {"mode": "probability", "threshold": 0.9},
    "calibrated > 0.9": {"mode": "calibrated", "threshold": 0.9},
    "real share 0.9": {"mode": "real_share", "threshold": 0.9},
    "real share 0.98": {"mode": "real_share", "threshold": 0.98},
    "real share 0.98, no outlier": {"mode": "real_share", "threshold": 0.98, "gates": ["outlier"]},
}
RAREST = 3  # classes


def accepted(bench: Bench, images: View, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Bool [seeds, images]."""
    return np.array([rows["accepted"] for rows in bench.verdicts(images, labels)], bool)


def row(lab: Lab, rule: dict[str, Any], asked: Mapping[int, Judge]) -> dict[str, Any]:
    """Shares accepted by one kind of judge and one rule."""
    kind = "cross_fitted" if rule["judge"] == "cross_fitted" else "plain"
    lab.config = lab.config.model_copy(update={"selection": SelectionConfig.model_validate(rule)})
    bench = Bench.prepare(lab, 1, asked)
    images, labels = lab.part("test")
    right, wrong = (accepted(bench, images, each) for each in (labels, (labels + 1) % lab.classes))
    rare = np.isin(labels, np.argsort(lab.counts, kind="stable")[:RAREST])
    return {
        "judge": kind,
        "own class": float(right.mean()),
        "own class, rarest": float(right[:, rare].mean()),
        "wrong class": float(wrong.mean()),
        "temperatures": [round(each.temperature, 3) for each in bench.standards.values()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=0, help="of a training; 0: as the quick preset")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/judges-digits.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        os.environ["GMAUG_HOME"] = work
        data = dataset.load(make_demo())
        judge = {"judge": "cross_fitted", "judge_folds": args.folds}
        overrides: dict[str, Any] = {"seeds": args.seeds, "selection": judge}
        if args.steps:
            overrides["classifier"] = {"steps": args.steps}
        config = augmentation_config(
            data.id,
            image_size=data.image_size,
            colour=data.colour,
            symmetric=data.symmetric,
            overrides=overrides,
        )
        lab = Lab.prepare(config, data, Path(work) / "run", no_report, never)
        baseline = lab.arm("baseline", "baseline", lambda _: lab.real)
        plain: Mapping[int, Judge] = baseline.classifiers
        crossed = judges(lab, 1, baseline)
        rows = [
            {"rule": name} | row(lab, rule | each, asked)
            for name, rule in RULES.items()
            for each, asked in (({"judge": "plain"}, plain), (judge, crossed))
        ]
        labels = lab.part("test")[1]
        document = {
            "dataset": "digits of the demo",
            "train": dict(zip(data.class_names, lab.counts.tolist(), strict=True)),
            "test": len(labels),
            "validation": len(lab.split["val"]),
            "seeds": args.seeds,
            "folds": args.folds,
            "steps": lab.steps,
            "rows": rows,
            "machine": machine(),
        }
        write_json(args.out, document)
        for each in rows:
            print(each)


if __name__ == "__main__":
    main()
