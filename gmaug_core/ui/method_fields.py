"""Fields of a form that say how the method works: who judges by what rule, what else turns an image away, how
many images enter, on how many folds, and whether an early look may end the run.

Each gives settings for config.augmentation_config, the same that `--set` names on the command line.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from gmaug_core.config import USUAL_THRESHOLDS, AugmentationConfig
from gmaug_core.config.selection import Gate, Judging, Mode
from gmaug_core.scoring import record
from gmaug_core.ui import layout

MODE_WORDS: dict[Mode, str] = {
    "probability": "probability: means the same on every dataset",
    "calibrated": "calibrated: a probability made right on validation",
    "logit": "logit: the paper's raw score (10 to 30 for ResNet18)",
    "real_share": "real share: so high that this share of real images would pass",
    "none": "nothing: every image that is drawn is kept",
}
JUDGE_WORDS: dict[Judging, str] = {
    "plain": "plain: trained on all real images, as in the paper",
    "cross_fitted": "cross-fitted: several, none of which has seen all real images",
}
GATE_WORDS: dict[Gate, str] = {
    "copy": "no copies of training images",
    "outlier": "none far from its class",
    "told_apart": "none that pixels tell from real ones",
    "repeat": "no near-duplicates of each other",
}
PROBE_WORDS = {"off": "off", "ask": "pause and ask", "stop": "end the run"}
AMOUNTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)


def selection(base: AugmentationConfig, tag: str) -> dict[str, Any]:
    """Fields of the acceptance rule, in two columns. base: whose values are shown first; tag: of their keys,
    since other settings have other first values."""
    rule = base.selection
    mode = st.selectbox(  # across both: its options are sentences
        "Threshold on",
        list(MODE_WORDS),
        index=list(MODE_WORDS).index(rule.mode),
        format_func=MODE_WORDS.__getitem__,
        key=f"mode-{tag}",
    )
    judge = st.selectbox(
        "Judge",
        list(JUDGE_WORDS),
        index=list(JUDGE_WORDS).index(rule.judge),
        format_func=JUDGE_WORDS.__getitem__,
        key=f"judge-{tag}",
    )
    one, two = layout.columns(2, key=f"rule-{_plain(tag)}", least=9)
    least, most = {"logit": (-1000.0, 1000.0), "none": (0.0, 0.0)}.get(mode, (0.001, 0.999))
    threshold = one.number_input(
        "Threshold (alpha)",
        least,
        most,
        rule.threshold if mode == rule.mode else USUAL_THRESHOLDS[mode],
        step=1.0 if mode == "logit" else 0.05,
        format="%.3g",
        key=f"alpha-{mode}-{tag}",
        disabled=mode == "none",
        help="An image is kept when the classifier's first choice is its class and its score is above this.",
    )
    if (mode, threshold) == record.FILTER:
        one.caption(record.filter_words())
    folds = two.number_input(
        "Parts of a cross-fitted judge",
        2,
        20,
        rule.judge_folds,
        key=f"judge-folds-{tag}",
        disabled=judge == "plain",
        help="As many classifiers more for every seed and step.",
    )
    gates = one.multiselect(
        "What else an image must pass",
        list(GATE_WORDS),
        list(rule.gates),
        format_func=GATE_WORDS.__getitem__,
        key=f"gates-{tag}",
    )
    share = two.number_input(
        "Real images that pass each of these",
        0.51,
        0.999,
        rule.gate_share,
        step=0.01,
        format="%.3g",
        key=f"gate-share-{tag}",
        disabled=not gates,
        help="The bounds are set so that this share of the real validation images passes.",
    )
    return {
        "mode": mode,
        "threshold": threshold,
        "judge": judge,
        "judge_folds": folds,
        "gates": gates,
        "gate_share": share,
    }


def experiment(base: AugmentationConfig, tag: str) -> dict[str, Any]:
    """Fields of what is measured how often, in two columns; base, tag: as above."""
    one, two = layout.columns(2, key=f"measured-{_plain(tag)}", least=9)
    amounts = one.multiselect(
        "Amounts that are tried",
        sorted({*AMOUNTS, *base.amounts}),
        list(base.amounts),
        format_func=lambda amount: f"{amount:g} x",
        key=f"amounts-{tag}",
        help="In multiples of what each class is short of. With several, validation chooses; 0 is always "
        "tried.",
    )
    folds = two.number_input(
        "Folds",
        1,
        20,
        base.folds,
        key=f"folds-{tag}",
        help="2 or more: every image is tested once, by an experiment of its own a fold: that many times the "
        "work. Samples, export and the choice of the amount are of the first fold.",
    )
    probe = one.selectbox(
        "After a fifth of the generator's training, if the rest will not pay",
        list(PROBE_WORDS),
        index=list(PROBE_WORDS).index(base.probe),
        format_func=PROBE_WORDS.__getitem__,
        key=f"probe-{tag}",
    )
    return {"amounts": amounts, "folds": folds, "probe": probe}


def _plain(tag: str) -> str:
    """Letters and '-' alone."""
    return "".join(letter if letter.isalpha() else "-" for letter in tag)
