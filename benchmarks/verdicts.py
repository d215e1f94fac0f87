"""The verdict against what is known afterwards: its ceiling, what it says of datasets, its time.

    python -m benchmarks.verdicts ceiling DATA [--seeds 3]   from half of the images, tested on all of them
    python -m benchmarks.verdicts fast DATA                  the first reading's verdicts, with times
    python -m benchmarks.verdicts full DATA [--minutes 6]    the full ones

DATA: a folder with zips (flowers_128.zip, ...); fashion-mnist is read from /usr/share/datasets where it is
there. GMAUG_HOME: a workspace for them. What was measured before is kept: start it again to go on.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import fashion as fashion_mnist
from benchmarks.about import machine
from gmaug_core import intake
from gmaug_core.config import VerdictConfig, augmentation_config, image_format
from gmaug_core.data import dataset, demo, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError
from gmaug_core.files import read_json, write_json
from gmaug_core.method.verdict import curve, features, first, measure
from gmaug_core.method.verdict.counting import Counting
from gmaug_core.workspace import groupings

RESULTS = Path(__file__).parent / "results"
CEILING = (
    "flowers_128",
    "weather4_128",
    "sign_digits_100",
    "grocery_64",
    "cifar10_lt",
    "brain_mri_128",
    "cxr3_128",
)
TABLE = ("flowers_128", "cifar10_lt", "grocery_64")
RATIOS = (100, 30, 10)  # of fashion-mnist made long-tailed: 500 ... 500 / ratio


def zipped(data: Path, names: tuple[str, ...]) -> Iterator[tuple[str, Dataset]]:
    """Each zip that is there, imported once a workspace."""
    known = {summary.name: summary.id for summary in dataset.list_datasets()}
    for name in names:
        if name not in known and (data / f"{name}.zip").exists():
            known[name] = intake.import_path(data / f"{name}.zip", name=name).dataset_id
        if name in known:
            yield name, dataset.load(known[name])


def fashion() -> Iterator[tuple[str, Dataset]]:
    """fashion-mnist with an exponential long tail of each ratio; tested on its own test part."""
    from PIL import Image

    given = fashion_mnist.parts()
    if given is None:
        return
    (train, labels), (test, answers) = given["train"], given["test"]
    known = {summary.name: summary.id for summary in dataset.list_datasets()}
    for ratio in RATIOS:
        name = f"fashion_lt{ratio}"
        if name not in known:
            folder = Path(os.environ["GMAUG_HOME"]) / f"source-{name}"
            for label in range(10):
                kept = round(500 * ratio ** (-label / 9))
                members = np.flatnonzero(labels == label)
                parts = {"train": (train, members[:kept]), "val": (train, members[-100:])}
                parts["test"] = (test, np.flatnonzero(answers == label)[:300])
                for part, (images, index) in parts.items():
                    place = folder / part / f"class{label}"
                    place.mkdir(parents=True, exist_ok=True)
                    for number in index:
                        Image.fromarray(images[number]).save(place / f"{number}.png")
            known[name] = intake.import_path(folder, name=name).dataset_id
        yield name, dataset.load(known[name])


def ceiling(data: Path, seeds: int) -> None:
    """Fit on half of the training images, predict what all of them add, and look: on test images that the
    prediction has not seen, and on its own validation images."""
    out = RESULTS / "verdict_ceiling.json"
    rows = read_json(out)["rows"] if out.exists() else []
    done = {(row["dataset"], row["seed"]) for row in rows}
    sets = [("digits_demo", dataset.load(demo.make_demo())), *fashion(), *zipped(data, CEILING)]
    for seed in range(seeds):
        for name, each in sets:
            if (name, seed) in done:
                continue
            row = held_back(each, seed)
            print(name, seed, row, flush=True)
            if row:
                rows.append({"dataset": name, "seed": seed, **row})
                write_json(out, {"machine": machine(), "coverage": coverage(rows), "rows": rows})


def held_back(data: Dataset, seed: int) -> dict[str, Any] | None:
    """The projection from half of the training images to all of them, and what they added. None where the
    dataset cannot be split."""
    try:
        parts = splits.made(data, seed)
    except InputError:
        return None
    images = data.images(image_format(min(32, data.image_size), data.colour))
    classes, labels = len(data.class_names), data.labels
    whole = first.fewer(labels, parts["train"], classes, first.MOST_TRAINED, seed)
    counts = np.bincount(labels[whole], minlength=classes)
    half = whole[curve.subset(labels[whole], curve.sizes(counts, 0.5, "everything"), seed=1000 + seed)]
    begun = time.monotonic()
    looked = {
        name: first.fewer(labels, parts[name], classes, first.MOST_VALIDATED, seed)
        for name in ("val", "test")
    }
    order = np.concatenate([whole, looked["val"], looked["test"]])
    stride = 3 if len(whole) > first.COARSE else 2
    found = features.extract(images[order], features.random_bank(images[half], seed=seed), stride=stride)
    of_all, of_val, of_test = np.split(found, np.cumsum([len(whole), len(looked["val"])]))
    sides = {"val": of_val, "test": of_test}
    in_half = np.isin(whole, half)

    def trainings(part: str, *, all_of_them: bool) -> first.Trainings:
        rows = np.ones(len(whole), bool) if all_of_them else in_half
        mine = labels[whole][rows]
        counting = Counting(labels[looked[part]], np.maximum(np.bincount(mine, minlength=classes), 1))
        return first.Trainings(first.Learner(of_all[rows], sides[part], mine, counting))

    of_half = trainings("val", all_of_them=False)
    full = of_half.all_images(0.0)
    points = of_half.curve("everything", 0.0, full)
    at = len(whole) / len(half)
    told = curve.project(points, at, seed=seed)
    row: dict[str, Any] = {
        "train": len(whole),
        "growth": at,
        "measure": of_half.learner.counting.measure,
        "refused": told.refused,
        "predicted": told.gain.to_dict() if told.gain else None,
        "at_most": told.at_most,
        "curve": [round(float(mean), 2) for mean in points.means],
        "seconds": round(time.monotonic() - begun, 1),
    }
    for part in ("test", "val"):
        small = full if part == "val" else trainings(part, all_of_them=False).all_images(0.0)
        large = trainings(part, all_of_them=True).all_images(0.0)
        counting = (
            of_half.learner.counting
            if part == "val"
            else trainings("test", all_of_them=False).learner.counting
        )
        row[part] = counting.gain(large.right[: len(small.right)], small.right[: len(large.right)]).to_dict()
    return row


def coverage(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How often the measured gain lies within the projection's interval, widened by the measurement's own."""
    found: dict[str, Any] = {"pairs": len(rows), "refused": sum(row["predicted"] is None for row in rows)}
    told = [row for row in rows if row["predicted"]]
    for part in ("test", "val"):
        inside, under, errors = [], [], []
        for row in told:
            predicted, measured = row["predicted"], row[part]
            noise = (measured["high"] - measured["low"]) / 2
            side = "high" if measured["value"] > predicted["value"] else "low"
            reach = np.hypot(predicted[side] - predicted["value"], noise)
            inside.append(abs(measured["value"] - predicted["value"]) <= reach)
            errors.append(measured["value"] - predicted["value"])
        for row in rows:
            noise = (row[part]["high"] - row[part]["low"]) / 2
            under.append(row[part]["value"] <= row["at_most"] + noise)
        found[part] = {
            "inside": int(sum(inside)),
            "of": len(told),
            "under_at_most": int(sum(under)),
            "mean_error": float(np.mean(errors)) if errors else None,
            "mean_absolute_error": float(np.mean(np.abs(errors))) if errors else None,
        }
    return found


def table(data: Path, minutes: float, *, fast: bool) -> None:
    """The verdict of each dataset, by the first reading alone or by the full one."""
    out = RESULTS / "verdict.json"
    rows = read_json(out)["rows"] if out.exists() else []
    done = {(row["dataset"], row["fast"]) for row in rows}
    sets = [*zipped(data, TABLE), ("digits_demo", dataset.load(demo.make_demo())), *fashion()]
    for name, each in sets:
        if (name, fast) in done:
            continue
        rows.append({"dataset": name, "fast": fast, **one_verdict(name, each, minutes, fast=fast)})
        print(rows[-1], flush=True)
        write_json(out, {"machine": machine(), "minutes": minutes, "rows": rows})


def one_verdict(name: str, data: Dataset, minutes: float, *, fast: bool) -> dict[str, Any]:
    """Its document, but for what is long."""
    about = augmentation_config(
        data.id, image_size=data.image_size, colour=data.colour, symmetric=data.symmetric
    )
    config = VerdictConfig.about(about, minutes=minutes, fast=fast).model_copy(update={"device": "cpu"})
    folder = Path(os.environ["GMAUG_HOME"]) / "verdicts" / f"{name}-{'fast' if fast else 'full'}"
    folder.mkdir(parents=True, exist_ok=True)
    grouping = groupings.super_classes(data, groupings.names(data)[0])
    cpu = time.process_time()
    found = measure.run(config, data, grouping, out_dir=folder).to_dict()
    for key in ("run", "dataset", "counts", "equivalence"):
        del found[key]
    return {"cpu_seconds": round(time.process_time() - cpu, 1), **found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("ceiling", "fast", "full"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=6.0)
    args = parser.parse_args()
    if args.what == "ceiling":
        ceiling(args.data, args.seeds)
    else:
        table(args.data, args.minutes, fast=args.what == "fast")


if __name__ == "__main__":
    main()
