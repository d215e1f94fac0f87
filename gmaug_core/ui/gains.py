"""Parts of the gains page: numbers with intervals, tables, the curve with one's own runs, the export."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gmaug_core import runs
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.variants import short
from gmaug_core.numbers import signed
from gmaug_core.report import acceptance, doses, export, findings, gain_charts, outlook, points
from gmaug_core.report import foretold as foretold_by
from gmaug_core.report.cost import duration
from gmaug_core.runs import RunPaths
from gmaug_core.scoring.paper import paper_law, paper_points
from gmaug_core.ui import drawing, items, text
from gmaug_core.ui.pulse import stage_words
from gmaug_core.ui.terms import TERMS

ZIP_LIMIT = 20_000  # images in one download; more than this is a job for the command line
LAWS = {
    "published": "The paper's points",
    "with_mine": "The paper's points and my runs",
    "mine": "My runs alone",
}
DECISIVE = ("variant", "accuracy, %", "balanced accuracy, %", "augmented gains over it, %")
MOVED = 3  # classes named as gaining or losing most


def in_percent(share: float) -> str:
    return f"{100 * share:.2f}"


def numbers(columns: list[DeltaGenerator], result: AugmentationResult) -> None:
    """Gain, prediction and the two accuracies that the gain is of, each with its interval. columns: four."""
    gain, predicted = findings.main_gain(result), result.predicted
    told = (gain.value, gain.ci_low, gain.ci_high) if result.status == "measured" else (None, None, None)
    forecast = (predicted.gain_percent, predicted.low, predicted.high) if predicted else (None, None, None)
    n = f"{text.plural(gain.n_seeds, 'seed')}, {text.plural(result.baseline.accuracy.n, 'test image')}"
    _number(columns[0], "Measured relative gain", told, signed, n)
    why = "" if predicted else "Why there is none is said below."
    _number(columns[1], "Predicted by the law", forecast, signed, why)
    for column, name, key in (
        (columns[2], "Without synthetic images", gain.control),
        (columns[3], "With synthetic images", gain.of),
    ):
        found = result.variants[key].accuracy
        _number(
            column, name, (found.mean, found.ci_low, found.ci_high), in_percent, f"{short(key)}, accuracy"
        )


def _number(
    column: DeltaGenerator,
    label: str,
    found: tuple[float | None, float | None, float | None],
    form: Callable[[float], str],
    note: str = "",
) -> None:
    """One figure in percent with its interval below it, and what it is of; none where there is none. found:
    value, low, high."""
    value, low, high = found
    with column:
        st.metric(label, "none" if value is None else f"{form(value)} %", border=True, help=TERMS[label])
        said = [note] if note else []
        if value is not None and low is not None and high is not None:
            said.append(f"95 % interval {form(low)} to {form(high)}")
        st.caption("; ".join(said))


AGREES = {True: "yes", False: "no", None: "cannot be told"}


def foretold(data: Dataset, result: AugmentationResult) -> None:
    """What the newest verdict of these images had said, witness by witness, beside what was measured."""
    known = outlook.newest_verdict(data)
    said = foretold_by.lines(known[0], result) if known else []
    if not said:
        return
    st.subheader("What the verdict had said", anchor=False)
    st.table(  # unlike a data frame it wraps its words
        {
            "Witness": [line.witness for line in said],
            "Said before": [text.md(line.said) for line in said],
            "Measured": [text.md(line.measured) for line in said],
            "Held": [AGREES[line.agree] for line in said],
        },
        hide_index=True,
    )
    st.caption(
        "The verdict's figures are of validation images, the run's of test images: they may differ by chance "
        "too. Held: what was measured lies where it was said to lie."
    )
    text.link("verdict", "Read the verdict", "balance")


def variants_table(result: AugmentationResult) -> None:
    """Every classifier with its accuracies, intervals, seeds and n: what decides in a table that finds room
    on any screen, the rest on request."""
    rows = findings.variants_words(result)
    same = all(row["accuracy, %"] == row["balanced accuracy, %"] for row in rows)
    shown = [name for name in DECISIVE if name != "balanced accuracy, %" or not same]
    st.table({name: [row[name] for row in rows] for name in shown}, hide_index=True)
    balanced = " Balanced accuracy is the same: every class has as many test images." if same else ""
    st.caption(
        f"In brackets: 95 % intervals over {findings.covered(result)}. Gains are relative, paired by seed "
        f"and test image.{balanced}"
    )
    with st.expander("Every measure, with seeds and test images", icon=":material/table:"):
        st.dataframe(rows, hide_index=True)


def amounts(result: AugmentationResult) -> None:
    """How many synthetic images to use, if any: what validation says, and accuracy after each amount."""
    said = doses.words(result)
    if not said:
        return
    st.header("How many synthetic images", anchor=False)
    drawing.altair("dose-response", drawing.content(result), lambda: gain_charts.dose_response(result))
    st.markdown("\n".join(f"- {text.md(sentence)}" for sentence in said))


def let_through(paths: RunPaths, result: AugmentationResult) -> None:
    """What the filter does with real images, beside what it does with synthetic ones."""
    said = acceptance.words(result, items.rule(paths.config))
    if not said:
        return
    st.header("What the filter lets through", anchor=False)
    st.markdown("\n".join(f"- {text.md(sentence)}" for sentence in said))
    st.dataframe(acceptance.shown(result), hide_index=True, key="let-through")


def cost(paths: RunPaths, result: AugmentationResult) -> str:
    """What the run took, in words: by stage, the longest first, and what the generator's part of it was."""
    spent = runs.read_status(paths).stages
    whole = sum(spent.values())
    if not whole:
        return ""
    stages = sorted(spent.items(), key=lambda item: -item[1])
    said = ", ".join(f"{stage_words(stage).lower()} {duration(seconds)}" for stage, seconds in stages[:4])
    of_images = sum(n for stage, n in spent.items() if stage.partition("-")[0] in ("generator", "sample"))
    return (
        f"It took {duration(whole)}: {said}. Making the synthetic images was {of_images / whole:.0%} of it: "
        f"drew {result.accepted.total + result.rejected.total:,} to keep {result.accepted.total:,}."
    )


def moved(result: AugmentationResult, compare: str) -> None:
    """Which classes moved most, in words."""
    known = [(findings.points(row, compare), row) for row in result.per_class if row.test]
    change = sorted(((points, row) for points, row in known if points is not None), key=lambda item: item[0])
    if not change:
        return
    for title, picked in (
        ("Gained most", [item for item in reversed(change) if item[0] > 0][:MOVED]),
        ("Lost most", [item for item in change if item[0] < 0][:MOVED]),
    ):
        if picked:
            said = ", ".join(f"{text.md(row.name)} {signed(points)}" for points, row in picked)
            st.markdown(f"**{title}** (points of recall): {said}")
    st.caption("Single classes have few test images; read them together.")


def quality(result: AugmentationResult) -> None:
    """Figures of the synthetic images, each with what it means and its n."""
    rows = [
        {"figure": figure.label, "value": f"{figure.value:.3g}", "what it says": figure.says}
        for figure in findings.quality_figures(result)
    ]
    if rows:
        n = f"{result.quality.n_synthetic:,} against {result.quality.n_real:,} real"
        with st.expander(f"Quality of the synthetic images ({n})"):
            st.dataframe(rows, hide_index=True)
            st.caption(
                "Good figures do not promise a gain: generators are ranked here by the measured gain alone."
            )


def _address(run: points.OwnPoint) -> str:
    """Of this page, for another run: its dataset follows from it."""
    return f"/gains?run={quote(run.run)}"


def the_curve(result: AugmentationResult | None) -> None:
    """The law, the paper's points, one's own runs, and a refit with them on request."""
    own = points.own_points()
    law = paper_law()
    choices = list(LAWS) if points.usable(own) else ["published"]
    asked = st.segmented_control(
        "Law", choices, default="published", required=True, format_func=LAWS.__getitem__, key="law"
    )
    if asked != "published":
        try:
            law = points.law_with(own, with_paper=asked == "with_mine")
            st.caption(
                f"Fitted to {text.plural(law.n, 'dataset')}, weighted by their errors and the scatter about "
                "the curve (runs of one dataset are one point): "
                f"gain % = {law.amplitude:.1f} · exp(−{law.rate:.3f} · x), R² {law.r2:.3f}."
            )
        except InputError as error:
            text.error_box(error)
    fits = result is not None and not points.no_place(result)
    here = result.score.ssim_supsubcls.value if result and fits else None
    drawing.altair(
        "gains-curve",
        repr((law, own, here)),
        lambda: gain_charts.curve(law, paper_points(), own=own, here=here, link=_address),
    )
    if own:
        st.caption("A click on a point of your runs opens that run.")
    if result and not fits:
        st.caption(
            "This run has no place on this curve: another profile was used, or its images are enlarged."
        )


def export_button(paths: RunPaths, result: AugmentationResult) -> None:
    """The balanced dataset as one zip, made when it is asked for."""
    parts = result.splits
    images = parts.train + parts.val + parts.test + result.accepted.total
    st.download_button(
        "Balanced dataset (zip)",
        lambda: _zip(paths.id),
        f"{paths.id}-balanced.zip",
        "application/zip",
        icon=":material/folder_zip:",
        on_click="ignore",
        disabled=images > ZIP_LIMIT,
        key="d-export",
        help=f"More than {ZIP_LIMIT:,} images: use the command below." if images > ZIP_LIMIT else None,
    )


def _zip(run_id: str) -> bytes:
    file = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        out = Path(folder) / "export"
        export.export(run_id, out)
        for path in sorted(out.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(out))
    return file.getvalue()
