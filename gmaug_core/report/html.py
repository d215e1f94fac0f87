"""A finished run -> one self-contained HTML file: no script, no outside request, everything escaped by
the template.

The page itself, in the order in which it is read, is report.html.jinja.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup
from numpy.typing import NDArray

from gmaug_core import runs, workspace
from gmaug_core.config import AugmentationConfig, EquivalenceConfig, RunConfig
from gmaug_core.data import pictures, samples
from gmaug_core.errors import GMAugError
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.method.parts.synthetic import Step
from gmaug_core.method.result import AugmentationResult
from gmaug_core.numbers import signed
from gmaug_core.report import (
    acceptance,
    doses,
    equivalence_charts,
    equivalence_findings,
    findings,
    gain_charts,
    points,
)
from gmaug_core.report.theme import COLOURS, printed
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.scoring.paper import paper_law, paper_points

SHEET_COLUMNS = 12  # samples a class and verdict on the contact sheet
SHEET_CLASSES = 60  # classes on the contact sheet: the rarest
SHORT_CLASSES = 8  # classes left short that a step's row names
BOX_ROLES = {"better": "accepted", "worse": "rejected"}  # colour beside the headline; others stay grey


def html_report(run_id: str) -> str:
    """The HTML report of a finished augmentation or equivalence run. Raises InputError for an unknown run,
    GMAugError when it has no result yet or is of another kind."""
    paths = runs.find(run_id)
    config = RunConfigFile.read(paths.config)
    settings = config.settings
    if isinstance(settings, EquivalenceConfig) and paths.result.exists():
        return _equivalence(paths, config, EquivalenceResult.read(paths.result))
    if not isinstance(settings, AugmentationConfig) or not paths.result.exists():
        raise GMAugError(
            f"run '{run_id}' has no report",
            expected="a finished augmentation or equivalence run",
            todo="wait until it has finished, or resume it",
        )
    result = AugmentationResult.read(paths.result)
    verdict, sentence = findings.headline(result)
    point = points.point_of(result, paths)
    own = [] if point is None else [point]
    response = gain_charts.dose_response(result)
    curve = gain_charts.curve(paper_law(), paper_points(), own=own, name="this run")
    return _template().render(
        result=result,
        name=config.dataset_name,
        colours=COLOURS,
        box=COLOURS[BOX_ROLES.get(verdict, "baseline")],
        headline=sentence,
        comparison=findings.comparison(result),
        against_controls=findings.against_controls(result),
        forest=_drawing(gain_charts.forest(result)),
        compared=findings.compared(result),
        variants=findings.variants_words(result),
        curve=_drawing(curve),
        doses="" if response is None else _drawing(response),
        amounts=doses.words(result),
        explained=findings.explained(result) + acceptance.words(result, settings.selection),
        prediction=_prediction(result),
        classes=findings.rarest_first(result),
        points=findings.points,
        recall_words=findings.recall_words,
        sheets=_sheets(paths, result),
        sheet_columns=SHEET_COLUMNS,
        sheet_classes=SHEET_CLASSES,
        short=_short,
        quality=findings.quality_figures(result),
        cautions=findings.cautions(result),
        facts=_facts(paths, config, result.seeds),
        settings=_settings(settings, config.grouping),
    )


def _equivalence(paths: RunPaths, config: RunConfigFile, result: EquivalenceResult) -> str:
    """What synthetic images are worth in real ones: answer, picture, table, published form."""
    base, measure = result.bases[-1], result.measure
    drawn = {
        "curves": equivalence_charts.curves(result, base, measure),
        "rates": equivalence_charts.rates(result, measure),
        "ways": equivalence_charts.ways(result, base, measure),
    }
    told = equivalence_findings.substitution(result)
    table = equivalence_charts.table(result, measure)
    return _template("equivalence.html.jinja").render(
        result=result,
        name=config.dataset_name,
        set="closed-set" if equivalence_charts.made_by(result) == "closed" else "open-set",
        colour=COLOURS["baseline"],
        substitution=told and f"{equivalence_findings.REPLACES_WORDS[told[0]]}. {told[1]}",
        drawn={key: _drawing(chart) for key, chart in drawn.items() if chart is not None},
        table=table.astype(str).to_dict("split"),
        published=equivalence_findings.published(result),
        training=equivalence_findings.training(result),
        facts=_facts(paths, config, sorted({cell.seed for cell in result.cells})),
        settings=_settings(config.settings, config.grouping),
    )


@cache
def _environment() -> Environment:
    found = files("gmaug_core.report")
    environment = Environment(
        loader=FunctionLoader(lambda name: found.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["signed"] = signed
    return environment


def _template(name: str = "report.html.jinja") -> Template:
    return _environment().get_template(name)


def _drawing(chart: Any) -> Markup:
    """A chart as SVG; its drawer has escaped every name in it."""
    return Markup(printed(chart))


# --- samples ---


@dataclass(frozen=True)
class Row:
    """At most SHEET_COLUMNS samples side by side as PNG."""

    png: bytes
    count: int


@dataclass(frozen=True)
class Sheet:
    """Samples of one class, each side as at most one PNG row, spread evenly over what was drawn."""

    name: str
    accepted: Row | None
    rejected: Row | None


def contact_sheets(paths: RunPaths, judge: int | None, classes: Sequence[str]) -> list[Sheet]:
    """Samples of these classes by what was decided: people first, then the judge of that seed. Classes never
    drawn are left out."""
    table = samples.table(paths.samples, seed=judge)
    kept = samples.decided(table, workspace.reviews.load(paths.id))
    numbers, names = table["sample"].to_numpy(), table["class"].to_numpy()

    def row(chosen: NDArray[np.int64]) -> Row | None:
        if not len(chosen):
            return None
        spread = chosen[np.unique(np.linspace(0, len(chosen) - 1, SHEET_COLUMNS).astype(int))]
        images = [samples.image(paths.samples, int(n)) for n in spread]
        return Row(pictures.sheet([images], columns=len(images)), len(images))

    drawn = [name for name in classes if (names == name).any()]
    return [
        Sheet(name, row(numbers[(names == name) & kept]), row(numbers[(names == name) & ~kept]))
        for name in drawn
    ]


def _sheets(paths: RunPaths, result: AugmentationResult) -> list[dict[str, Any]]:
    """Contact sheets of the rarest classes, as the template shows them."""
    rarest = [row.name for row in findings.rarest_first(result)[:SHEET_CLASSES]]
    judge = result.seeds[0] if result.seeds else None
    return [
        {
            "name": sheet.name,
            "sides": [
                _embedded(row, f"{word} samples of {sheet.name}")
                for word, row in (("accepted", sheet.accepted), ("rejected", sheet.rejected))
            ],
        }
        for sheet in contact_sheets(paths, judge, rarest)
    ]


def _embedded(row: Row | None, alt: str) -> dict[str, object]:
    """A row as an image of a page, as wide as its samples: each is of one size, however many there are."""
    if row is None:
        return {"source": "", "alt": alt, "percent": 0}
    source = f"data:image/png;base64,{base64.b64encode(row.png).decode()}"
    return {"source": source, "alt": alt, "percent": round(100 * row.count / SHEET_COLUMNS, 2)}


# --- lists and facts ---


def _prediction(result: AugmentationResult) -> Iterable[str]:
    """The scores that the prediction rests on, and what it says."""
    score = result.score
    for label, found in (("SSIM-supSubCls", score.ssim_supsubcls), ("SSIM-mergeCls", score.ssim_mergecls)):
        if found.value is None:
            continue
        extent = (
            "no interval"
            if found.ci_low is None or found.ci_high is None
            else f"95 % interval {found.ci_low:.4f} to {found.ci_high:.4f}"
        )
        yield f"{label} {found.value:.4f} ({extent}; {found.pairs:,} pairs, profile {score.profile})."
    if result.predicted:
        yield result.predicted.advice.text


def _short(step: Step) -> str:
    """The classes that a step left short, with the images missing."""
    missing = [f"{name}: {n}" for name, n in step.short.items()]
    more = f" and {len(missing) - SHORT_CLASSES} more" if len(missing) > SHORT_CLASSES else ""
    return ", ".join(missing[:SHORT_CLASSES]) + more or "none"


def _facts(paths: RunPaths, config: RunConfigFile, seeds: Iterable[int]) -> dict[str, object]:
    """What a person needs to make this run again, and what it took."""
    status = runs.read_status(paths)
    return {
        "run": paths.id,
        "dataset": config.settings.dataset,
        "dataset version": config.dataset_version,
        "grouping": f"{config.settings.grouping} (revision {config.grouping_revision})",
        "seeds": ", ".join(map(str, seeds)),
        "attempts": status.attempt,
        "samples reviewed by people": len(workspace.reviews.load(paths.id)),
        **{f"{name} version": version for name, version in config.versions.items()},
        **{f"seconds in {stage}": f"{seconds:.1f}" for stage, seconds in status.stages.items()},
    }


def _settings(settings: RunConfig, grouping: Mapping[str, Sequence[str]]) -> str:
    """Settings and grouping as JSON; a checkpoint by its name, not by where it lies."""
    chosen = settings.model_dump(mode="json")
    chosen["generator"] = {
        key: value.rpartition("/")[2] if key.startswith("pretrained") and value else value
        for key, value in chosen["generator"].items()
    }
    return json.dumps({"settings": chosen, "grouping": grouping}, indent=1, ensure_ascii=False)
