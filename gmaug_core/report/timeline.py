"""When a whole run will end: by the stages of the newest finished run like it, at the pace of this one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig, EquivalenceConfig
from gmaug_core.errors import GMAugError
from gmaug_core.report.cost import duration
from gmaug_core.runs import RunConfigFile, RunPaths, Status

SURE_S = 5.0  # stages of fewer seconds say nothing about the pace


@dataclass(frozen=True)
class Ahead:
    """seconds: to the end of the whole run; like: the run whose stages were taken."""

    seconds: float
    like: str

    def words(self, now: float | None = None) -> str:
        """'Whole run: about 12 min 0 s to go, until about 14:05'."""
        end = time.localtime((time.time() if now is None else now) + self.seconds)
        return f"Whole run: about {duration(self.seconds)} to go, until about {time.strftime('%H:%M', end)}"


def ahead(paths: RunPaths, status: Status) -> Ahead | None:
    """What is left of a run at work; None before it works, or where none like it has finished here."""
    if status.state != "running" or not status.stage:
        return None
    own = runs.config_of(paths)
    mine = _sort(own)
    best: tuple[bool, RunPaths] | None = None
    for other in runs.list_runs(own.kind):
        config = runs.config_of(other)
        if other.id == paths.id or _sort(config) != mine or not other.result.exists():
            continue
        same = config.settings.dataset == own.settings.dataset
        if best is None or (same and not best[0]):
            best = same, other
    if best is None:
        return None
    try:
        reference = runs.read_status(best[1]).stages
    except GMAugError:
        return None
    return Ahead(left(status, reference), best[1].id) if reference else None


def _sort(config: RunConfigFile) -> tuple[object, ...]:
    """Runs of one sort go through the same stages, of about the same length."""
    settings = config.settings
    if isinstance(settings, AugmentationConfig):
        sizes = (settings.seeds, settings.folds, settings.generator_seeds, settings.max_steps)
        return (
            "augmentation",
            settings.generator,
            settings.classifier.name,
            settings.classifier.budget,
            *sizes,
        )
    if isinstance(settings, EquivalenceConfig):
        return ("equivalence", settings.generator, settings.base_sizes, settings.seeds)
    return (config.kind,)


def left(status: Status, reference: Mapping[str, float]) -> float:
    """Seconds to the end. reference: seconds of every stage of a run alike; stretched by how much longer the
    finished stages took here."""
    known = [(seconds, reference[stage]) for stage, seconds in status.stages.items() if stage in reference]
    here, there = sum(a for a, _ in known), sum(b for _, b in known)
    pace = here / there if there >= SURE_S else 1.0
    expected = pace * reference.get(status.stage, 0.0)
    share = status.step / status.total if status.total else 0.0
    now = status.eta_s if status.eta_s is not None else expected * (1 - min(share, 1.0))
    coming = [stage for stage in reference if stage not in status.stages and stage != status.stage]
    return now + pace * sum(reference[stage] for stage in coming)
