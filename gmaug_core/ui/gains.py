"""Parts of the gains page: numbers with intervals, tables, the curve with one's own runs, the export."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st

from gmaug_core.errors import InputError
from gmaug_core.report import charts, export, findings, points
from gmaug_core.runs import RunPaths
from gmaug_core.scoring.law import PAPER_PROFILE, paper_law, paper_points
from gmaug_core.ui import text

ZIP_LIMIT = 20_000  # images in one download; more than this is a job for the command line
LAWS = {
    "published": "The paper's points",
    "with_mine": "The paper's points and my runs",
    "mine": "My runs alone",
}
QUALITY_WORDS = {
    "fd": (
        "FD (domain)",
        "Fréchet distance in the baseline classifier's features; 0 is best, biased upward where images are few.",
    ),
    "kid": (
        "KID (domain)",
        "Kernel distance in the same features; about 0 is best, unbiased where images are few.",
    ),
    "fid": (
        "FID",
        "Fréchet distance in the features of your own Inception weights; compare at equal numbers of images alone.",
    ),
    "precision": ("Precision", "Share of synthetic images that lie among the real ones."),
    "recall": ("Recall", "Share of real images that lie among the synthetic ones: variety."),
    "memorised_share": ("Memorised", "Share of synthetic images suspiciously near a training image."),
    "real_vs_synthetic_auc": (
        "Real-vs-synthetic AUC",
        "How well the two can be told apart: 0.5 not at all, 1 always.",
    ),
}


def in_percent(share: float) -> str:
    return f"{100 * share:.2f}"


def number(
    column: Any, label: str, found: Mapping[str, Any] | None, key: str, form: Callable[[float], str]
) -> None:
    """One figure in percent with its interval below it; none where there is none."""
    with column:
        if not found or found.get(key) is None:
            st.metric(label, "none", border=True)
            return
        st.metric(label, f"{form(found[key])} %", border=True)
        low, high = (found.get(name, found.get(f"ci_{name}")) for name in ("low", "high"))
        if low is not None and high is not None:
            st.caption(f"95 % interval {form(low)} to {form(high)}")


def variants_table(result: Mapping[str, Any]) -> None:
    """Every classifier with both accuracies, intervals, seeds and n."""

    def spread(found: Mapping[str, Any]) -> str:
        return (
            f"{in_percent(found['mean'])}  ({in_percent(found['ci_low'])} to {in_percent(found['ci_high'])})"
        )

    gains = {"baseline": result["relative_gain_percent"], **result.get("gains", {})}
    rows = []
    for key, label, _, found in charts.variants(result):
        gain = gains.get(key)
        shown = (
            ""
            if not gain or gain["value"] is None
            else f"{findings.signed(gain['value'])}  ({findings.signed(gain['ci_low'])} to {findings.signed(gain['ci_high'])})"
        )
        rows.append(
            {
                "variant": label,
                "accuracy, %": spread(found["accuracy"]),
                "balanced accuracy, %": spread(found["balanced_accuracy"]),
                "augmented gains over it, %": shown,
                "seeds": len(found["accuracy"]["values"]),
                "test images": found["accuracy"]["n"],
            }
        )
    st.dataframe(rows, hide_index=True)
    st.caption(
        "In brackets: 95 % intervals over seeds and test images. Gains are relative, paired by seed and test image."
    )


def moved(result: Mapping[str, Any], compare: str) -> None:
    """Which classes moved most, in words."""
    rows = [
        row
        for row in result["per_class"]
        if row.get(compare) is not None and row.get("baseline") is not None and row["test"]
    ]
    change = sorted(((100 * (row[compare] - row["baseline"]), row) for row in rows), key=lambda item: item[0])
    if not change:
        return
    for title, picked in (
        ("Gained most", [item for item in reversed(change) if item[0] > 0][:3]),
        ("Lost most", [item for item in change if item[0] < 0][:3]),
    ):
        if picked:
            said = ", ".join(f"{text.md(row['class'])} {findings.signed(points)}" for points, row in picked)
            st.markdown(f"**{title}** (points of recall): {said}")
    st.caption("Single classes have few test images; read them together.")


def quality(result: Mapping[str, Any]) -> None:
    """Figures of the synthetic images, each with what it means and its n."""
    found = result.get("quality") or {}
    rows = [
        {"figure": label, "value": f"{found[key]:.3g}", "what it says": meaning}
        for key, (label, meaning) in QUALITY_WORDS.items()
        if isinstance(found.get(key), int | float)
    ]
    if rows:
        with st.expander(
            f"Quality of the synthetic images ({found.get('n_synthetic', 0):,} against {found.get('n_real', 0):,} real)"
        ):
            st.dataframe(rows, hide_index=True)
            st.caption(
                "Good figures do not promise a gain: generators are ranked here by the measured gain alone."
            )


def the_curve(result: Mapping[str, Any] | None) -> None:
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
                f"Fitted to {law.n} points, each weighted by its error: "
                f"gain % = {law.amplitude:.1f} · exp(−{law.rate:.3f} · x), R² {law.r2:.3f}."
            )
        except InputError as error:
            text.error_box(error)
    score = ((result or {}).get("score") or {}) if result else {}
    fits = score.get("profile") == PAPER_PROFILE
    here = (score.get("ssim_supsubcls") or {}).get("value") if fits else None
    st.plotly_chart(
        charts.curve(law, paper_points(), runs=[asdict(point) for point in own], here=here), key="gains-curve"
    )
    if result and not fits:
        st.caption("This run's score was measured with another profile, so it has no place on this curve.")


def export_button(paths: RunPaths, result: Mapping[str, Any]) -> None:
    """The balanced dataset as one zip, made when it is asked for."""
    images = sum(result["splits"][name] for name in ("train", "val", "test")) + result["accepted"]["total"]
    st.download_button(
        "Balanced dataset (zip)", lambda: _zip(paths.id), f"{paths.id}-balanced.zip", "application/zip", icon=":material/folder_zip:",
        on_click="ignore", disabled=images > ZIP_LIMIT, key="d-export",
        help=f"More than {ZIP_LIMIT:,} images: use the command below." if images > ZIP_LIMIT else None,
    )  # fmt: skip


def _zip(run_id: str) -> bytes:
    file = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        out = Path(folder) / "export"
        export.export(run_id, out)
        for path in sorted(out.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(out))
    return file.getvalue()
