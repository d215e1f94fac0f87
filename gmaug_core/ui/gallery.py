"""The gallery of a run's synthetic images: thousands at once, reviewed by keyboard, every decision saved.

The pictures and the list come from our own routes: a rerun carries only decisions.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from gmaug_core.config import AugmentationConfig, image_format
from gmaug_core.data import samples, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.nearest import nearest
from gmaug_core.data.pictures import png
from gmaug_core.data.sample_map import MapFiles
from gmaug_core.errors import Conflict, Forbidden, GMAugError, InputError
from gmaug_core.report.browsing import Filter
from gmaug_core.report.theme import COLOURS
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.ui import ASSETS, items, layout, text, visitor
from gmaug_core.ui.operations import Acknowledged, Operation, script
from gmaug_core.ui.routes import open_dataset, samples_url
from gmaug_core.workspace import reviews

NEAREST = 4  # real images beside a sample
UNSEEN = -1  # no decision has this number
WORDS = {"keep": "kept", "reject": "rejected"}

_component = st.components.v2.component(
    "gmaug_gallery",
    html="<div></div>",
    css=(ASSETS / "gallery.css").read_text("utf-8"),
    js=script("operations.mjs", "elements.mjs", "gallery_logic.mjs", "gallery.js"),
)


@dataclass
class State(Acknowledged):
    """What one tab sees of one run's reviews."""

    run: str
    count: int  # samples are 0 .. count - 1
    decisions: dict[int, str]
    seen: dict[int, int] = field(default_factory=dict)  # sample -> the decision that this tab shows


def apply_ops(state: State, sent: object) -> State:
    """Save what the browser has not had acknowledged, in order, and acknowledge it.

    Changes and returns state.

    An operation is {id, n, mount, edits: [[sample, "keep" | "reject" | null], ...], before: what was shown of
    each}. One that cannot be done is dropped whole and said in state.problem; one that could not be saved is
    not acknowledged, so the browser sends it again.
    """
    with state.lock:
        fresh = state.fresh(sent)
        if not fresh:
            return state
        edits: dict[int, str | None] = {}
        seen = dict(state.seen)
        state.problem = ""
        for _, op in fresh:
            try:
                made = _edits(op.get("edits"), state.count)
            except InputError as error:
                state.problem = str(error)
                continue
            if state.again(op):
                seen |= dict.fromkeys(_unseen(op, made, {**state.decisions, **edits}), UNSEEN)
            edits |= made
        if edits:
            try:
                state.seen |= reviews.save(state.run, edits, seen=seen)
            except (Conflict, Forbidden) as error:  # sent again, it would be refused again
                state.problem = str(error)
                state.acknowledge(fresh)
                return state
            except GMAugError as error:
                state.problem = str(error)
                return state
            state.decisions = {k: v for k, v in {**state.decisions, **edits}.items() if v is not None}
        state.acknowledge(fresh)
    return state


def _unseen(op: Operation, made: Iterable[int], now: Mapping[int, str | None]) -> list[int]:
    """Of the samples that an earlier page decided about: those that it showed otherwise than they are."""
    before = op.get("before")
    if not isinstance(before, list):
        return list(made)
    return [sample for sample, word in zip(made, before, strict=False) if now.get(sample) != word]


def _edits(given: object, count: int) -> dict[int, str | None]:
    """The decisions of one operation. Raises InputError for anything else."""
    pairs = given if isinstance(given, list) else []
    if not pairs or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise InputError("that is no decision about samples", expected="pairs of a sample and a word")
    return dict(reviews.check(sample, decision, count=count) for sample, decision in pairs)


def asked_for(run_id: str) -> int | None:
    """The sample that this tab looks at; before it looked at any, the one that its address names."""
    view = st.session_state.get(f"gallery-{run_id}-view") or {}
    selected, linked = view.get("selected"), st.query_params.get("sample", "")
    if isinstance(selected, int):
        return selected
    return int(linked) if linked.isdecimal() else None


def gallery(
    paths: RunPaths, want: Filter, *, shown: int, count: int, first: int | None, under: bool = False
) -> int | None:
    """Draw the gallery; deal with what its person did.

    shown: how many the filter finds; count: samples of the run; first: the one of them that it begins at,
    None where the filter finds none; under: whether it stands below the map, and has less room.

    Returns the sample that the person looks at, None where there is none.
    """
    key = f"gallery-{paths.id}"
    if key not in st.session_state:
        st.session_state[key] = State(paths.id, count, {})
    state: State = st.session_state[key]
    with state.lock:  # what is acknowledged below must be in these decisions
        state.count, state.seen = count, reviews.numbers(paths.id)
        state.decisions = reviews.load(paths.id)
        ack, decisions = state.ack, dict(state.decisions)

    def receive() -> None:
        apply_ops(st.session_state[key], (st.session_state.get(f"{key}-view") or {}).get("ops"))

    def looked_at(view: Mapping[str, object]) -> int | None:
        selected = view.get("selected")
        return selected if isinstance(selected, int) and 0 <= selected < count else first

    result = _component(
        key=f"{key}-view",
        data={
            "log": visitor.own(key),
            "mount": state.mount,
            "ack": ack,
            "items": items.url(
                paths.id, want, f"{samples.steps(paths.samples)}-{MapFiles(paths.samples).version}"
            ),
            "pictures": samples_url(paths.id),
            "decisions": {str(sample): decision for sample, decision in decisions.items()},
            "expected": shown,
            "first": first,
            "selected": looked_at(st.session_state.get(f"{key}-view") or {}),
            "under": under,
            "colours": {name: COLOURS[name] for name in ("accepted", "rejected")},
        },
        on_ops_change=receive,
        on_selected_change=lambda: None,
    )
    if state.problem:
        st.warning(text.md(state.problem), icon=":material/warning:")
    return looked_at(result)


# --- the inspector ---

_CARD = """<style>
.card-of-sample { display: flex; flex-wrap: wrap; gap: 8px; align-items: flex-start; }
.card-of-sample img { image-rendering: pixelated; border-radius: 4px; display: block; background: #0002; }
.card-of-sample > img { flex: 0 1 168px; width: 168px; min-width: 0; max-width: 100%; }
.card-of-sample .near { display: grid; grid-template-columns: repeat(2, 60px); gap: 2px 6px; }
.card-of-sample figure { margin: 0; }
.card-of-sample p { grid-column: 1 / -1; margin: 0; font-size: 11px; line-height: 14px; opacity: .75; }
.card-of-sample figcaption { font-size: 11px; line-height: 15px; overflow: hidden; white-space: nowrap;
    text-overflow: ellipsis; width: 60px; }
</style>"""


def inspector(paths: RunPaths, sample: int, want: Filter) -> None:
    """One sample large beside the real images nearest to it, and what judges and people said of it."""
    every = items.table(paths.samples)
    rows = every[every["sample"].to_numpy() == sample].sort_values("seed")
    now = items.of_judge(paths, want.seed, want.threshold)
    judged = now[now["sample"].to_numpy() == sample]
    first = (judged if len(judged) else rows).iloc[0]
    settings = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
    data = open_dataset(settings.dataset)
    pixels = samples.image(paths.samples, sample)
    st.html(_card(pixels, str(first["class"]), sample, _nearest_real(paths, data, settings, pixels, first)))
    accepted = bool(first["accepted"])
    verdict = (
        ":green-badge[:material/check: accepted]" if accepted else ":orange-badge[:material/close: rejected]"
    )
    review = reviews.newest(paths.id).get(sample)
    if review and review.decision:
        verdict += f" :blue-badge[:material/person: {WORDS[review.decision]} by {text.md(review.person)}]"
    st.markdown(f"**Sample {sample}**, drawn as **{text.md(first['class'])}** {verdict}")
    st.markdown(
        f"Reason: {text.md(first['reason'])}  \n"
        f"Judged as {text.md(data.class_names[int(first['predicted'])])}; its own class: probability "
        f"{first['probability']:.4f}, logit {first['logit']:.2f}  \n"
        f"Step {first['step']}, draw seed {first['draw_seed']}{_on_the_map(first)}",
        help="Logit: what the judge's last layer gives the image's own class. Probability: "
        "exp(logit) divided by the sum of exp over all classes.",
    )
    if len(rows) > 1:
        _every_judge(rows, data.class_names)


def _on_the_map(row: pd.Series) -> str:
    """What the map says of a sample, where there is one."""
    if pd.isna(row.get("typicality")):
        return ""
    alike = [
        words
        for name, words in (("near_real", "a training image"), ("near_twin", "another sample"))
        if row[name]
    ]
    copy = f"  \nNearly {' and '.join(alike)}" if alike else ""
    return f"  \n{row['typicality']:.2f} times as far from its class's centre as the median real image{copy}"


def _card(
    pixels: NDArray[np.uint8], name: str, sample: int, near: Sequence[tuple[str, float, NDArray[np.uint8]]]
) -> str:
    """The pictures as HTML; near: class, distance and pixels of real images."""
    alt = f"Sample {sample}, drawn as {name}"
    shown = "".join(
        f"<figure>{layout.picture_tag(png(image, least=60), width=60, alt=f'Real image of {real}')}"
        f"<figcaption title='{html.escape(text.plain(real), quote=True)}'>{distance:.1f} "
        f"{html.escape(text.plain(real))}</figcaption></figure>"
        for real, distance, image in near
    )
    says = (
        "The nearest real training images, by pixels: root mean square difference in grey levels. Near 0: "
        "the generator may have copied this image."
    )
    return (
        f"{_CARD}<div class='card-of-sample'>{layout.picture_tag(png(pixels, least=168), width=168, alt=alt)}"
        f"<div class='near' title='{says}'>{shown}<p>Nearest real, and how far in grey levels</p></div></div>"
    )


def _every_judge(rows: pd.DataFrame, class_names: Sequence[str]) -> None:
    marks = {True: ":green[:material/check:]", False: ":orange[:material/close:]"}
    judges = rows[["seed", "predicted", "probability", "accepted"]].itertuples(index=False)
    lines = [
        f"{marks[bool(ok)]} seed {number}: {text.md(class_names[int(k)])}, p {p:.3f}"
        for number, k, p, ok in judges
    ]
    st.markdown("**Every judge**  \n" + "  \n".join(lines))


def _nearest_real(
    paths: RunPaths, data: Dataset, settings: AugmentationConfig, pixels: NDArray[np.uint8], row: pd.Series
) -> list[tuple[str, float, NDArray[np.uint8]]]:
    """Class, distance and pixels of the real training images nearest to a sample."""
    real = data.images(image_format(settings.generator.resolution, settings.generator.colour))
    train = _train(paths, data.id, settings.seed)
    found = nearest(pixels, real, train, data.labels, int(row["label"]), most=NEAREST)
    return [(data.class_names[data.labels[i]], distance, np.array(real[i])) for i, distance in found]


@lru_cache(maxsize=4)
def _train(paths: RunPaths, dataset_id: str, seed: int) -> NDArray[np.int64]:
    return splits.read(paths.split, open_dataset(dataset_id), seed)["train"]
