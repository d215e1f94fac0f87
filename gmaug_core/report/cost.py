"""What a run will have to do, in words, and how long one like it took here: known at once.

What measures it instead is runs.estimate.
"""

from __future__ import annotations

from gmaug_core import runs
from gmaug_core.config import PRESETS, SOURCES, AugmentationConfig, EquivalenceConfig
from gmaug_core.data import balance, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.method.equivalence import plan
from gmaug_core.method.variants import controls, trainings
from gmaug_core.runs.estimate import Estimate

TYPICAL = {  # by preset; the quick one is measured: config.SOURCES
    "quick": "On two CPU cores expect about {minutes} minutes at 16 px, and several times that at 32 px.",
    "standard": "Expect some hours on one GPU.",
    "paper": "Expect days on one GPU.",
}


def words(config: AugmentationConfig) -> str:
    """What the run will have to do, and how long that takes: as one like it took here, else as is usual."""
    generator, took = config.generator, took_here(config)
    folds = f" All of that {config.folds} times: once a fold." if config.folds > 1 else ""
    if generator.stock:
        made = f"{sum(generator.stock):,} images made elsewhere"
        return f"Judges {made} and trains up to {_trained(config)}.{folds}"
    budget = (
        f"for {generator.minutes:g} minutes (measured into images at launch)"
        if generator.minutes
        else f"on {generator.kimg:g} thousand images"
    )
    times = f"{config.generator_seeds} times, " if config.generator_seeds > 1 else ""
    said = (
        f"Trains the generator {times}{budget} of {generator.resolution} px, then up to {_trained(config)}."
    )
    if took is not None:
        return f"{said}{folds} A run with these settings took {duration(took)} on this machine."
    usual = TYPICAL[config.preset if config.preset in PRESETS else "quick"]
    usual = usual.format(minutes=SOURCES[generator.name].quick_minutes)
    one = " That is with one generator." if times else ""
    return f"{said} {usual}{one}{folds}"


def _trained(config: AugmentationConfig) -> str:
    """The classifiers of a run."""
    return (
        f"{trainings(config)} classifiers of {config.classifier.budget} ({config.seeds} seeds; baseline, "
        f"{config.max_steps} select-and-retrain steps, {len(controls(config))} controls)"
    )


def drawing(config: AugmentationConfig, data: Dataset) -> str:
    """How many images are wanted, how many may be drawn for them, and the disk that these take, in words.

    Raises InputError where the dataset cannot be split.
    """
    counts = splits.training_counts(data, config.seed)
    stock = config.generator.stock
    wanted = balance.wanted_of(counts, config.target, config.added, stock)
    asked = balance.times(wanted, max(config.amounts))
    a_step = int(balance.budget_of(asked, config.draw_budget, stock).sum())
    most = a_step * config.max_steps * config.folds * config.generator_seeds
    channels = 1 if config.generator.colour == "grey" else 3
    size = most * config.generator.resolution**2 * channels / 1e6
    disk = f"{size / 1000:.1f} GB" if size >= 1000 else f"{max(size, 1):.0f} MB"
    return f"Wants {int(wanted.sum()):,} images and draws at most {most:,}: up to {disk} of disk for them."


def took_here(config: AugmentationConfig) -> float | None:
    """Seconds of the newest finished run that had the same to do; None without one."""
    for paths in runs.list_runs("augmentation"):
        settings = runs.config_of(paths).settings_as(AugmentationConfig)
        if _work(settings) != _work(config) or config.device not in ("auto", settings.device):
            continue
        if (status := runs.read_status(paths)).state == "finished":
            return sum(status.stages.values())
    return None


def _work(config: AugmentationConfig) -> dict[str, object]:
    """Of its settings those that decide how much there is to do; arithmetic is made concrete at launch."""
    return config.model_dump(
        exclude={"preset": True, "grouping": True, "seed": True, "device": True, "classifier": {"precision"}}
    )


def duration(seconds: float | None) -> str:
    """75 -> '1 min 15 s'."""
    if seconds is None:
        return "unknown"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def equivalence_plan(config: EquivalenceConfig, data: Dataset) -> plan.Plan:
    """What an equivalence run of this dataset would train. Raises InputError where its real images do not
    suffice, or it cannot be split."""
    return plan.make(config, splits.training_counts(data, config.seed), data.class_names)


def equivalence_minutes(config: EquivalenceConfig, data: Dataset, found: Estimate) -> dict[str, float]:
    """Minutes of each part, at a measured pace."""
    pace = plan.Pace(
        training_seconds=found.training_seconds,
        images_per_s=found.sampling_img_per_s,
        steps_per_s=found.classifier_steps_per_s or 1.0,
    )
    return plan.minutes(equivalence_plan(config, data), config, pace)


def _sources(config: EquivalenceConfig, made: plan.Plan) -> str:
    if config.generator.stock:
        return f"{sum(config.generator.stock):,} images made elsewhere"
    return (
        f"{len(made.bases) * len(made.generators)} generators of {config.generator.kimg:g} thousand images, "
        f"about {made.draws(config):,} images drawn"
    )


def equivalence_words(config: EquivalenceConfig, data: Dataset, found: Estimate | None = None) -> str:
    """What an equivalence run will have to do; found: its measured pace, for how long that takes."""
    made = equivalence_plan(config, data)
    sizes, totals = (
        ", ".join(f"{number:,}" for number in numbers)
        for numbers in zip(*((base.size, base.total) for base in made.bases), strict=True)
    )
    said = (
        f"Bases of {sizes} real images a class ({totals} in all): "
        f"{_sources(config, made)} at {config.generator.resolution} px, {len(made.trainings):,} classifiers "
        f"({made.steps:,} steps in all)."
    )
    if found is None:
        return said
    minutes = equivalence_minutes(config, data, found)
    each = ", ".join(f"{duration(60 * value)} {name}" for name, value in minutes.items())
    return f"{said} On {found.device} about {duration(60 * sum(minutes.values()))}: {each}."
