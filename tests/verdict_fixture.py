"""Verdicts made by hand for tests and screenshots: invented figures, never the result of a run."""

from __future__ import annotations

from gmaug_core.method.parts.material import SplitSizes
from gmaug_core.method.parts.synthetic import Passed
from gmaug_core.method.verdict import figures as f
from gmaug_core.method.verdict import result as v


def figure(value: float, half: float = 1.0) -> f.Figure:
    return f.Figure(value=value, low=value - half, high=value + half)


def passed(share: float, n: int) -> Passed:
    half = 1.96 * (share * (1 - share) / n) ** 0.5
    return Passed(share=share, ci_low=max(share - half, 0), ci_high=share + half, n=n)


def accuracies(share: float) -> f.Accuracies:
    return f.Accuracies(accuracy=share, balanced_accuracy=share - 0.03, tail_accuracy=share - 0.08)


def curve(of: str, learner: str, start: float) -> f.Curve:
    points = tuple(
        f.CurvePoint(
            growth=growth, images=int(2848 * growth), seeds=3, accuracies=accuracies(start + k * 0.03)
        )
        for k, growth in enumerate((0.125, 0.25, 0.5, 1.0))
    )
    fits = (
        f.Fit(form="offset power law", error=0.3, twice=1.5),
        f.Fit(form="piecewise linear in log n", error=0.4, twice=2.4),
    )
    return f.Curve(of=of, learner=learner, recipe="plain", points=points, fits=fits)


def projection(key: str, label: str, of: str, gain: float | None) -> f.Projection:
    return f.Projection(
        key=key,
        label=label,
        curve=of,
        growth=1.25,
        added=712,
        gain=None if gain is None else figure(gain),
        refused=None if gain is not None else "the curve does not rise",
        at_most=None if gain is None else gain + 1,
    )


def verdict(
    key: str = "train_longer", *, fast: bool = False, refused: bool = False, **changes: object
) -> v.Verdict:
    """A verdict of a dataset like flowers. fast: as in the first seconds; refused: no curve could be
    continued."""
    learner = "fast" if fast else "classifier"
    rungs = tuple(
        v.Rung(
            steps=steps,
            epochs=steps * 64 / 2848,
            seeds=2,
            accuracies=accuracies(val),
            training_accuracy=train,
        )
        for steps, val, train in ((400, 0.686, 0.705), (1600, 0.748, 0.84), (4800, 0.776, 0.97))
    )
    free = tuple(
        v.FreeRecipe(
            key=name,
            label=name,
            setting=setting,
            learner=learner,
            seeds=3,
            accuracies=accuracies(share),
            gain=figure(gain),
        )
        for name, setting, share, gain in (
            ("trivial_augment", "", 0.76, 1.3),
            ("posthoc_logit_adjustment", "tau 0.5", 0.752, 0.4),
            ("plain", "", 0.748, 0.0),
        )
    )
    gain = None if refused else 0.9
    document = v.Verdict.new(
        run="verdict-flowers-0000",
        dataset="flowers-00000000",
        dataset_name="flowers",
        preset="quick",
        size=32,
        splits=SplitSizes(train=2848, val=607, test=609),
        counts={"daisy": 520, "dandelion": 712, "rose": 532, "sunflower": 487, "tulip": 597},
        imbalance_ratio=1.46,
        measure="accuracy",
        first=v.FastReading(
            images=2848,
            validated=607,
            size=32,
            features=1600,
            ridge=10.0,
            accuracies=accuracies(0.676),
            curves=(curve("everything", "fast", 0.59), curve("rare", "fast", 0.6)),
            seconds=12.0,
        ),
        seen=v.Seen(
            learner=learner,
            test_images=609,
            seeds=3,
            disagreement=0.21,
            seed_deviation=1.5,
            variances=v.Variances(seed=1.4, image=300.0, both=1800.0),
            smallest=3.9,
            smallest_percent=5.2,
            power=0.8,
            buys=(
                v.Buy(key="seeds", label="ten seeds", seeds=10, test_images=609, smallest=4.1),
                v.Buy(key="folds", label="every image tested once", seeds=3, test_images=4064, smallest=3.2),
            ),
        ),
        length=None
        if fast
        else v.Length(planned=1600, rungs=rungs, longer=figure(2.8, 1.9), best=4800, used=1600),
        ceiling=f.Ceiling(
            learner=learner,
            curves=() if fast else (curve("everything", "classifier", 0.66),),
            projections=(
                projection("quarter", "a quarter more of everything", "everything", gain),
                projection("balance", "every class as large as the largest", "rare", gain),
                projection("twice", "twice everything", "everything", None if refused else 2.4),
                projection("run", "what the run would add", "rare", gain),
            ),
        ),
        free=v.Free(best="trivial_augment", recipes=free),
        filter=None if fast else v.Filter(rule="probability > 0.9", passed=passed(0.353, 607)),
        law=v.LawReading(
            score=0.1324,
            profile="paper",
            predicted=f.Figure(value=31.4, low=-1.2, high=63.3),
            refused=None,
            record=(
                v.LawRecord(
                    name="demo", source="benchmark", score=0.64, predicted_percent=0.08, measured_percent=1.4
                ),
            ),
        ),
        equivalence=v.Equivalence(
            run="equivalence-invented",
            dataset_name="Other flowers",
            same_dataset=False,
            base=1000,
            synthetic=2000,
            real=340.0,
            words="2,000 accepted images added to 1,000 real ones are worth 340 [210, 520] real ones.",
            gain=None if refused else figure(0.9),
            refused="the curve does not rise" if refused else None,
            warnings=("the exchange was measured on another dataset",),
        ),
        headroom=f.Headroom(
            projection="run",
            over="trivial_augment",
            gain=None if refused else figure(-0.4),
            percent=None if refused else -0.5,
            at_most=None if refused else 0.6,
        ),
        expected=None
        if refused
        else v.Expected(
            source="record",
            gain=f.Figure(value=-0.1, low=-2.2, high=2.0),
            by="in 16 measured datasets synthetic images gave 5 % [\N{MINUS SIGN}3, 13] of such a headroom",
        ),
        verdict=v.Words(
            key=key,
            sentence="Train three times as long first: +2.8 points, without one new image.",
            decided_by=v.Decided(name="what longer training adds", value=2.8, limit=1.0, unit="points"),
            change="train 4,800 steps and ask again",
        ),
        skipped=("mixup and cutmix: no time left",),
        seconds=341.0,
    )
    return document.model_copy(update=changes)
