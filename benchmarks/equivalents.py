"""What synthetic images are worth in real ones, on data whose answer nobody knew: ordinary runs.

    python -m benchmarks.equivalents run (digits | fashion | flowers)[_augmented] [DATA]    again: goes on
    python -m benchmarks.equivalents so-far (digits | fashion | flowers)[_augmented]   of the whole seeds

In $GMAUG_HOME; so-far trains nothing. Classifiers are trained without augmentation, or as an augmentation run
trains them. fashion: fashion-mnist (Debian package dataset-fashion-mnist), 1,000
images a class to train on, 100 to choose by, all 10,000 test images. digits: scikit-learn's, 108 a class to
train on, 10 to choose by, 56 to test on. flowers: DATA/flowers_128.zip, 500 a class to train on, 40 to choose
by, the rest to test on; two base sizes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import fashion
from benchmarks.about import machine
from benchmarks.cells import shuffled, source
from gmaug_core import intake, runs
from gmaug_core.config import EquivalenceConfig, equivalence_config
from gmaug_core.data import dataset, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.files import write_json
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.runs import RunConfigFile, RunPaths, launch

RESULTS = Path(__file__).parent / "results"
PUBLISHED_C2 = {"CIFAR-10 closed-set": 2.53, "BloodMNIST closed-set": 3.88}  # of a secondary source
POLL_S = 5.0
Parts = Mapping[str, tuple[NDArray[np.uint8], NDArray[np.int64]]]
Pictures = Iterator[tuple[str, str, Image.Image]]  # part, class, picture


@dataclass(frozen=True)
class Trial:
    """One dataset and what differs from the small preset."""

    name: str
    symmetric: bool
    settings: Mapping[str, Any]


AMOUNTS = {
    "proportions": "balanced",
    "real": [0.25, 0.5, 1, 2, 4],
    "synthetic": [0.5, 1, 2, 4, 8],
    "substituted": [0.5],
    "seeds": 5,
    "generator_seeds": 2,
}
TRIALS = {
    "digits": Trial(
        "digits (equivalence)",
        symmetric=False,
        settings=AMOUNTS
        | {
            "base_sizes": [5, 10, 20],
            "checks": ["disguised", "noise"],
            "classifier": {"steps": 200, "augment": "none"},
            "generator": {"kimg": 20},
        },
    ),
    "fashion": Trial(
        "fashion-mnist (equivalence)",
        symmetric=True,
        settings=AMOUNTS
        | {
            "base_sizes": [50, 100, 200],
            "checks": ["disguised"],
            "classifier": {"steps": 800, "augment": "none"},
            "generator": {"kimg": 60, "snapshot_kimg": 60},
        },
    ),
    "flowers": Trial(
        "flowers (equivalence)",
        symmetric=True,
        settings=AMOUNTS
        | {
            "base_sizes": [50, 100],
            "checks": [],
            "classifier": {"steps": 800, "augment": "none"},
            "generator": {"kimg": 60, "snapshot_kimg": 60},
        },
    ),
}
# once more, with what flips and crops give anyway: is it more than they?
for name, bases in {"digits": [5, 10, 20], "fashion": [50, 100], "flowers": [50]}.items():
    steps = TRIALS[name].settings["classifier"]["steps"]
    TRIALS[f"{name}_augmented"] = replace(
        TRIALS[name],
        settings={**TRIALS[name].settings, "base_sizes": bases, "classifier": {"steps": steps}},
    )


def pictures_of(key: str, data: Path | None) -> Pictures:
    """Every picture of a trial. data: a folder with flowers_128.zip, where that is the trial."""
    if key.startswith("flowers"):
        yield from _flowers(data)
        return
    for part, (images, labels) in _arrays(key).items():
        for image, label in zip(images, labels.tolist(), strict=True):
            picture = Image.fromarray(image)
            if key.startswith("digits"):
                picture = picture.resize((16, 16), Image.Resampling.BICUBIC)
            yield part, f"class{label}", picture


def _flowers(data: Path | None) -> Pictures:
    archive = (data or Path()) / "flowers_128.zip"
    if not archive.exists():
        raise SystemExit(f"{archive} is not there: say in which folder it is")
    rng = np.random.default_rng(0)
    given = source("flowers_128", archive) or {}
    for name, pictures in given["train"].items():
        order = shuffled(pictures, rng)
        for part, cut in {"train": np.s_[:500], "val": np.s_[500:540], "test": np.s_[540:]}.items():
            yield from ((part, name, picture()) for picture in order[cut])


def _arrays(key: str) -> Parts:
    """train, val and test: uint8 [n, h, w] and labels."""
    if key.startswith("fashion"):
        given = fashion.parts()
        if given is None:
            raise SystemExit(f"fashion-mnist is not in {fashion.FOLDER}")
        (train, labels), (test, answers) = given["train"], given["test"]
        members = [np.flatnonzero(labels == label) for label in range(10)]
        first, last = (
            np.concatenate([own[part] for own in members]) for part in (np.s_[:1000], np.s_[-100:])
        )
        return {
            "train": (train[first], labels[first]),
            "val": (train[last], labels[last]),
            "test": (test, answers),
        }
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(pixels))
    own = [order[digits.target[order] == label] for label in range(10)]
    cuts = {"train": np.s_[:108], "val": np.s_[108:118], "test": np.s_[118:174]}
    return {
        part: (pixels[index], digits.target[index])
        for part, cut in cuts.items()
        for index in (np.concatenate([rows[cut] for rows in own]),)
    }


def imported(key: str, data: Path | None) -> Dataset:
    """The dataset of a trial, imported once a workspace."""
    trial = TRIALS[key]
    known = {summary.name: summary.id for summary in dataset.list_datasets()}
    if trial.name not in known:
        folder = Path(os.environ["GMAUG_HOME"]) / f"source-{key}"
        for number, (part, name, picture) in enumerate(pictures_of(key, data)):
            place = folder / part / name
            place.mkdir(parents=True, exist_ok=True)
            picture.save(place / f"{number:05d}.png")
        known[trial.name] = intake.import_path(folder, name=trial.name).dataset_id
    return dataset.load(known[trial.name])


def settings_of(key: str, data: Dataset) -> EquivalenceConfig:
    """The small preset with what the trial changes."""
    return equivalence_config(
        data.id,
        partial(splits.training_counts, data),
        image_size=data.image_size,
        colour=data.colour,
        symmetric=TRIALS[key].symmetric,
        overrides={"device": "cpu", **TRIALS[key].settings},
    )


def run(key: str, data_folder: Path | None) -> None:
    """Start the run, or go on with it, until it is finished; its document goes to results."""
    data = imported(key, data_folder)
    run_id = launch.submit(settings_of(key, data), data=data, token=f"benchmark-{key}".replace("_", "-"))
    paths = runs.find(run_id)
    if runs.read_status(paths).resumable:
        launch.resume(run_id)
    for status in _watched(paths):
        print(
            time.strftime("%H:%M:%S"),
            run_id,
            status.state,
            status.stage,
            status.step,
            status.total,
            flush=True,
        )
    found = EquivalenceResult.read(paths.result)
    _write(key, paths, found)


def _watched(paths: RunPaths) -> Iterator[Any]:
    """Its status now and then, until it ends."""
    said = 0.0
    while (status := runs.read_status(paths)).active:
        if time.monotonic() - said > 60:
            said = time.monotonic()
            yield status
        time.sleep(POLL_S)
    yield status


def so_far(key: str, data_folder: Path | None) -> None:
    """What the seeds that are whole say: the run with fewer seeds, of which every unit is there."""
    from gmaug_core.method.equivalence import measure
    from gmaug_core.method.equivalence.study import Study

    data = imported(key, data_folder)
    paths = runs.list_runs("equivalence", data.id)[0]
    config = RunConfigFile.read(paths.config).settings_as(EquivalenceConfig)
    whole: Study | None = None
    for seeds in range(2, config.seeds + 1):
        fewer = config.model_copy(update={"seeds": seeds})
        study = Study.prepare(fewer, data, paths.folder)
        if not study.pools_are_there() or study.missing():
            break
        whole = study
    print(f"{whole.config.seeds if whole else 'fewer than 2'} of {config.seeds} seeds are whole", flush=True)
    if whole:
        _write(key, paths, measure.document(whole, whole.measure()))


def _write(key: str, paths: RunPaths, found: EquivalenceResult) -> None:
    document = found.to_dict()
    del document["run"], document["dataset"]
    settings = RunConfigFile.read(paths.config).settings.model_dump(mode="json")
    write_json(
        RESULTS / f"equivalence_{key}.json",
        {"machine": machine(), "published_c2": PUBLISHED_C2, "settings": settings, **document},
    )
    for row in found.exchange:
        if row.measure == found.measure and row.measured:
            print(
                row.base, row.source, row.way, row.synthetic, row.real, row.low, row.high, round(row.gain, 2)
            )
    for form in found.published:
        if form.measure == found.measure:
            print(form.source, "k", form.k, "c1", form.c1, "c2", form.c2, form.base_effect)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "so-far"))
    parser.add_argument("dataset", choices=sorted(TRIALS))
    parser.add_argument("data", nargs="?", type=Path)
    args = parser.parse_args()
    (run if args.what == "run" else so_far)(args.dataset, args.data)


if __name__ == "__main__":
    main()
