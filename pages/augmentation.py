"""Augmentation: choose settings, see what is predicted and what it costs, launch, watch."""

from __future__ import annotations

from typing import Any

import streamlit as st

from gmaug_core import config, runs
from gmaug_core.errors import InputError
from gmaug_core.report import cost, scores
from gmaug_core.ui import elsewhere, launching, layout, live, method_fields, run_table, text
from gmaug_core.ui.choice import chosen, grouping_of
from gmaug_core.workspace import groupings

st.title("Augmentation", anchor=False)
data = chosen()
st.markdown(
    "GM-augCls: train a generator once on the imbalanced images, draw from it for the rare classes, keep "
    "what the classifier accepts, "
    "and train again. The gain is measured on test images that nothing else has looked at, against fair "
    "controls."
)
known = runs.list_runs("augmentation", data.id)

with st.expander("New run", icon=":material/add_circle:", expanded=not known):
    left, right = layout.columns(2, key="aug-settings", least=18)
    with left:
        preset = st.radio(
            "Preset", list(config.PRESETS), format_func=str.capitalize, horizontal=True, key="aug-preset"
        )
        st.caption(config.PRESETS[preset].words)
        names = sorted(config.GENERATORS, reverse=preset == "paper")  # the paper's own first
        generator = st.radio(
            "Generator",
            names,
            format_func=lambda name: config.GENERATORS[name].title,
            horizontal=True,
            key=f"aug-generator-{preset}",
        )
        st.caption(config.GENERATORS[generator].words)
        classifier = st.radio(
            "Classifier",
            list(config.CLASSIFIERS),
            format_func=lambda name: config.CLASSIFIERS[name].title,
            horizontal=True,
            key="aug-classifier",
        )
        st.caption(config.CLASSIFIERS[classifier].words)
        groups = groupings.names(data)
        grouping = st.selectbox(
            "Grouping, for the predicted gain",
            groups,
            index=grouping_of(data, groups),
            format_func=text.grouping,
            key=f"aug-grouping-{data.id}",
        )
        seeds = st.number_input(
            "Seeds",
            1,
            100,
            3,
            key="aug-seeds",
            help="Each seed trains every classifier again. One seed moves a result by several points.",
        )
    judging = {"classifier": {"name": classifier}}
    base = launching.resolve(data, preset, generator, judging)
    overrides: dict[str, Any] = {"grouping": grouping, "seeds": seeds, **judging}
    problem: InputError | None = None
    wanted: config.AugmentationConfig | None = None
    with right, st.expander("Advanced settings", icon=":material/tune:"):
        tag = f"{preset}-{generator}-{data.id}"  # another preset has other defaults
        one, two = layout.columns(2, key="aug-advanced", least=9)
        kimg = one.number_input(
            "Generator budget (kimg)",
            0.1,
            1e6,
            base.generator.kimg,
            key=f"kimg-{tag}",
            help="Thousand images that training looks at.",
        )
        minutes = two.number_input(
            "or its budget in minutes (0: kimg)",
            0.0,
            1e6,
            0.0,
            key=f"minutes-{tag}",
            help="Becomes kimg at launch, by measured speed.",
        )
        target = one.number_input(
            "Images a class (0: as the largest)",
            0,
            10**7,
            0,
            key=f"target-{tag}",
            help="Real and synthetic together.",
        )
        use = two.multiselect(
            "How accepted images enter training",
            ["fill", "mix"],
            list(base.use),
            key=f"use-{tag}",
            help=(
                "fill: as if they were real. mix: as a fixed share of what is drawn. With both, validation "
                "chooses."
            ),
        )
        mix = one.number_input(
            "Share in mix",
            0.01,
            0.99,
            base.mix,
            key=f"mix-{tag}",
            help="Of what is drawn of a filled class, the part that is synthetic. 0.25: every fourth image.",
        )
        max_steps = two.number_input(
            "Select-and-retrain steps, at most",
            1,
            10,
            base.max_steps,
            key=f"steps-{tag}",
            help="A step trains the classifier with what was accepted, and lets it judge anew.",
        )
        tolerance = one.number_input(
            "Tolerance (epsilon)",
            0.0,
            0.99,
            base.tolerance,
            format="%.3f",
            key=f"epsilon-{tag}",
            help="Validation accuracy must rise by more than this for another step.",
        )
        budget = two.number_input(
            "Draws for every image wanted, at most",
            1.0,
            1e6,
            base.draw_budget,
            key=f"budget-{tag}",
            help="Where few images are accepted more must be drawn; at this many drawing ends.",
        )
        seed = one.number_input("First seed", 0, 2**31 - 1, 0, key=f"seed-{tag}")
        judging_by = method_fields.selection(base, tag)
        measuring = method_fields.experiment(base, tag)
        more = st.text_area(
            "Any other setting, one KEY=VALUE a line",
            key=f"more-{tag}",
            height=80,
            placeholder="classifier.steps=800\ngenerator.guidance=2",
        )
        overrides |= {
            "generator": {"kimg": kimg, "minutes": minutes or None},
            "selection": judging_by,
            "use": use,
            "mix": mix,
            **measuring,
        }
        overrides |= {
            "max_steps": max_steps,
            "tolerance": tolerance,
            "draw_budget": budget,
            "seed": seed,
            "target": target or None,
        }
    twice: list[str] = []
    try:
        for key, value in config.parse_assignments(
            line for line in more.splitlines() if line.strip()
        ).items():
            twice += launching.said_twice(key, value, overrides.get(key))
            both = isinstance(value, dict) and isinstance(overrides.get(key), dict)
            overrides[key] = overrides[key] | value if both else value
        wanted = launching.resolve(data, preset, generator, overrides)
    except InputError as error:
        problem = error
    with right:
        if twice:
            st.warning(
                "The lines under 'Any other setting' win over the fields above: " + "; ".join(twice) + ".",
                icon=":material/priority_high:",
            )
        if wanted:
            launching.expected(wanted, data)
        st.markdown("**What the score says**")
        found = scores.newest(data, grouping)
        if found:
            launching.advice_box(scores.advice(found, data, wanted.target if wanted else None))
        else:
            st.info(
                "The score under this grouping has not been measured yet. It takes seconds, and may save the "
                "whole run."
            )
            text.link("similarity", "Measure the score first", "straighten")
        if wanted:
            st.markdown("**What it costs**")
            st.caption(f"{cost.words(wanted)} {cost.drawing(wanted, data)}")
            launching.estimate(wanted)
    if problem:
        text.error_box(problem)
    if (
        st.button(
            "Launch",
            type="primary",
            icon=":material/rocket_launch:",
            disabled=wanted is None,
            key="aug-start",
        )
        and wanted
    ):
        launching.start(wanted, data)

with st.expander("Measure images made elsewhere", icon=":material/balance:"):
    elsewhere.form(data)

if not known:
    launching.name_damaged("augmentation")
    text.empty(
        "No run yet",
        "Choose a preset above and press **Launch**. The run works in the background: you can close this "
        "page, and come back.",
        page="similarity",
        label="See first what the law predicts",
    )
    st.stop()

run_table.show(data)
paths = launching.pick("augmentation", data.id)
if paths is None:
    st.stop()
run_table.about(paths, data.id)
status = live.show(paths.id)
if status.state == "finished":
    with st.container(horizontal=True):
        text.link("gains", "What was it worth?", "insights")
        text.link("samples", "Look through the samples", "grid_view")
    left, right = layout.columns(2, key="aug-after")
    with right:
        live.grids(paths)
    with left:
        live.finished_charts(paths)
