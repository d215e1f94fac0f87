"""Every generator lane for the same wall-clock budget on one dataset: sample grids, KID, precision and
recall, acceptance.

    python -m benchmarks.lanes DATASET.zip --minutes 30 [--resolution 32] [--lane edm --lane stylegan2]
                               [--seeds 1] [--samples 100] [--long-tail] [--device auto] [--threads 2]
                               [--set LANE.KEY=VALUE] [--out benchmarks/results]

Lanes run one after the other. Each gets the preset's settings with the budget that a few measured steps say
fills the time; what it really took stands beside it. The judge is a classifier trained on ALL real images
(training, validation and test), so it knows rare classes better than any run could; a sample is accepted when
the judge puts it in its class with probability > .9. KID, precision and recall are in the judge's features,
against real training images (n stated). The tail is the third of the classes with the fewest training images.
--long-tail trains stylegan2 with NoisyTwins, UTLO, both, the relativistic loss, and with none of them, each
with two seeds. Writes lanes-NAME.json and a grid a training, lanes-NAME-TRAINING.png; rows of other trainings
that the file holds already stay, so lanes may also be run one a call.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gmaug_core import intake
from gmaug_core.config import GENERATORS, augmentation_config, image_format, parse_assignments
from gmaug_core.data import dataset, pictures
from gmaug_core.files import write_bytes
from gmaug_core.models import classifiers, generators, quality
from gmaug_core.models.selection import select

ACCEPT = 0.9  # probability
GRID_CLASSES = 20
LONG_TAIL: dict[str, dict[str, Any]] = {
    "plain": {},
    "noisy-twins": {"noisy_twins": 0.01},
    "utlo": {"low_resolution": 8},
    "noisy-twins-utlo": {"noisy_twins": 0.01, "low_resolution": 8},
    "rpgan": {"loss": "rpgan"},
}


class Bench:
    """The dataset at one size, and the judge that all trainings are held against."""

    def __init__(self, data: dataset.Dataset, arguments: argparse.Namespace) -> None:
        self.data, self.arguments = data, arguments
        self.base = self.settings("edm", {})
        self.images = np.asarray(data.images(image_format(arguments.resolution, data.colour)))
        self.train = data.split("train")
        self.counts = np.bincount(data.labels[self.train], minlength=len(data.class_names))
        present = np.flatnonzero(self.counts)
        self.tail = present[np.argsort(self.counts[present], kind="stable")[: max(1, len(present) // 3)]]
        name = (
            ("cuda" if torch.cuda.is_available() else "cpu")
            if arguments.device == "auto"
            else arguments.device
        )
        self.device = torch.device(name)
        config = self.base.classifier.model_copy(update={"steps": arguments.judge_steps})
        begin = time.perf_counter()
        self.judge = classifiers.train(
            self.images, data.labels, len(data.class_names), config, seed=10**6, device=self.device
        )
        self.judge_seconds = time.perf_counter() - begin
        self.assess = quality.Assessment(
            lambda x: (self.judge.features(x), self.judge.predict_logits(x)),
            self.images[self.train],
            data.labels[self.train],
            len(data.class_names),
        )

    def settings(self, lane: str, overrides: dict[str, Any]) -> Any:
        given = {"resolution": self.arguments.resolution} | overrides
        return augmentation_config(
            self.data.id,
            image_size=self.data.image_size,
            colour=self.data.colour,
            symmetric=self.data.symmetric,
            preset=self.arguments.preset,
            generator=lane,
            overrides={"generator": given},
        )

    def run(self, name: str, lane: str, overrides: dict[str, Any], seed: int) -> dict[str, Any]:
        """Train for the budget, draw, judge."""
        config, seconds = self.settings(lane, overrides).generator, self.arguments.minutes * 60
        cost = generators.estimate(
            config.model_dump(mode="json"), len(self.data.class_names), str(self.device)
        )
        kimg = max(config.batch / 1000, round(seconds * config.kimg / cost["training_seconds"], 3))
        config = config.model_copy(update={"kimg": kimg, "snapshot_kimg": kimg / 5})
        generator = generators.create(config)
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            figures = generator.train(
                self.images[self.train],
                self.data.labels[self.train],
                self.data.class_names,
                Path(folder),
                seed=seed,
                device=str(self.device),
                assess=self.assess,
            )
            training = time.perf_counter() - begin
        present = np.flatnonzero(self.counts)
        labels = np.repeat(present, self.arguments.samples)
        begin = time.perf_counter()
        made = np.concatenate(list(generator.sample(labels, np.arange(len(labels)), 250)))
        rate = len(labels) / (time.perf_counter() - begin)
        shown = present[
            np.unique(np.linspace(0, len(present) - 1, min(len(present), GRID_CLASSES)).round().astype(int))
        ]
        grid = pictures.sheet([made[labels == label] for label in shown], columns=16)
        file = f"lanes-{self.arguments.name}-{name}.png"
        write_bytes(self.arguments.out / file, grid)
        accepted = select(
            self.judge.predict_logits(made), labels, threshold=ACCEPT, mode="probability"
        ).accepted
        rare = np.isin(labels, self.tail)
        return {
            "name": name,
            "lane": lane,
            "seed": seed,
            "training_seconds": training,
            "kimg": kimg,
            "estimated": cost,
            "sampling_img_per_s": rate,
            "all": self.figures(made, labels, accepted),
            "tail": self.figures(made[rare], labels[rare], accepted[rare]),
            "accepted_by_class": {
                self.data.class_names[k]: float(accepted[labels == k].mean()) for k in present
            },
            "collapse": figures.get("collapse"),
            "snapshots": figures["quality"],
            "grid": file,
            "grid_rows": [self.data.class_names[k] for k in shown],
            "config": config.model_dump(mode="json"),
        }

    def figures(self, made: np.ndarray, labels: np.ndarray, accepted: np.ndarray) -> dict[str, Any]:
        """Acceptance, and the assessment of some classes' samples, n stated."""
        found = self.assess(made, labels)
        known = [
            value
            for label, value in enumerate(found.pop("diversity"))
            if value is not None and label in labels
        ]
        found.pop("consistency_tail")
        return {
            "n_synthetic": len(made),
            "accepted": float(accepted.mean()),
            "diversity": float(np.median(known)) if known else None,
            **found,
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="a zip or folder to import, or the id of a dataset in the workspace")
    parser.add_argument("--minutes", type=float, default=30.0, help="a training")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--lane", action="append", choices=list(GENERATORS))
    parser.add_argument(
        "--long-tail", action="store_true", help="stylegan2's options for long tails, on and off, two seeds"
    )
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=100, help="a class")
    parser.add_argument("--judge-steps", type=int, default=2000)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="LANE.KEY=VALUE",
        help="such as stylegan2.channel_base=2048",
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", help="in the names of the files; default: the dataset's")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        if Path(arguments.dataset).exists():
            os.environ["GMAUG_HOME"] = home
            data = dataset.load(intake.import_path(Path(arguments.dataset)).dataset_id)
        else:
            data = dataset.load(arguments.dataset)
        arguments.name = arguments.name or data.name.lower().replace(" ", "-")
        bench, more = Bench(data, arguments), parse_assignments(arguments.set)
        if arguments.long_tail:
            plan = [
                (option, "stylegan2", values, seed)
                for option, values in LONG_TAIL.items()
                for seed in range(max(2, arguments.seeds))
            ]
        else:
            plan = [
                (lane, lane, {}, seed)
                for lane in arguments.lane or GENERATORS
                for seed in range(arguments.seeds)
            ]
        file = arguments.out / f"lanes-{arguments.name}{'-long-tail' if arguments.long_tail else ''}.json"
        for name, lane, values, seed in plan:
            row = bench.run(f"{name}-{seed}", lane, more.get(lane, {}) | values, seed)
            others = json.loads(file.read_text())["rows"] if file.exists() else []
            rows = sorted(
                [*(other for other in others if other["name"] != row["name"]), row],
                key=lambda row: row["name"],
            )
            document = {
                "what": f"generator lanes on {data.name}, {arguments.minutes:g} minutes each, "
                f"{arguments.resolution} px",
                "train": {data.class_names[k]: int(n) for k, n in enumerate(bench.counts)},
                "tail": [data.class_names[k] for k in bench.tail],
                "judge": {
                    "trained_on": len(data),
                    "steps": arguments.judge_steps,
                    "seconds": bench.judge_seconds,
                    "accepts_above": ACCEPT,
                },
                "machine": {
                    "cpu": platform.processor() or platform.machine(),
                    "threads": arguments.threads,
                    "device": str(bench.device),
                    "torch": torch.__version__,
                },
                "rows": rows,
            }
            text = (
                json.dumps(document, indent=1) + "\n"
            )  # after each, so that a long run that is cut short keeps what it has
            write_bytes(file, text.encode())
            said = [
                f"{part} KID {row[part].get('kid', float('nan')):.3f} accepted {row[part]['accepted']:.0%}"
                for part in ("all", "tail")
            ]
            print(
                f"{row['name']:24} {row['training_seconds']:7.0f} s  {row['kimg']:8.1f} kimg  "
                + "  ".join(said),
                flush=True,
            )


if __name__ == "__main__":
    main()
