"""THE METHOD, GM-augCls (paper A, section 3.4 and figure 5), readable from top to bottom: `run` is the paper.

    split -> score and prediction -> baseline classifier C, a seed -> generator, once
    -> draw, keep what C accepts, retrain C' on real + kept, go on while validation improves
    -> the same without the filter, and step-matched controls -> compare on the test split.

What differs from the authors' scripts, and why: the split is three-way (validation chooses, the test split is looked at
once); every variant gets the same number of SGD steps, the same augmentation and the same initial weights; controls stand
beside the baseline; several seeds, with intervals.

Every finished unit of work (a trained classifier, a step's samples) is a file below out_dir, and every unit depends only on
the config and its own name. So a run that was killed is started again, skips what is there, and ends with the same result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import stats

from gmaug_core.config import CHANNELS, AugmentationConfig, Profile, image_format
from gmaug_core.data import samples
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.splits import three_way_split
from gmaug_core.errors import Stopped
from gmaug_core.files import read_json, write_json
from gmaug_core.hooks import Report, ShouldStop, never, no_report, under
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.variants import CONTROLS, VARIANTS
from gmaug_core.models import classifiers, generators, quality, selection
from gmaug_core.models.classifiers import Classifier, Evaluation
from gmaug_core.models.inception import Inception
from gmaug_core.scoring import similarity
from gmaug_core.scoring.law import paper_law
from gmaug_core.seeds import derive


def run(
    config: AugmentationConfig,
    data: Dataset,
    grouping: Mapping[str, Sequence[str]],
    *,
    out_dir: Path,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> AugmentationResult:
    """Do the whole experiment, or what is left of it, below out_dir, the run's folder. Returns the result document.

    Raises InputError when the dataset cannot be split; Stopped after should_stop(), with everything finished so far kept.
    """
    lab = Lab.prepare(config, data, out_dir, report, should_stop)
    inception = (
        Inception(config.inception, str(lab.device)) if config.inception else None
    )  # a wrong file fails now
    score = measure_score(lab, grouping)

    # 1. A classifier C on the real images alone, a seed. It is the baseline, the first judge, and the generator's examiner.
    judges = {seed: lab.train_classifier("baseline", "baseline", seed, lab.real()) for seed in lab.seeds}
    lab.train_generator(judges[lab.seeds[0]])

    # 2. Draw, select, retrain; go on while validation improves by more than the tolerance.
    validation = {seed: lab.evaluate(judges[seed], "val").accuracy for seed in lab.seeds}
    chosen: dict[int, Candidate] = {}
    steps: list[dict[str, Any]] = []
    going = list(lab.seeds)
    for step in range(1, config.max_steps + 1):
        pool = lab.draw(step, {seed: judges[seed] for seed in going})
        still_going = []
        for seed in going:
            kept = pool.kept(seed)
            best = max(
                lab.retrain(step, seed, kept), key=lambda candidate: candidate.validation, default=None
            )
            steps.append(pool.account(seed) | {"val_before": validation[seed]})
            if best is None:  # the filter accepted nothing: there is nothing to train on
                steps[-1] |= {"chosen": None, "val_after": None, "went_on": False}
                continue
            improved = best.validation > validation[seed] + config.tolerance
            steps[-1] |= {
                "chosen": best.use,
                "val_after": best.validation,
                "went_on": improved and step < config.max_steps,
            }
            if seed not in chosen or best.validation > chosen[seed].validation:
                chosen[seed] = best
            if improved:
                judges[seed], validation[seed] = best.classifier, best.validation
                still_going.append(seed)
        going = still_going
        if not going:
            break

    # 3. Controls: the ablation without the filter, and what one would do without a generator.
    first_pool = lab.draw(1, {})
    variants: dict[str, dict[int, Evaluation]] = {name: {} for name in VARIANTS}
    for seed in lab.seeds:
        baseline = lab.train_classifier("baseline", "baseline", seed, lab.real())
        variants["baseline"][seed] = lab.evaluate(baseline, "test")
        augmented = chosen[seed].classifier if seed in chosen else baseline
        variants["augmented"][seed] = lab.evaluate(augmented, "test")
        use = chosen[seed].use if seed in chosen else config.use[0]
        unfiltered = lab.train_classifier(
            "controls", "unfiltered", seed, lab.with_synthetic(use, first_pool.first_drawn())
        )
        variants["unfiltered"][seed] = lab.evaluate(unfiltered, "test")
        oversampled = lab.train_classifier("controls", "oversampling", seed, lab.oversampled())
        variants["oversampling"][seed] = lab.evaluate(oversampled, "test")
        weighted = lab.train_classifier(
            "controls", "class_balanced_loss", seed, lab.real(class_balanced=True)
        )
        variants["class_balanced_loss"][seed] = lab.evaluate(weighted, "test")

    # 4. Compare on the test split, which nothing above has looked at.
    return compare(lab, score, variants, steps, first_pool, inception)


# --- the material of an experiment ---


@dataclass
class TrainingSet:
    """What a classifier is trained on: images, labels, and how often each is drawn."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    draw_weights: NDArray[np.float64] | None = None
    class_weights: NDArray[np.float64] | None = None


@dataclass
class Candidate:
    """A classifier retrained on real + kept, and how it did on validation."""

    use: str
    classifier: Classifier
    validation: float


@dataclass
class Synthetic:
    """Synthetic images by class, in the order in which they were drawn."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass
class Pool:
    """Everything drawn in one step: images, and one verdict an image and judge (columns of samples.COLUMNS)."""

    step: int
    images: NDArray[np.uint8]
    table: pd.DataFrame
    wanted: NDArray[np.int64]
    class_names: tuple[str, ...]

    def verdicts(self, seed: int) -> pd.DataFrame:
        return self.table[self.table["seed"] == seed].sort_values("sample", kind="stable")

    def _take(self, rows: pd.DataFrame) -> Synthetic:
        """The first `wanted` rows of each class."""
        place = rows.groupby("label").cumcount().to_numpy()
        rows = rows[place < self.wanted[rows["label"].to_numpy(int)]]
        first = self.table["sample"].min() if len(self.table) else 0
        return Synthetic(self.images[rows["sample"].to_numpy(int) - first], rows["label"].to_numpy(np.int64))

    def kept(self, seed: int) -> Synthetic:
        """What this judge accepted, up to what each class was short of."""
        rows = self.verdicts(seed)
        return self._take(rows[rows["accepted"]])

    def first_drawn(self) -> Synthetic:
        """The first draws of each class, whatever a judge said: the ablation's images."""
        return self._take(self.table.drop_duplicates("sample").sort_values("sample", kind="stable"))

    def account(self, seed: int) -> dict[str, Any]:
        """wanted, drawn, accepted, accepted a draw (0..1), and which classes stayed short, for one judge."""
        rows = self.verdicts(seed)
        accepted = np.bincount(rows.loc[rows["accepted"], "label"].to_numpy(int), minlength=len(self.wanted))
        short = {
            name: int(w - a)
            for name, w, a in zip(self.class_names, self.wanted, accepted, strict=True)
            if a < w
        }
        numbers = {"wanted": int(self.wanted.sum()), "drawn": len(rows), "accepted": int(accepted.sum())}
        rate = numbers["accepted"] / len(rows) if len(rows) else None
        return {"seed": seed, "step": self.step, **numbers, "accepted_per_draw": rate, "short": short}


@dataclass
class Lab:
    """The dataset prepared for one config, and the units of work on it, each remembered as a file."""

    config: AugmentationConfig
    data: Dataset
    out_dir: Path
    report: Report
    should_stop: ShouldStop
    images: NDArray[np.uint8]
    split: dict[str, NDArray[np.int64]]
    device: torch.device
    generator: generators.Generator | None = None
    generator_figures: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def prepare(
        cls, config: AugmentationConfig, data: Dataset, out_dir: Path, report: Report, should_stop: ShouldStop
    ) -> Lab:
        report("decode", 0, len(data))
        split = three_way_split(
            data.labels, data.splits, data.class_names, content=data.content, seed=config.seed
        )
        images = data.images(
            image_format(config.generator.resolution, config.generator.colour),
            report=under(report, "decode"),
            should_stop=should_stop,
        )
        report("decode", len(data), len(data))
        name = ("cuda" if torch.cuda.is_available() else "cpu") if config.device == "auto" else config.device
        return cls(config, data, out_dir, report, should_stop, np.asarray(images), split, torch.device(name))

    @property
    def seeds(self) -> list[int]:
        return [self.config.seed + offset for offset in range(self.config.seeds)]

    @property
    def classes(self) -> int:
        return len(self.data.class_names)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Real training images a class."""
        return np.bincount(self.data.labels[self.split["train"]], minlength=self.classes)

    @property
    def wanted(self) -> NDArray[np.int64]:
        """Synthetic images that each class is short of the target."""
        target = self.config.target or int(self.counts.max())
        return np.maximum(target - self.counts, 0)

    @property
    def feedback(self) -> bool:
        """Whether a judge steers sampling."""
        return getattr(self.config.generator, "feedback", "none") != "none"

    # training sets

    def real(self, class_balanced: bool = False) -> TrainingSet:
        index = self.split["train"]
        weights = classifiers.class_balanced_weights(self.counts) if class_balanced else None
        return TrainingSet(self.images[index], self.data.labels[index], class_weights=weights)

    def oversampled(self) -> TrainingSet:
        """Rare classes drawn as often as they would be with the target number of images."""
        real = self.real()
        filled = self.counts + self.wanted
        return TrainingSet(real.images, real.labels, (filled / np.maximum(self.counts, 1))[real.labels])

    def with_synthetic(self, use: str, synthetic: Synthetic) -> TrainingSet:
        """fill: real and synthetic images drawn alike. mix: each class is drawn as often as its target says, and of the
        draws of a class that got synthetic images the share `config.mix` is synthetic (never more than in fill)."""
        real = self.real()
        images = np.concatenate([real.images, synthetic.images])
        labels = np.concatenate([real.labels, synthetic.labels])
        if use == "fill":
            return TrainingSet(images, labels)
        made = np.bincount(synthetic.labels, minlength=self.classes)
        share = np.minimum(self.config.mix, made / np.maximum(made + self.counts, 1))
        filled = (self.counts + self.wanted).astype(float)
        real_weight = filled * (1 - share) / np.maximum(self.counts, 1)
        synthetic_weight = filled * share / np.maximum(made, 1)
        return TrainingSet(
            images, labels, np.concatenate([real_weight[real.labels], synthetic_weight[synthetic.labels]])
        )

    # units of work

    def train_generator(self, examiner: Classifier) -> None:
        """Once a run, on the imbalanced training split; the examiner's features show how good it is as it trains.
        Finished: its folder holds the model."""
        folder = self.out_dir / "checkpoints" / "generator"
        done = folder / "figures.json"
        if done.exists():
            self.generator, self.generator_figures = generators.load(folder), read_json(done)
            return
        self.generator = generators.create(self.config.generator)
        real = self.real()

        def look(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            return examiner.features(images), examiner.predict_logits(images)

        self.generator_figures = self.generator.train(
            real.images,
            real.labels,
            self.data.class_names,
            folder,
            seed=derive("generator", self.config.seed),
            device=str(self.device),
            report=self.report,
            should_stop=self.should_stop,
            assess=quality.Assessment(look, real.images, real.labels, self.classes),
        )
        self.generator.save(folder)
        write_json(done, self.generator_figures)

    def train_classifier(self, stage: str, name: str, seed: int, training: TrainingSet) -> Classifier:
        """The classifier of this name and seed: trained, or loaded when it was trained before."""
        config = self.config.classifier
        path = self.out_dir / "checkpoints" / f"classifier-{name}-{seed}.safetensors"
        if path.exists():
            return classifiers.load(path, self.classes, config, self.device)
        self.report(stage, 0, config.steps, variant=name, seed=seed)
        classifier = classifiers.train(
            training.images,
            training.labels,
            self.classes,
            config,
            seed=seed,
            draw_weights=training.draw_weights,
            class_weights=training.class_weights,
            normalise_on=self.images[self.split["train"]],
            checkpoint=path.with_suffix(".training"),
            device=self.device,
            report=under(self.report, stage, variant=name, seed=seed),
            should_stop=self.should_stop,
        )
        classifier.save(path)
        return classifier

    def evaluate(self, classifier: Classifier, split: str) -> Evaluation:
        index = self.split[split]
        return classifier.evaluate(self.images[index], self.data.labels[index])

    def retrain(self, step: int, seed: int, kept: Synthetic) -> list[Candidate]:
        """C' on real + kept, once for each way of using them. Empty when nothing was kept."""
        if len(kept.labels) == 0:
            return []
        found = []
        for use in self.config.use:
            classifier = self.train_classifier(
                f"retrain-{step}", f"step{step}-{use}", seed, self.with_synthetic(use, kept)
            )
            found.append(Candidate(use, classifier, self.evaluate(classifier, "val").accuracy))
        return found

    def draw(self, step: int, judges: Mapping[int, Classifier]) -> Pool:
        """Sample every class short of the target until each judge has accepted enough, or the draw budget is spent.

        Image k of a class depends on (seed, step, class, k) alone; with generator.feedback also on the first judge, whose
        network then steers the sampling, for the other judges too. All images are stored with every judge's verdict.
        """
        folder = self.out_dir / "samples"
        if step in samples.steps(folder):
            table = samples.table(folder)
            return Pool(
                step,
                np.load(folder / f"step-{step}.npy"),
                table[table["step"] == step],
                self.wanted,
                self.data.class_names,
            )
        assert self.generator is not None
        wanted, stage = self.wanted, f"sample-{step}"
        steering = next((judge.judge() for judge in judges.values()), None) if self.feedback else None
        budget = np.ceil(wanted * self.config.draw_budget).astype(int)
        drawn = np.zeros(self.classes, int)
        accepted = {seed: np.zeros(self.classes, int) for seed in judges}
        first = sum(
            len(np.load(folder / f"step-{done}.npy", mmap_mode="r")) for done in samples.steps(folder)
        )
        images: list[NDArray[np.uint8]] = []
        rows: list[pd.DataFrame] = []
        while True:
            fewest = np.min([*accepted.values()], axis=0)
            short = np.maximum(wanted - fewest, 0)
            rate = np.clip(fewest / np.maximum(drawn, 1), 0.2, 1.0)
            ask = np.where(drawn == 0, np.ceil(short * 1.1), np.ceil(short / rate)).astype(int)
            ask = np.minimum(ask, budget - drawn) * (short > 0)
            if ask.sum() == 0:
                break
            labels = np.repeat(np.arange(self.classes), ask)
            number = np.concatenate([np.arange(drawn[c], drawn[c] + ask[c]) for c in range(self.classes)])
            seeds = np.array(
                [
                    derive("draw", self.config.seed, step, int(c), int(k))
                    for c, k in zip(labels, number, strict=True)
                ],
                np.int64,
            )
            batch = self._sample(
                stage, labels, seeds, int(drawn.sum()), int(wanted.sum()), accepted, steering
            )
            offset = first + int(drawn.sum())
            for seed, judge in judges.items():
                verdict = self._verdict(judge, batch, labels)
                rows.append(
                    verdict.assign(
                        sample=np.arange(offset, offset + len(labels)), step=step, seed=seed, draw_seed=seeds
                    )
                )
                accepted[seed] += np.bincount(labels[verdict["accepted"]], minlength=self.classes)
            images.append(batch)
            drawn += ask
        pool = np.concatenate(images) if images else self.images[:0]
        table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=samples.COLUMNS)
        samples.write_step(folder, step, pool, table)
        return Pool(step, pool, table, wanted, self.data.class_names)

    def _sample(
        self,
        stage: str,
        labels: NDArray[np.int64],
        seeds: NDArray[np.int64],
        before: int,
        wanted: int,
        accepted: Mapping[int, NDArray],
        judge: generators.Judge | None,
    ) -> NDArray[np.uint8]:
        assert self.generator is not None
        parts, kept = [], min(int(a.sum()) for a in accepted.values())
        for batch in self.generator.sample(labels, seeds, self.config.sampling_batch, judge=judge):
            parts.append(batch)
            drawn = before + sum(map(len, parts))
            self.report(stage, kept, wanted, drawn=drawn, accepted=kept, rejected=before - kept)
            if self.should_stop():
                raise Stopped
        return np.concatenate(parts)

    def _verdict(
        self, judge: Classifier, images: NDArray[np.uint8], labels: NDArray[np.int64]
    ) -> pd.DataFrame:
        logits = judge.predict_logits(images)
        rule = self.config.selection
        verdict = selection.select(logits, labels, threshold=rule.threshold, mode=rule.mode)
        own = np.arange(len(labels)), labels
        return pd.DataFrame(
            {
                "label": labels,
                "class": np.array(self.data.class_names, object)[labels],
                "logit": logits[own].astype(float),
                "probability": selection.probabilities(logits)[own],
                "predicted": verdict.predicted,
                "accepted": verdict.accepted,
                "reason": verdict.reason,
            }
        )


def measure_score(lab: Lab, grouping: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """SSIM-supSubCls of the training split at profile `paper`, and what the law predicts from it."""
    path = lab.out_dir / "checkpoints" / "score.json"
    if path.exists():
        return read_json(path)
    profile, index = Profile(), lab.split["train"]
    lab.report("score", 0, 1)
    score = similarity.measure(
        lab.data.images(profile.images, should_stop=lab.should_stop)[index],
        lab.data.labels[index],
        lab.data.class_names,
        {name: list(subs) for name, subs in grouping.items()},
        profile=profile,
        seed=lab.config.seed,
        report=under(lab.report, "score"),
        should_stop=lab.should_stop,
    )
    if score.stopped:
        raise Stopped
    score.write(path)
    return score.to_dict()


# --- statistics of the comparison ---


def interval(
    mean: float, seed_variance: float, seeds: int, image_variance: float, images: int
) -> tuple[float, float]:
    """95 % interval from two independent sources: seeds, and the finite test split (Welch-Satterthwaite degrees of freedom).

    seed_variance: of one seed's value; image_variance: of one test image's contribution.
    """
    a = seed_variance / seeds if seeds > 1 else 0.0
    b = image_variance / images
    total = a + b
    if total <= 0:
        return mean, mean
    degrees = total**2 / ((a**2 / (seeds - 1) if seeds > 1 else 0.0) + b**2 / max(images - 1, 1))
    half = float(stats.t.ppf(0.975, degrees)) * total**0.5
    return mean - half, mean + half


def _mean(values: Sequence[float], contributions: NDArray[np.float64]) -> dict[str, Any]:
    """values: one a seed; contributions: [seeds, images], whose mean over images is the value."""
    mean = float(np.mean(values))
    seed_variance = float(np.var(values, ddof=1)) if len(values) > 1 else 0.0
    low, high = interval(
        mean,
        seed_variance,
        len(values),
        float(np.var(contributions.mean(axis=0), ddof=1)),
        contributions.shape[1],
    )
    return {
        "mean": mean,
        "ci_low": low,
        "ci_high": high,
        "values": list(map(float, values)),
        "n": contributions.shape[1],
    }


def _share(values: Sequence[float], contributions: NDArray[np.float64]) -> dict[str, Any]:
    """_mean of values in 0..1, its interval no wider than that."""
    found = _mean(values, contributions)
    return found | {"ci_low": max(found["ci_low"], 0.0), "ci_high": min(found["ci_high"], 1.0)}


def summary(name: str, evaluations: Sequence[Evaluation], labels: NDArray[np.int64]) -> dict[str, Any]:
    """accuracy and balanced accuracy over seeds, each with its interval, values and n."""
    correct = np.array([e.correct for e in evaluations], float)
    # balanced accuracy is the mean of correct * w with w = images / (classes * images of the class)
    n = evaluations[0].n
    weight = len(labels) / ((n > 0).sum() * n[labels])
    return {
        "label": VARIANTS[name].label,
        "accuracy": _share([e.accuracy for e in evaluations], correct),
        "balanced_accuracy": _share([e.balanced_accuracy for e in evaluations], correct * weight),
    }


def relative_gain(
    augmented: Sequence[Evaluation], control: Sequence[Evaluation], name: str
) -> dict[str, Any]:
    """(augmented - control) / control in percent, paired by seed and test image. The control's accuracy is taken as known
    in the denominator (first-order delta method: the ratio's own error is small beside the difference's)."""
    a, c = np.array([e.correct for e in augmented], float), np.array([e.correct for e in control], float)
    base = float(c.mean())
    if base == 0:
        return {
            "value": None,
            "ci_low": None,
            "ci_high": None,
            "values": [],
            "n_seeds": len(a),
            "control": name,
        }
    ratio = 100 / base
    per_seed = (a - c).mean(axis=1) * ratio
    summarised = _mean(per_seed.tolist(), (a - c) * ratio)
    summarised["value"] = summarised.pop("mean")
    return summarised | {"n_seeds": len(a), "control": name}


def compare(
    lab: Lab,
    score: dict[str, Any],
    variants: Mapping[str, Mapping[int, Evaluation]],
    steps: list[dict[str, Any]],
    pool: Pool,
    inception: Inception | None = None,
) -> AugmentationResult:
    """The result document."""
    lab.report("quality", 0, 1)
    test_labels = lab.data.labels[lab.split["test"]]
    by_seed = {name: [evaluations[seed] for seed in lab.seeds] for name, evaluations in variants.items()}
    gains = {
        name: relative_gain(by_seed["augmented"], by_seed[name], name) for name in ("baseline", *CONTROLS)
    }
    verdicts = samples.table(lab.out_dir / "samples", seed=lab.seeds[0])
    accepted, rejected = (
        verdicts[verdicts["accepted"].astype(bool)],
        verdicts[~verdicts["accepted"].astype(bool)],
    )
    synthetic = np.bincount(pool.kept(lab.seeds[0]).labels, minlength=lab.classes)
    x = score["ssim_supsubcls"]["value"]
    predicted: dict[str, Any] | None = None
    if x is not None:
        found, merge = score["ssim_supsubcls"], score["ssim_mergecls"]["value"]
        advice = paper_law().advice(x, merge, interval=(found["ci_low"], found["ci_high"]))
        predicted = {"gain_percent": advice.gain, "low": advice.low, "high": advice.high}
        predicted["advice"] = {"verdict": advice.verdict, "text": advice.text}
    result = AugmentationResult.new(
        run=lab.out_dir.name,
        kind="augmentation",
        dataset=lab.data.id,
        dataset_name=lab.data.name,
        preset=lab.config.preset,
        generator={
            "name": lab.config.generator.name,
            "closed_set": lab.generator.closed_set if lab.generator else True,
        }
        | lab.generator_figures,
        classifier=classifiers.description(
            lab.config.classifier, CHANNELS[lab.config.generator.colour], lab.classes
        ),
        seeds=lab.seeds,
        splits={name: len(index) for name, index in lab.split.items()},
        score={key: score[key] for key in ("ssim_supsubcls", "ssim_mergecls", "argmax", "profile")},
        predicted=predicted,
        baseline=summary("baseline", by_seed["baseline"], test_labels),
        augmented=summary("augmented", by_seed["augmented"], test_labels),
        controls={name: summary(name, by_seed[name], test_labels) for name in CONTROLS},
        relative_gain_percent=gains["baseline"],
        gains=gains,
        per_class=[
            {
                "class": name,
                "train": int(lab.counts[label]),
                "test": int((test_labels == label).sum()),
                "synthetic": int(synthetic[label]),
                **{
                    variant: float(np.mean([e.recall[label] for e in by_seed[variant]]))
                    for variant in VARIANTS
                },
            }
            for label, name in enumerate(lab.data.class_names)
        ],
        accepted=_counted(accepted),
        rejected=_counted(rejected)
        | {"reasons": {str(k): int(v) for k, v in rejected["reason"].value_counts().items()}},
        steps=steps,
        quality=measure_quality(lab, pool, inception),
        warnings=warnings(lab, steps, accepted),
    )
    lab.report("quality", 1, 1)
    return result


def _counted(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "total": len(rows),
        "per_class": {str(name): int(n) for name, n in rows.groupby("class", sort=False).size().items()},
    }


def measure_quality(lab: Lab, pool: Pool, inception: Inception | None = None) -> dict[str, Any]:
    """Figures of the accepted images against the real training images of the same classes, in the first judge's features;
    with a person's Inception weights their FID as well."""
    judge = lab.train_classifier("quality", "baseline", lab.seeds[0], lab.real())
    kept, real = pool.kept(lab.seeds[0]), lab.real()
    same = np.isin(real.labels, np.unique(kept.labels))
    if len(kept.labels) == 0:
        return {"n_real": int(same.sum()), "n_synthetic": 0}
    found: dict[str, Any] = quality.metrics(
        judge.features(real.images[same]), judge.features(kept.images), seed=lab.config.seed
    )
    return found | (inception.fid(real.images[same], kept.images) if inception else {})


def warnings(lab: Lab, steps: list[dict[str, Any]], accepted: pd.DataFrame) -> list[str]:
    """What a careful reader must know about this result, in words."""
    found = []
    collapse = lab.generator_figures.get("collapse")
    if collapse:
        classes = ", ".join(collapse["classes"][:8]) + (" and more" if len(collapse["classes"]) > 8 else "")
        found.append(
            f"The generator collapsed: at {collapse['kimg']:g} kimg the images of {classes} had become nearly alike. Training ended "
            f"there, and the snapshot at {collapse['best_kimg']:g} kimg, the best one, was used."
            + (
                ""
                if collapse["conditional"]
                else " That snapshot did not know the classes yet: do not rely on its samples."
            )
        )
    if len(accepted) == 0:
        found.append(
            "The filter accepted nothing: the augmented classifier is the baseline. Lower selection.threshold."
        )
    if lab.feedback:
        settings: Any = lab.config.generator
        found.append(
            f"Sampling was steered by the first seed's classifier (feedback '{settings.feedback}', scale {settings.feedback_scale:g}): the "
            "acceptance of other seeds' judges is not independent of it, and the unfiltered control uses the same steered images."
        )
    short: dict[str, int] = {}
    for row in steps:
        for name, missing in row["short"].items():
            short[name] = max(short.get(name, 0), missing)
    if short and len(accepted):
        listed = ", ".join(
            f"{name} ({missing})" for name, missing in sorted(short.items(), key=lambda item: -item[1])[:8]
        )
        found.append(f"The draw budget ended before these classes were full (images missing): {listed}.")
    if lab.config.seeds < 3:
        found.append(
            f"Only {lab.config.seeds} seed(s): single results move by several points from seed to seed."
        )
    test = np.bincount(lab.data.labels[lab.split["test"]], minlength=lab.classes)
    few = [name for name, n in zip(lab.data.class_names, test, strict=True) if n < 10]
    if few:
        found.append(
            f"Fewer than 10 test images of: {', '.join(few[:8])}{' and more' if len(few) > 8 else ''}. Read their recall with care."
        )
    if not lab.wanted.any():
        found.append("Every class already has the target number of images: nothing was drawn.")
    found.append(
        "Intervals cover classifier seeds and the finite test split; the generator was trained once, so its own seed is not covered."
    )
    return found
