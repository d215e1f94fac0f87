"""The record of what is predicted, on every page that predicts."""

from __future__ import annotations

import streamlit as st

from gmaug_core.scoring import fair, record
from gmaug_core.ui import text


def show() -> None:
    """The record in sentences, and behind them the datasets one by one."""
    known = record.cells()
    st.caption(text.md(f"{record.words(known)} {fair.shipped_words()}"))
    if not known:
        return
    with st.expander(
        f"The {text.plural(len(known), 'dataset', 'datasets')} behind it", icon=":material/fact_check:"
    ):
        st.dataframe(
            [
                {
                    "dataset": cell.name,
                    "score": cell.score,
                    "law, %": cell.predicted,
                    "measured over plain training, %": cell.gain,
                    "headroom at most, points": cell.at_most,
                    "endpoint, points": cell.points,
                    "from": cell.points_low,
                    "to": cell.points_high,
                }
                for cell in known
            ],
            column_config={
                "score": st.column_config.NumberColumn(format="%.3f"),
                **{
                    name: st.column_config.NumberColumn(format="%+.1f")
                    for name in (
                        "law, %",
                        "measured over plain training, %",
                        "headroom at most, points",
                        "endpoint, points",
                        "from",
                        "to",
                    )
                },
            },
            hide_index=True,
        )
        st.caption(
            "Quick preset at 16 to 32 px, five classifier seeds, one generator each. Endpoint: the best "
            "recipe without a generator, with synthetic images against without. Images smaller than 128 px "
            "have no place on the law's curve; what it would have said is shown all the same. All figures: "
            "docs/results.md."
        )
