"""Run folders made by hand for tests and screenshots: invented figures, never the result of an experiment."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import equivalence_fixture
import numpy as np
import pandas as pd
import verdict_fixture
from nowhere import Nowhere
from PIL import Image

from gmaug_core import runs, workspace
from gmaug_core.config import (
    SimilarityConfig,
    VerdictConfig,
    augmentation_config,
    equivalence_config,
)
from gmaug_core.data import dataset, samples, splits
from gmaug_core.data.demo import make_demo
from gmaug_core.files import write_json
from gmaug_core.method.predictions import Predictions
from gmaug_core.method.result import AugmentationResult
from gmaug_core.models import selection
from gmaug_core.runs import RunPaths, launch
from gmaug_core.scoring.advice import advise
from gmaug_core.scoring.paper import paper_law
from gmaug_core.scoring.result import SimilarityResult

SEEDS = [0, 1, 2]
STORED = {"median": 128.0, "least": 128, "side": 128, "enlarged": 0.0}  # as if the digits were photographs
STAGES = {  # seconds
    "decode": 0.4,
    "score": 2.1,
    "generator": 84.0,
    "baseline": 30.0,
    "sample-1": 9.0,
    "retrain-1": 31.0,
    "controls": 40.0,
}


def make_run(
    dataset_id: str,
    *,
    state: str = "finished",
    kind: str = "augmentation",
    token: str | None = None,
    per_class: int = 30,
    settings: Mapping[str, object] | None = None,
) -> RunPaths:
    """A run of `dataset_id` in a given state: queued, running, finished, failed, cancelled or lost; settings:
    of an augmentation run, beside the preset's.

    running needs somebody who holds the lock: use `with locks.locked(paths.lock)`.
    """
    data = dataset.load(dataset_id)
    grouping = workspace.groupings.names(data)[0]
    config: Any
    if kind in ("augmentation", "verdict"):
        config = augmentation_config(
            dataset_id,
            image_size=data.image_size,
            colour=data.colour,
            symmetric=data.symmetric,
            overrides={"grouping": grouping, **(settings or {})},
        )
        if kind == "verdict":
            config = VerdictConfig.about(config)
    elif kind == "equivalence":
        config = equivalence_config(
            dataset_id,
            partial(splits.training_counts, data),
            image_size=data.image_size,
            colour=data.colour,
            overrides={"grouping": grouping, "base_sizes": [2], "real": [1, 2]},
        )
    else:
        config = SimilarityConfig(dataset=dataset_id, grouping=grouping)
    paths = runs.RunPaths(runs.root() / launch.submit(config, token=token, where=Nowhere()))
    now = time.time()
    begun = {"created": now - 240, "started": now - 238, "attempt": 1, "progress_at": now}
    if state == "queued":
        return paths
    _write_metrics(paths, data, kind, whole=state == "finished")
    if kind == "augmentation":
        _write_grids(paths, data)
        if state == "finished":
            _write_samples(paths, data, per_class)
    stage = ("generator", 31, 60, 41.0) if kind == "augmentation" else ("similarity", 700, 1200, 2.0)
    if kind == "equivalence":
        stage = ("trainings", 70, 126, 300.0)
    status: dict[str, Any] = {"stage": stage[0], "step": stage[1], "total": stage[2], "eta_s": stage[3]}
    status["stages"] = {"decode": 0.4, "score": 2.1} if kind == "augmentation" else {"decode": 0.4}
    paths.log.write_text(
        "2026-11-20 10:00:00,000 attempt 1 begins\n2026-11-20 10:00:03,100 stage generator\n"
    )
    if state == "finished":
        if kind == "augmentation":
            augmentation_result(paths, data).write(paths.result)
            _predictions(data).write(paths.folder / Predictions.FILE)
        elif kind == "verdict":
            verdict_fixture.verdict(run=paths.id, dataset=data.id).write(paths.result)
        elif kind == "equivalence":
            equivalence_fixture.equivalence(run=paths.id, dataset=data.id).write(paths.result)
        else:
            write_json(paths.result, {"run": paths.id, "kind": kind, **similarity_result(data, paths)})
        status = {
            "stage": "quality" if kind == "augmentation" else "similarity",
            "step": 1,
            "total": 1,
            "eta_s": None,
            "stages": STAGES if kind == "augmentation" else {"similarity": 2.0},
            "ended": now,
        }
    elif state == "failed":
        status["error"] = {
            "what": "the loss became infinite at 31 kimg",
            "expected": "finite losses",
            "todo": "resume with a smaller lr",
        }
    written = {"running": "running", "lost": "running"}.get(state, state)
    if state in ("failed", "cancelled"):
        status["ended"] = now
    write_json(paths.status, {**runs.Status.new().to_dict(), **begun, **status, "state": written})
    return paths


def make_score(dataset_id: str, grouping: str, value: float, *, profile: str = "paper") -> RunPaths:
    """A finished similarity run under a grouping whose SSIM-supSubCls is `value`."""
    config = SimilarityConfig(dataset=dataset_id, grouping=grouping, profile=profile)
    token = f"{grouping}-{value:.2f}-{profile}".replace(".", "-").replace(" ", "-")
    paths = runs.find(launch.submit(config, token=token, where=Nowhere()))
    now = time.time()
    result = similarity_result(dataset.load(dataset_id), paths)
    result["profile"] = profile
    result["ssim_supsubcls"] |= {"value": value, "ci_low": value - 0.01, "ci_high": value + 0.01}
    write_json(paths.result, result)
    status = {"created": now - 9, "started": now - 8, "ended": now, "progress_at": now, "attempt": 1}
    write_json(paths.status, {**runs.Status.new().to_dict(), **status, "state": "finished"})
    return paths


def _digits(data: dataset.Dataset) -> np.ndarray:
    return np.asarray(data.images(f"{16 if data.image_size <= 16 else 32}-{data.colour}"))


def _write_metrics(paths: RunPaths, data: dataset.Dataset, kind: str, *, whole: bool) -> None:
    random = np.random.default_rng(1)
    groups = runs.RunConfigFile.read(paths.config).grouping
    rows: list[dict[str, Any]] = []
    values = {name: 0.25 + 0.2 * random.random() for name in groups}
    last = 24 if whole or kind == "augmentation" else 14
    for k in range(1, last + 1):
        width = 0.09 / np.sqrt(k)
        sets = [
            {
                "name": name,
                "value": (v := value + random.normal(0, width / 3)),
                "ci_low": v - width,
                "ci_high": v + width,
                "pairs": 50 * k,
            }
            for name, value in values.items()
        ]
        stage = "score" if kind == "augmentation" else "similarity"
        rows.append(
            {
                "stage": stage,
                "step": 50 * k,
                "total": 1200,
                "sets": sets,
                "pairs_per_s": 24000 + random.normal(0, 900),
            }
        )
    if kind == "augmentation":
        rows += [
            {
                "stage": "generator",
                "step": k,
                "total": 60,
                "kimg": float(k),
                "loss": 0.9 * k**-0.35 + random.normal(0, 0.01),
                "img_per_s": 640 + random.normal(0, 20),
            }
            for k in range(1, 61 if whole else 32)
        ]
        if whole:
            for variant in ("baseline", "augmented", "oversampling"):
                for seed in SEEDS:
                    stage = {"baseline": "baseline", "augmented": "retrain-1"}.get(variant, "controls")
                    rows += [
                        {
                            "stage": stage,
                            "step": s,
                            "total": 400,
                            "variant": variant,
                            "seed": seed,
                            "val_accuracy": 0.95 - 0.7 * np.exp(-s / 90),
                        }
                        for s in range(50, 401, 50)
                    ]
            rows.append(
                {
                    "stage": "sample-1",
                    "step": 600,
                    "total": 600,
                    "drawn": 600,
                    "accepted": 540,
                    "rejected": 60,
                }
            )
    start = time.time() - 200
    with paths.metrics.open("w") as file:
        for k, row in enumerate(rows):
            file.write(json.dumps({"time": start + k, "attempt": 1, **row}) + "\n")


def _write_grids(paths: RunPaths, data: dataset.Dataset) -> None:
    folder = paths.checkpoints / "generator"
    folder.mkdir(parents=True, exist_ok=True)
    images = _digits(data)
    for kimg, noise in ((10, 70), (20, 35), (30, 12)):
        random = np.random.default_rng(kimg)
        rows = []
        for label in range(len(data.class_names)):
            of_class = np.flatnonzero(data.labels == label)
            picked = images[of_class[random.integers(0, len(of_class), 8)]].astype(float)
            rows.append(np.concatenate(list(picked + random.normal(0, noise, picked.shape)), axis=1))
        Image.fromarray(np.clip(np.concatenate(rows), 0, 255).astype(np.uint8)).save(
            folder / f"grid-{kimg}.0.png"
        )


def _write_samples(paths: RunPaths, data: dataset.Dataset, per_class: int) -> None:
    """ "Synthetic" images: real ones with noise, judged by invented logits."""
    random = np.random.default_rng(5)
    images, classes = _digits(data), len(data.class_names)
    sample = 0
    for step in (1, 2):
        labels = np.repeat(np.arange(classes), per_class if step == 1 else per_class // 2)
        chosen = np.array([random.choice(np.flatnonzero(data.labels == label)) for label in labels])
        noisy = images[chosen].astype(float) + random.normal(0, 14, images[chosen].shape)
        draw_seeds = random.integers(0, 2**31, len(labels))
        tables = []
        for seed in SEEDS:
            logits = random.normal(0, 1.2, (len(labels), classes))
            logits[np.arange(len(labels)), labels] += random.normal(5.5, 2.2, len(labels))
            verdict = selection.select(logits, labels, threshold=0.9, mode="probability")
            tables.append(
                pd.DataFrame(
                    {
                        "sample": sample + np.arange(len(labels)),
                        "step": step,
                        "seed": seed,
                        "label": labels,
                        "class": [data.class_names[label] for label in labels],
                        "draw_seed": draw_seeds,
                        "logit": logits[np.arange(len(labels)), labels],
                        "probability": selection.probabilities(logits)[np.arange(len(labels)), labels],
                        "predicted": verdict.predicted,
                        "accepted": verdict.accepted,
                        "reason": verdict.reason,
                    }
                )
            )
        sample += len(labels)
        samples.write_step(
            paths.samples, step, np.clip(noisy, 0, 255).astype(np.uint8), pd.concat(tables, ignore_index=True)
        )


def _measure(centre: float, label: str, n: int, spread: float = 0.006) -> dict[str, Any]:
    random = np.random.default_rng(int(centre * 1e6))
    found: dict[str, Any] = {"label": label}
    for name, shift in (("accuracy", 0.0), ("balanced_accuracy", -0.012)):
        values = (centre + shift + random.normal(0, spread, len(SEEDS))).tolist()
        mean = float(np.mean(values))
        found[name] = {
            "mean": mean,
            "ci_low": mean - 2.2 * spread,
            "ci_high": mean + 2.2 * spread,
            "values": values,
            "n": n,
        }
    return found


def _passed(share: float, n: int) -> dict[str, Any]:
    return {"share": share, "ci_low": share - 0.05, "ci_high": share + 0.05, "n": n}


def _amounts(n: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What validation chose, and accuracy after each amount."""
    doses = [
        {
            "amount": amount,
            "added": 700 * amount,
            "real": 560,
            "validation": _measure(0.95 + gain / 90, "", 300)["accuracy"],
            "test": _measure(0.949 + gain / 100, "", n)["accuracy"],
            "points": gain,
            "points_low": gain - 1.1,
            "points_high": gain + 1.1,
        }
        for amount, gain in ((0.0, 0.0), (0.25, 0.4), (1.0, 0.9), (4.0, 0.2))
    ]
    choice = {"none": False, "amount": 1.0, "use": "fill", "weight": 1.0, "second_stage": "none"}
    choice |= {"validation_with": 0.961, "validation_without": 0.955}
    words = "Use them, 1 times what the classes are short of, fill: 96.10 % with, 95.50 % without."
    return choice | {"words": words}, doses


def _predictions(data: dataset.Dataset) -> Predictions:
    """Of the test images: one in seven is wrong before, one in nine after, by one class."""
    numbers = np.flatnonzero(data.splits == "test")
    label, classes = data.labels[numbers], len(data.class_names)
    before, after = (
        np.where(np.arange(len(numbers)) % every == 0, (label + 1) % classes, label) for every in (7, 9)
    )
    return Predictions.new(
        dataset_version=data.version,
        seed=0,
        images=tuple(numbers.tolist()),
        label=tuple(label.tolist()),
        before=tuple(before.tolist()),
        after=tuple(after.tolist()),
        control="baseline",
        augmented="augmented",
    )


def augmentation_result(paths: RunPaths, data: dataset.Dataset) -> AugmentationResult:
    """A plausible finished result for this dataset."""
    random = np.random.default_rng(3)
    rows = samples.table(paths.samples, seed=0)
    config = runs.RunConfigFile.read(paths.config).to_dict()
    settings = config["settings"]
    classes = list(data.class_names)
    n = {
        name: {
            split: int(((data.labels == k) & (data.splits == split)).sum())
            for split in ("train", "val", "test")
        }
        for k, name in enumerate(classes)
    }
    total_test = sum(item["test"] for item in n.values()) or 50
    total_val = sum(item["val"] for item in n.values()) or 50
    law = paper_law()
    gain, low, high = law.predict(0.431)
    advice = advise(0.431)
    accepted = {name: int(rows[(rows["class"] == name) & rows["accepted"]].shape[0]) for name in classes}
    rejected = {name: int(rows[(rows["class"] == name) & ~rows["accepted"]].shape[0]) for name in classes}
    baseline, augmented = _measure(0.953, "Baseline", total_test), _measure(0.961, "Augmented", total_test)
    controls = {
        "unfiltered": _measure(0.957, "Unfiltered synthetic", total_test),
        "oversampling": _measure(0.9555, "Oversampling", total_test),
        "class_balanced_loss": _measure(0.954, "Class-balanced loss", total_test),
    }

    def against(control: str, other: dict[str, Any]) -> dict[str, Any]:
        pairs = zip(augmented["accuracy"]["values"], other["accuracy"]["values"], strict=True)
        values = [100 * (a - b) / b for a, b in pairs]
        mean = float(np.mean(values))
        return {
            "value": mean,
            "ci_low": mean - 1.4,
            "ci_high": mean + 1.4,
            "values": values,
            "n": total_test,
            "n_seeds": len(SEEDS),
            "control": control,
        }

    choice, doses = _amounts(total_test)
    document = {
        "run": paths.id,
        "kind": "augmentation",
        "choice": choice,
        "doses": doses,
        "real_acceptance": {
            "total": _passed(0.71, total_val),
            "per_class": {
                name: _passed(0.9 - 0.04 * k, n[name]["val"] or 5) for k, name in enumerate(classes)
            },
        },
        "judge": {"kind": "plain", "folds": None, "temperatures": [1.4, 1.52, 1.37]},
        "schema": AugmentationResult.SCHEMA,
        "status": "measured",
        "status_words": "",
        "dataset": data.id,
        "dataset_name": data.name,
        "preset": settings["preset"],
        "generator": {
            "name": settings["generator"]["name"],
            "closed_set": True,
            "seconds": 84.0,
            "img_per_s": 640.0,
        },
        "classifier": {**settings["classifier"], "parameters": 175000},
        "seeds": SEEDS,
        "splits": {split: sum(item[split] for item in n.values()) for split in ("train", "val", "test")},
        "score": {
            "profile": "paper",
            "stored": STORED,
            "argmax": next(iter(config["grouping"])),
            "ssim_supsubcls": {
                "value": 0.431,
                "ci_low": 0.421,
                "ci_high": 0.44,
                "pairs": 800,
                "exact": False,
                "bias": 0.0015,
                "bias_corrected": 0.4295,
                "argmax_certain": True,
                "name": next(iter(config["grouping"])),
                "runner_up": "straight",
                "gap": 0.05,
            },
            "ssim_mergecls": {
                "n": sum(item["train"] for item in n.values()),
                "value": 0.31,
                "ci_low": 0.302,
                "ci_high": 0.318,
                "pairs": 800,
                "exact": False,
                "approximate": False,
                "se": 0.004,
            },
        },
        "predicted": {
            "gain_percent": gain,
            "low": low,
            "high": high,
            "advice": {"verdict": advice.verdict, "text": advice.text},
        },
        "baseline": baseline,
        "augmented": augmented,
        "controls": controls,
        "relative_gain_percent": against("baseline", baseline),
        "gains": {key: against(key, value) for key, value in {"baseline": baseline, **controls}.items()},
        "per_class": [
            {
                "class": name,
                "train": n[name]["train"],
                "test": n[name]["test"],
                "synthetic": accepted[name],
                **{
                    key: float(np.clip(base + random.normal(0.01, 0.02), 0, 1))
                    for key, base in (
                        ("baseline", 0.985 - 0.012 * k),
                        ("augmented", 0.985 - 0.006 * k),
                        ("unfiltered", 0.985 - 0.009 * k),
                        ("oversampling", 0.985 - 0.01 * k),
                        ("class_balanced_loss", 0.985 - 0.011 * k),
                    )
                },
            }
            for k, name in enumerate(classes)
        ],
        "accepted": {"total": sum(accepted.values()), "per_class": accepted},
        "rejected": {
            "total": sum(rejected.values()),
            "per_class": rejected,
            "reasons": {str(k): int(v) for k, v in rows[~rows["accepted"]]["reason"].value_counts().items()},
        },
        "steps": [
            {
                "seed": seed,
                "step": step,
                "chosen": "mix",
                "val_before": 0.951,
                "val_after": 0.951 + 0.008 / step,
                "went_on": step == 1,
                "wanted": 400,
                "accepted": 380,
                "drawn": 450,
                "accepted_per_draw": 380 / 450,
                "short": {classes[-1]: 20} if step == 1 else {},
            }
            for seed in SEEDS
            for step in (1, 2)
        ],
        "quality": {
            "n_real": 241,
            "n_synthetic": 320,
            "fd": 14.2,
            "kid": 0.031,
            "memorised_share": 0.01,
            "precision": 0.82,
            "recall": 0.74,
            "real_vs_synthetic_auc": 0.71,
            "auc_n": 241,
        },
        "warnings": [f"class '{classes[-1]}' reached 80 of 100 images within the draw budget"],
    }
    return AugmentationResult.parse(document)


def similarity_result(data: dataset.Dataset, paths: RunPaths) -> dict[str, Any]:
    """A plausible finished score."""
    groups = runs.RunConfigFile.read(paths.config).grouping
    value = {name: 0.431 - 0.05 * k for k, name in enumerate(groups)}

    def mean(n: int, value: float, pairs: int, exact: bool = False) -> dict[str, Any]:
        ends = {"ci_low": value - 0.011, "ci_high": value + 0.011, "se": 0.0056}
        return {"n": n, "value": value, "pairs": pairs, "exact": exact, "approximate": False, **ends}

    rows = [
        {"name": name, **mean(sum(data.counts[sub] for sub in subs), value[name], 400, k == 2)}
        for k, (name, subs) in enumerate(groups.items())
    ]
    names = list(groups)
    first, second = names[0], names[min(1, len(names) - 1)]
    classes = list(groups[first])
    places = range(len(classes))
    score = SimilarityResult.new(
        run=paths.id,
        ssim_mergecls=mean(sum(data.counts.values()), 0.31, 800),
        ssim_supsubcls={
            "value": 0.431,
            "ci_low": 0.421,
            "ci_high": 0.44,
            "pairs": 400,
            "exact": False,
            "name": first,
            "bias": 0.0015,
            "bias_corrected": 0.4295,
            "argmax_certain": True,
            "runner_up": second,
            "gap": 0.05,
        },
        super_classes=rows,
        not_scored=[],
        argmax=first,
        profile="paper",
        seed=0,
        seconds=2.0,
        stopped=False,
        known={},
        stored=STORED,
        explanation={
            "most_similar": {
                "pairs": [{"i": 2 * k, "j": 2 * k + 1, "value": 0.9 - 0.02 * k} for k in range(8)],
                "exact": False,
                "searched": 100_000,
            },
            "matrix": {
                "classes": classes,
                "n": [data.counts[name] for name in classes],
                "pairs": [[100 for _ in places] for _ in places],
                "profile": "paper",
                "seed": 0,
                "mean": [[0.4 - 0.02 * abs(a - b) for b in places] for a in places],
                "se": [[0.002 for _ in places] for _ in places],
            },
            "leave_one_out": [
                {
                    "name": sub,
                    "super_class": first,
                    "n": data.counts[sub],
                    "without": 0.43,
                    "supsub": 0.431 - 0.004 * k,
                    "change": -0.004 * k,
                }
                for k, sub in enumerate(classes)
            ],
        },
    )
    return score.to_dict()


def write_fixture(home: Path) -> str:
    """The demo dataset with a finished run of each kind; the id of the augmentation run.

    For looking at pages.
    """
    made = make_demo()
    make_run(made, kind="similarity", token="fixture-score")
    return make_run(made, token="fixture-augment").id
