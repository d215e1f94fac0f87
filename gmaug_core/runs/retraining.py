"""What people decided about the samples of a finished run, as a run of its own."""

from __future__ import annotations

from gmaug_core.config import AugmentationConfig
from gmaug_core.config.selection import Decisions
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.folder import find
from gmaug_core.workspace import reviews


def with_decisions(run_id: str) -> AugmentationConfig:
    """The settings of a run that takes over everything of this one up to selection, where what people decided
    wins over the filter; start it with launch.submit.

    Its generator, draws and baseline are the parent's, so it has one generator, and no early look at it.
    Raises InputError where nobody decided anything; GMAugError where the run is not a finished augmentation
    run with one split.
    """
    paths = find(run_id)
    settings = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
    if not paths.result.exists():
        raise GMAugError(
            f"run '{run_id}' has not finished", expected="a finished run", todo="wait for it, or resume it"
        )
    if settings.folds > 1:
        raise GMAugError(
            f"run '{run_id}' has {settings.folds} folds, each with images of its own",
            expected="a run with one split",
            todo="run it with folds=1, and decide about its images",
        )
    found = reviews.newest(run_id)
    if not found:
        raise InputError(
            f"nobody decided about a sample of run '{run_id}'",
            expected="samples that a person kept or rejected",
            todo="decide on the Samples page, or with: python -m gmaug_core review",
        )
    decided = _by_draw_seed(settings, run_id, {sample: str(each.decision) for sample, each in found.items()})
    earlier = settings.decisions  # the parent may have been such a run itself
    words: dict[int, str] = {}
    if earlier:
        words = dict.fromkeys(earlier.keep, "keep") | dict.fromkeys(earlier.reject, "reject")
    words |= decided
    decisions = Decisions(
        run=run_id,
        revision=reviews.revision(run_id),
        people=tuple(sorted({each.person for each in found.values()})),
        keep=tuple(sorted(seed for seed, word in words.items() if word == "keep")),
        reject=tuple(sorted(seed for seed, word in words.items() if word == "reject")),
    )
    return settings.model_copy(update={"decisions": decisions, "generator_seeds": 1, "probe": "off"})


def _by_draw_seed(settings: AugmentationConfig, run_id: str, decided: dict[int, str]) -> dict[int, str]:
    """draw seed -> keep | reject. decided: by sample number; where a judge steers the sampling, a later step
    draws other images in the child: decisions about these are left out."""
    from gmaug_core.data import samples  # pandas: a third of a second

    table = samples.table(find(run_id).samples).drop_duplicates("sample")
    if getattr(settings.generator, "feedback", "none") != "none":
        table = table[table["step"] == 1]
    seeds = dict(zip(table["sample"].tolist(), table["draw_seed"].tolist(), strict=True))
    return {int(seeds[sample]): word for sample, word in decided.items() if sample in seeds}
