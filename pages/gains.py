"""Gains: what augmentation was worth, against fair controls, beside what the law had predicted."""

from __future__ import annotations

import json
from functools import partial

import streamlit as st

from gmaug_core import runs
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.variants import short
from gmaug_core.report import acceptance, charts, doses, findings, gain_charts
from gmaug_core.report.html import html_report
from gmaug_core.ui import confusion, drawing, gains, launching, layout, live, printable, record, text
from gmaug_core.ui.choice import chosen

st.title("Gains", anchor=False)
data = chosen()
answer = st.container(key="gain-answer")  # before the run picker: it is what one comes for
paths = launching.pick("augmentation", data.id)
result = AugmentationResult.read(paths.result) if paths and paths.result.exists() else None
if paths is None or result is None:
    if paths:
        live.wait(paths)
    state = runs.read_status(paths).state if paths else ""
    text.empty(
        "No finished run yet",
        {
            "": "When an augmentation run has finished, its gain stands here, with its interval and "
            "against fair controls."
        }.get(state, f"This run is **{state}**. Its gain stands here when it has finished."),
        page="augmentation",
        label="Go to augmentation",
    )
    st.header("On the curve", anchor=False)
    st.caption(
        "What the paper measured on its datasets: the more alike the images of a super-class are "
        "(SSIM-supSubCls, on page Similarity), the less augmentation gained. Your runs will stand here too."
    )
    gains.the_curve(None)
    st.stop()

verdict, sentence = findings.headline(result)
box, icon = {"better": (st.success, "trending_up"), "worse": (st.error, "trending_down")}.get(
    verdict, (st.info, "trending_flat")
)
with answer:
    box(f"**{text.md(sentence)}**", icon=f":material/{icon}:")
    gains.numbers(layout.columns(4, key="gain-numbers", least=11), result)
st.markdown(text.md(findings.comparison(result)))
gains.foretold(data, result)

st.header("Against every control", anchor=False)
st.caption(
    "All with the same network, the same classifier augmentation and the same number of steps. "
    "Diamond: augmented; circle: baseline; "
    "squares: controls; small strokes: single seeds."
)
measures: list[gain_charts.Accuracy] = ["accuracy", "balanced_accuracy"]
measure = st.segmented_control(
    "Measure",
    measures,
    default="accuracy",
    format_func=lambda key: key.replace("_", " ").capitalize(),
    key="gain-measure",
    required=True,
)
left, right = layout.columns([3, 2], key="gain-controls")
shape = (paths.id, paths.result.stat().st_mtime_ns)  # what charts of the result depend on
with left:
    drawing.altair("forest", (*shape, measure), partial(gain_charts.forest, result, measure))
with right:
    st.markdown("\n".join(f"- {text.md(sentence)}" for sentence in findings.against_controls(result)))
gains.variants_table(result)
st.markdown("\n".join(f"- {text.md(sentence)}" for sentence in findings.explained(result)))
st.caption(gains.cost(paths, result))

gains.amounts(result)
gains.let_through(paths, result)

st.header("Class by class", anchor=False)
st.caption(
    "Rarest class on top, with its number of real training images. At the end of a bar: points of "
    "recall above the baseline."
)
if len(result.per_class) > charts.MAX_CLASSES:
    st.caption(
        f"The charts show the {charts.MAX_CLASSES} rarest of {text.count(len(result.per_class))} classes; "
        "the CSV below has them all."
    )
others = [key for key in result.variants if key != "baseline"]
compare = st.selectbox(
    "Baseline beside",
    others,
    format_func=short,
    key="gain-compare",
    width=260,
)
left, right = layout.columns([3, 2], key="gain-classes")
left.plotly_chart(
    drawing.once(("per-class", *shape, compare), partial(charts.per_class, result, compare=compare)),
    key="per-class",
)
with right:
    st.plotly_chart(drawing.once(("balance", *shape), partial(charts.balance, result)), key="balance")
    st.caption(
        "Accepted by the first seed's classifiers in all steps; a step trains on what a class was "
        "short of, no more. "
        "Above a bar: accepted of 100 drawn."
    )
    gains.moved(result, compare)

confusion.before_and_after(paths, data)

st.header("On the curve", anchor=False)
gains.the_curve(result)
record.show()

st.header("Read this before believing it", anchor=False)
st.markdown(
    "\n".join(f"- {text.md(note)}" for note in findings.cautions(result)) or "Nothing unusual was noticed."
)
gains.quality(result)

st.header("Take it with you", anchor=False)
with st.container(horizontal=True, key="downloads"):
    name = paths.id
    st.download_button(
        "HTML report",
        lambda: html_report(name),
        f"{name}.html",
        "text/html",
        icon=":material/article:",
        on_click="ignore",
        key="d-html",
    )
    printable.link(name)
    st.download_button(
        "Result as JSON",
        partial(json.dumps, result.to_dict(), indent=1, ensure_ascii=False),
        f"{name}.json",
        "application/json",
        icon=":material/data_object:",
        on_click="ignore",
        key="d-json",
    )
    tables = {"variants": findings.variants_table(result), "classes": findings.per_class_table(result)}
    if result.doses:
        tables["amounts"] = doses.table(result)
    if result.real_acceptance:
        tables["acceptance"] = acceptance.table(result)
    for key, rows in tables.items():
        st.download_button(
            f"{key.capitalize()} as CSV",
            partial(findings.to_csv, rows),
            f"{name}-{key}.csv",
            "text/csv",
            icon=":material/table:",
            on_click="ignore",
            key=f"d-{key}",
        )
    gains.export_button(paths, result)
st.caption(
    "The balanced dataset is an image folder of real and accepted synthetic images with "
    "metadata.csv; people's decisions win over "
    f"the filter. The same without a browser: `python -m gmaug_core export {name} --out FOLDER`."
)
text.what_next(
    ("samples", "Look through the samples, overrule the filter", "grid_view"),
    ("augmentation", "Compare with other runs, or start another", "play_circle"),
    ("equivalence", "What one synthetic image is worth", "swap_horiz"),
)
