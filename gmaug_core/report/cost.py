"""What an augmentation run will have to do, in words, and how long one like it took here: known at once.

What measures it instead is runs.estimate.
"""

from __future__ import annotations

from gmaug_core import runs
from gmaug_core.config import GENERATORS, PRESETS, AugmentationConfig
from gmaug_core.method.variants import controls, trainings
from gmaug_core.runs import RunConfigFile

TYPICAL = {  # by preset; the quick one is measured: config.GENERATORS
    "quick": "On two CPU cores expect about {minutes} minutes at 16 px, and several times that at 32 px.",
    "standard": "Expect some hours on one GPU.",
    "paper": "Expect days on one GPU.",
}


def words(config: AugmentationConfig) -> str:
    """What the run will have to do, and how long that takes: as one like it took here, else as is usual."""
    generator, took = config.generator, took_here(config)
    budget = (
        f"for {generator.minutes:g} minutes (measured into images at launch)"
        if generator.minutes
        else f"on {generator.kimg:g} thousand images"
    )
    said = (
        f"Trains the generator {budget} of {generator.resolution} px, then up to {trainings(config)} "
        f"classifiers of {config.classifier.budget} ({config.seeds} seeds; baseline, "
        f"{config.max_steps} select-and-retrain steps, {len(controls(config))} controls)."
    )
    if took is not None:
        return f"{said} A run with these settings took {duration(took)} on this machine."
    usual = TYPICAL[config.preset if config.preset in PRESETS else "quick"]
    return f"{said} {usual.format(minutes=GENERATORS[generator.name].quick_minutes)}"


def took_here(config: AugmentationConfig) -> float | None:
    """Seconds of the newest finished run with the same generator and seeds; None without one."""
    for paths in runs.list_runs("augmentation"):
        settings = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
        status = runs.read_status(paths)
        alike = settings.generator == config.generator and settings.seeds == config.seeds
        if status.state == "finished" and alike:
            return sum(status.stages.values())
    return None


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
