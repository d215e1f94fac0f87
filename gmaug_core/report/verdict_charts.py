"""The three charts of a verdict: what it weighs on one axis, the learning curves, and the length of training.

Altair specifications; hover text and labels are data of the specification, never markup.
"""

from __future__ import annotations

import altair as alt
import pandas as pd

from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.verdict.figures import MEASURE_WORDS, Curve
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.report.theme import COLOURS, legend

Chart = alt.LayerChart | alt.FacetChart
OF_WORDS = {"everything": "all classes", "rare": "rare classes"}  # of which there are more
LEARNER_SHORT = {"fast": "fast learner", "classifier": "classifier"}
LEARNER_WORDS = {"fast": "the fast learner", "classifier": "the run's classifier"}
SEEN = "visible from here on"
ROW_PX = 44  # height of a bar
CURVE_PX = 320


def recipe(key: str) -> str:
    """What charts and tables call a way of training; one that this version does not know goes by its key."""
    return RECIPES[key].short if key in RECIPES else key.replace("_", " ")


def weighed(verdict: Verdict) -> pd.DataFrame:
    """What decides, in percentage points of the deciding measure: columns what, value, low, high, colour.

    Where the curve allows no projection value and low are empty, and high is what it can be at most; without
    even that there is no row.
    """
    rows: list[dict[str, object]] = []
    longer, best = verdict.length.longer if verdict.length else None, verdict.free.recipes[:1]
    if longer:
        rows.append({"what": "longer training, no new image", **longer.model_dump(), "colour": "baseline"})
    for found in best:
        if found.key != "plain":
            what = f"free: {recipe(found.key)}"
            rows.append({"what": what, **found.gain.model_dump(), "colour": "control"})
    for item in verdict.ceiling.projections:
        if item.key == verdict.headroom.projection:
            gain = item.gain.model_dump() if item.gain else {"high": item.at_most}
            rows.append({"what": f"if all were real: {item.label}", **gain, "colour": "real"})
    over = verdict.headroom
    gain = over.gain.model_dump() if over.gain else {"high": over.at_most}
    rows.append({"what": f"headroom over {recipe(over.over)}", **gain, "colour": "accepted"})
    if verdict.expected:
        where = "measured here" if verdict.expected.source == "equivalence" else "as in the record"
        what = f"of it expected, {where}"
        rows.append({"what": what, **verdict.expected.gain.model_dump(), "colour": "accepted"})
    frame = pd.DataFrame(rows, columns=["what", "value", "low", "high", "colour"])
    return frame[frame["high"].notna()].astype({"value": float, "low": float, "high": float})


def scale(verdict: Verdict) -> Chart:
    """All that is weighed on one axis, with the smallest visible gain as a line across it."""
    rows = weighed(verdict)
    words = MEASURE_WORDS[verdict.measure]
    x = alt.X("value:Q", title=f"points of {words}", axis=alt.Axis(format="+.1f"))
    order = list(rows["what"])
    y = alt.Y("what:N", sort=order, title=None, axis=alt.Axis(labelLimit=330, grid=False, ticks=False))
    roles = list(dict.fromkeys(rows["colour"]))
    shades = alt.Scale(domain=roles, range=[COLOURS[role] for role in roles])
    colour = alt.Color("colour:N", scale=shades, legend=None)
    tip = [
        alt.Tooltip("what:N"),
        *(alt.Tooltip(f"{key}:Q", format="+.2f") for key in ("value", "low", "high")),
    ]
    base = alt.Chart(rows).encode(y=y, color=colour, tooltip=tip)
    seen = pd.DataFrame([{"seen": verdict.seen.smallest, "label": SEEN}])
    line = alt.Chart(seen).encode(x="seen:Q")
    right = verdict.seen.smallest > rows["high"].max() / 2  # where the line's words have room
    return alt.layer(
        alt.Chart(pd.DataFrame([{"zero": 0.0}])).mark_rule(opacity=0.4).encode(x="zero:Q"),
        base.mark_rule(strokeWidth=2.2).encode(x="low:Q", x2="high:Q"),
        base.mark_tick(thickness=2.2, size=12).encode(x="high:Q"),
        base.mark_point(filled=True, size=140, opacity=1).encode(x=x),
        line.mark_rule(strokeDash=[5, 3], strokeWidth=2, color=COLOURS["law"]),
        line.mark_text(
            align="right" if right else "left",
            dx=-6 if right else 6,
            dy=-8,
            baseline="top",
            color=COLOURS["law"],
        ).encode(text="label:N", y=alt.value(0)),
    ).properties(height=ROW_PX * len(rows) + 14)


def _named(curve: Curve) -> str:
    """Short enough for a legend on a narrow screen."""
    done = "" if curve.recipe == "plain" else f" ({recipe(curve.recipe).lower()})"
    return f"{OF_WORDS[curve.of]}: {LEARNER_SHORT[curve.learner]}{done}"


def learning_curves(verdict: Verdict) -> Chart:
    """The deciding measure against real training images: every curve that was measured; in percent."""
    rows = [
        {
            "curve": _named(curve),
            "images": point.images,
            "share": 100 * getattr(point.accuracies, verdict.measure),
            "seeds": point.seeds,
        }
        for curve in (*verdict.first.curves, *verdict.ceiling.curves)
        for point in curve.points
    ]
    frame = pd.DataFrame(rows, columns=["curve", "images", "share", "seeds"]).drop_duplicates()
    names = list(dict.fromkeys(frame["curve"]))
    shades = [COLOURS[role] for role in ("real", "law", "accepted", "control", "rejected", "baseline")]
    look = alt.Scale(domain=names, range=shades[: len(names)])
    base = alt.Chart(frame).encode(
        x=alt.X(
            "images:Q", title="real training images", scale=alt.Scale(type="log", nice=False, padding=12)
        ),
        y=alt.Y(
            "share:Q", title=f"validation {MEASURE_WORDS[verdict.measure]}, %", scale=alt.Scale(zero=False)
        ),
        color=alt.Color("curve:N", scale=look, legend=legend(1, labelLimit=0)),
        shape=alt.Shape("curve:N", scale=alt.Scale(domain=names), legend=None),
        tooltip=[
            "curve:N",
            alt.Tooltip("images:Q", format=","),
            alt.Tooltip("share:Q", format=".2f"),
            "seeds:Q",
        ],
    )
    return alt.layer(
        base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=70, opacity=1)
    ).properties(height=CURVE_PX)


def lengths(verdict: Verdict) -> Chart | None:
    """Accuracy on training and validation images against the steps of training; None in a fast reading."""
    if verdict.length is None:
        return None
    rows = [
        {"on": on, "steps": rung.steps, "share": 100 * share, "epochs": rung.epochs, "seeds": rung.seeds}
        for rung in verdict.length.rungs
        for on, share in (
            ("training images", rung.training_accuracy),
            ("validation images", rung.accuracies.accuracy),
        )
    ]
    names = ["training images", "validation images"]
    look = alt.Scale(domain=names, range=[COLOURS["baseline"], COLOURS["real"]])
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X(
            "steps:Q",
            title="steps of training",
            scale=alt.Scale(type="log", nice=False, padding=12),
            axis=alt.Axis(values=[rung.steps for rung in verdict.length.rungs], format=","),
        ),
        y=alt.Y("share:Q", title="accuracy, %", scale=alt.Scale(zero=False)),
        color=alt.Color("on:N", scale=look, legend=legend(2)),
        shape=alt.Shape("on:N", scale=alt.Scale(domain=names), legend=None),
        tooltip=[
            "on:N",
            alt.Tooltip("steps:Q", format=","),
            alt.Tooltip("epochs:Q", format=".1f"),
            alt.Tooltip("share:Q", format=".2f"),
            "seeds:Q",
        ],
    )
    return alt.layer(
        base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=80, opacity=1)
    ).properties(height=CURVE_PX)
