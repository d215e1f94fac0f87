"""Before images are drawn what the filter does with real ones; while they are, what to expect of each class
in the end, and what was given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from gmaug_core.method.parts.synthetic import Passed
from gmaug_core.report import acceptance
from gmaug_core.ui import text


def of_filter(rows: Sequence[Mapping[str, Any]]) -> None:
    """What the filter does with real images, known before a generator is trained. Nothing until then."""
    found = next((row["real_accepted"] for row in reversed(rows) if row.get("real_accepted")), None)
    if found is None:
        return
    real = Passed.model_validate(found)
    st.caption(f"The filter accepts {acceptance.of_real(real)}, which no judge was trained on.")
    if why := acceptance.too_strict(real):
        st.warning(text.md(why), icon=":material/filter_alt_off:")


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """rows: of metrics.jsonl; the newest forecast, the classes first that will miss the most of what is
    wanted. Nothing before the first look."""
    found: Sequence[Mapping[str, Any]] = next(
        (row["forecast"] for row in reversed(rows) if row.get("forecast")), ()
    )
    if not found:
        return
    st.dataframe(
        {
            "class": [text.plain(each["class"]) for each in found],
            "wanted": [each["wanted"] for each in found],
            "drawn": [each["drawn"] for each in found],
            "accepted": [each["accepted"] for each in found],
            "expected in the end": [
                f"{text.count(each['expected'])} ({text.count(each['low'])} to {text.count(each['high'])})"
                for each in found
            ],
        },
        hide_index=True,
    )
    st.caption(
        "Expected with the draws that the budget still has, with a 95 % interval, of the judge that accepts "
        "least."
    )
    if ended := [each for each in found if each["given_up"]]:
        st.caption(
            f"Given up: {text.md(', '.join(each['class'] for each in ended))}. Even at the upper end of "
            "their acceptance the rest of the budget would bring too little of what is wanted; "
            f"{text.count(sum(each['saved'] for each in ended))} draws are saved."
        )
