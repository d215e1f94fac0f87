"""An equivalence on screen: the settings of a new run with its cost; of a finished one the answer, the
picture, the table, the price."""

from __future__ import annotations

import json
import logging
from functools import partial

import streamlit as st

from gmaug_core import config, runs
from gmaug_core.config import EquivalenceConfig, SelectionConfig
from gmaug_core.data import splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.intake import jobs
from gmaug_core.intake.elsewhere import take_in
from gmaug_core.method.equivalence.result import EquivalenceMeasure, EquivalenceResult
from gmaug_core.method.equivalence.words import Costs
from gmaug_core.report import cost, equivalence_charts, equivalence_findings, findings
from gmaug_core.report.cost import duration
from gmaug_core.report.html import html_report
from gmaug_core.ui import launching, layout, printable, text
from gmaug_core.workspace import groupings

FORM = (  # what the letters of the published form are
    r"$n_{syn} / n_{base} = c_1^{n_{base} / k} (c_2^{n_{real} / n_{base}} - 1)$: how many synthetic images "
    "beside a base are worth as much as some more real ones. c2 near 1: few are enough; the larger, "
    "the more it takes. c1 above 1: the larger the base, the more it takes; below 1, the fewer. k is a "
    "scale, no finding."
)
REPLACES_LOOKS: dict[equivalence_findings.Replaces, tuple[str, str]] = {  # colour and icon of the badge
    "yes": ("green", "swap_horiz"),
    "no": ("orange", "block"),
    "unclear": ("gray", "help"),
}
log = logging.getLogger(__name__)
MEASURE_TITLES: dict[EquivalenceMeasure, str] = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "tail_accuracy": "Tail accuracy",
}


def form(data: Dataset) -> None:
    """Settings of a new run, what it will have to do, and the button that starts it."""
    left, right = layout.columns(2, key="equivalence-settings", least=18)
    with left:
        preset = st.radio(
            "Preset",
            list(config.EQUIVALENCE_PRESETS),
            format_func=str.capitalize,
            horizontal=True,
            key="equivalence-preset",
        )
        st.caption(config.EQUIVALENCE_PRESETS[preset].words)
        bases = st.text_input(
            "Real images a class in each base",
            placeholder="chosen from the images",
            key="equivalence-bases",
            help="For example 50, 100, 200. Left empty: the largest that leaves enough to add, a half and a "
            "quarter of it.",
        )
        elsewhere = st.text_input(
            "Images made elsewhere, instead of a generator's",
            placeholder="a folder or zip on this machine, one folder a class",
            key="equivalence-elsewhere",
            help="Open-set: what their generator has seen is not known here.",
        )
        more = st.text_area(
            "Any other setting, one KEY=VALUE a line",
            key="equivalence-more",
            height=80,
            placeholder="generator_seeds=3\nproportions=balanced",
        )
    wanted: EquivalenceConfig | None = None
    with right:
        tag = f"{preset}-{data.id}"
        seeds = st.number_input(
            "Seeds",
            2,
            100,
            int(config.EQUIVALENCE_PRESETS[preset].settings.get("seeds", 5)),
            key=f"eq-s-{tag}",
        )
        checks = st.multiselect(
            "Checks whose answer is known",
            ["disguised", "noise"],
            format_func={
                "disguised": "real images passed off as synthetic: worth 1.0 each",
                "noise": "plain noise: worth nothing",
            }.__getitem__,
            key="equivalence-checks",
        )
        try:
            given = _made_elsewhere(data, elsewhere)
            wanted = resolve(data, preset, bases, more, {"seeds": seeds, "checks": checks, **given})
            st.markdown("**What it costs**")
            st.caption(cost.equivalence_words(wanted, data))
            if not given:  # nothing is trained or drawn to have them
                _estimate_button(wanted, data)
        except GMAugError as error:
            wanted = None
            text.error_box(error)
    if (
        st.button(
            "Measure",
            type="primary",
            icon=":material/swap_horiz:",
            disabled=wanted is None,
            key="equivalence-start",
        )
        and wanted
    ):
        launching.start(wanted, data)


def _made_elsewhere(data: Dataset, path: str) -> dict[str, object]:
    """The generator's settings of images made elsewhere, looked through once a session; empty without a
    path. Raises GMAugError where they cannot be read, or are of no class of the dataset."""
    if not path.strip():
        return {}
    known: dict[tuple[str, str], dict[str, object]] = st.session_state.setdefault("equivalence-taken-in", {})
    key = data.id, path.strip()
    if key not in known:
        with st.spinner("Looking through the images…"):
            known[key] = take_in(jobs.allowed_path(path.strip()), data).settings
    return {"generator": {"name": "folder", **known[key]}}


def resolve(
    data: Dataset, preset: str, bases: str, more: str, overrides: dict[str, object]
) -> EquivalenceConfig:
    """The settings that the fields ask for. Raises InputError that names what is wrong."""
    given = config.parse_assignments(line for line in more.splitlines() if line.strip())
    if bases.strip():
        try:
            overrides["base_sizes"] = [int(each) for each in bases.replace(",", " ").split()]
        except ValueError as error:
            raise InputError(
                f"'{bases[:40]}' is no list of base sizes",
                expected="real images a class, for example 50, 100, 200",
            ) from error
    return config.equivalence_config(
        data.id,
        partial(splits.training_counts, data),
        image_size=data.image_size,
        colour=data.colour,
        preset=preset,
        symmetric=data.symmetric,
        overrides={"grouping": groupings.names(data)[0], **overrides, **given},
    )


def _estimate_button(wanted: EquivalenceConfig, data: Dataset) -> None:
    """Measures the pace here, and says how long the whole run would take."""
    # only what the pace depends on
    same = {"seed": 0, "seeds": 2, "base_sizes": (1,), "selection": SelectionConfig.model_validate({})}
    found = launching.measured_cost(wanted.model_copy(update=same), key="equivalence-estimate")
    if found is None:
        return
    minutes = cost.equivalence_minutes(wanted, data, found)
    each = ", ".join(f"{name} {duration(60 * value)}" for name, value in minutes.items())
    st.markdown(
        f"About **{duration(60 * sum(minutes.values()))}** on {text.md(found.device)}, busy as it is now: "
        f"{each}."
    )


def answer(result: EquivalenceResult) -> None:
    """The answer in words, and whether synthetic images replace real ones."""
    with st.container(border=True, key="equivalence-answer"):
        if equivalence_charts.made_by(result) != "closed":
            st.markdown(
                ":violet-badge[:material/public: open-set] What these images' generator has seen is not "
                "known to be the base alone."
            )
        if found := equivalence_findings.substitution(result):
            colour, icon = REPLACES_LOOKS[found[0]]
            st.markdown(f":{colour}-badge[:material/{icon}: {equivalence_findings.REPLACES_WORDS[found[0]]}]")
        st.markdown(f"## {text.md(result.sentence)}")
        if found:
            st.markdown(text.md(found[1]))
    sizes = ", ".join(text.count(base) for base in result.bases)
    elsewhere = equivalence_charts.made_by(result) == "folder"
    made_once = (
        "images made elsewhere" if elsewhere else f"{text.plural(result.generators, 'generator')} a base"
    )
    st.caption(
        f"Bases of {sizes} real images ({result.proportions} proportions), {result.seeds} classifiers a "
        f"cell, {made_once}, {text.count(len(result.cells))} trainings, "
        f"{text.count(result.splits.test)} test images, at {result.size} px. Every training of a base takes "
        "the same steps. Intervals are 95 % ones over seeds, generators and test images."
    )


def pictures(result: EquivalenceResult) -> None:
    """Curves, the exchange rate, and adding against substituting: of one base and measure."""
    one, two = layout.columns(2, key="equivalence-choice", least=26)
    base = one.segmented_control(
        "Base",
        list(result.bases),
        default=result.bases[-1],
        format_func=lambda each: f"{each:,} images",
        required=True,
        key="equivalence-base",
    )
    measure = two.segmented_control(
        "Counted as",
        list(MEASURE_TITLES),
        default=result.measure,
        format_func=MEASURE_TITLES.__getitem__,
        required=True,
        key="equivalence-measure",
    )
    base, measure = base or result.bases[-1], measure or result.measure
    if not any(curve.measure == measure for curve in result.curves):
        st.info("No test image is counted in this measure.")
        return
    left, right = layout.columns(2, key="equivalence-pictures", least=22)
    with left:
        st.header("What each kind of image adds", anchor=False)
        st.altair_chart(equivalence_charts.curves(result, base, measure), key="equivalence-curves")
    with right:
        st.header("What one synthetic image is worth", anchor=False)
        if rates := equivalence_charts.rates(result, measure):
            st.altair_chart(rates, key="equivalence-rates")
        else:
            st.info("No generator's images were measured.")
    if ways := equivalence_charts.ways(result, base, measure):
        st.header("Added, or in the place of real ones", anchor=False)
        st.altair_chart(ways, key="equivalence-ways")
    _beside(result, base, measure)
    st.header("The table of equivalents", anchor=False)
    st.table(equivalence_charts.table(result, measure), hide_index=True)  # it wraps, at 800 px too
    st.caption(
        "Base: real images in training. Synthetic: images beside or among them. Points: accuracy above the "
        f"base alone. {equivalence_findings.training(result)}"
    )
    with st.expander("How many synthetic images real ones take", icon=":material/sync_alt:"):
        st.dataframe(equivalence_charts.reverse_table(result, measure), hide_index=True)
    st.header("The published form, fitted to these images", anchor=False, help=FORM)
    for line in equivalence_findings.published(result, measure):
        st.markdown(text.md(line))
    if result.skipped:
        st.caption("Left out: " + "; ".join(text.md(item) for item in result.skipped) + ".")


def _beside(result: EquivalenceResult, base: int, measure: EquivalenceMeasure) -> None:
    """Images of another origin beside these: those of a generator beside those that were made elsewhere."""
    drawn = {}
    for paths in runs.list_runs("equivalence", result.dataset):
        if paths.id == result.run or not paths.result.exists():
            continue
        try:
            other = EquivalenceResult.read(paths.result)
        except GMAugError as error:
            log.warning("%s is not set beside: %s", paths.id, error.what)
            continue
        if chart := equivalence_charts.beside(result, other, base, measure):
            drawn[f"{equivalence_charts.LOOKS[equivalence_charts.made_by(other)][0]}, {paths.id}"] = chart
    if not drawn:
        return
    st.header("Closed-set and open-set, side by side", anchor=False)
    name = st.selectbox("Beside", list(drawn), key="equivalence-beside") or next(iter(drawn))
    st.altair_chart(drawn[name], key="equivalence-beside-chart")
    st.caption(
        "What an open-set generator was trained on is not known here: it may have seen the test images."
    )


def price(result: EquivalenceResult) -> None:
    """What both would cost, once a person says what one real image costs."""
    st.header("What it would cost", anchor=False)
    one, two = st.columns(2)
    real = one.number_input(
        "One real image, collected and labelled", 0.0, 1e6, None, key="equivalence-real-cost"
    )
    hour = two.number_input("An hour of this machine", 0.0, 1e6, 0.0, key="equivalence-hour-cost")
    if real is None:
        st.caption("Say what one real image costs, in any unit of money, to see both prices.")
        return
    for line in equivalence_findings.prices(result, Costs(real, hour)):
        st.markdown(text.md(line))


def downloads(result: EquivalenceResult) -> None:
    """Everything as files."""
    st.header("Take it with you", anchor=False)
    name = result.run
    with st.container(horizontal=True, key="equivalence-downloads"):
        printable.link(name)
        for label, data, file, kind, icon in (
            ("HTML report", lambda: html_report(name), f"{name}.html", "text/html", "article"),
            (
                "Result as JSON",
                json.dumps(result.to_dict(), indent=1, ensure_ascii=False),
                f"{name}.json",
                "application/json",
                "data_object",
            ),
            (
                "Table as CSV",
                findings.to_csv(equivalence_charts.numbers(result)),
                f"{name}.csv",
                "text/csv",
                "table",
            ),
        ):
            st.download_button(
                label, data, file, kind, icon=f":material/{icon}:", on_click="ignore", key=f"eq-{icon}"
            )
