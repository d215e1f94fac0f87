"""Starting runs from a page, and which run the person looks at: kept in the address and for the session."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import streamlit as st

from gmaug_core import runs
from gmaug_core.config import (
    SOURCES,
    AugmentationConfig,
    EquivalenceConfig,
    RunConfig,
    SelectionConfig,
    SimilarityConfig,
    VerdictConfig,
    augmentation_config,
)
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.intake import jobs
from gmaug_core.report import outlook
from gmaug_core.report.cost import duration
from gmaug_core.runs import KINDS, RunConfigFile, RunPaths, launch
from gmaug_core.runs import bin as bins
from gmaug_core.runs.backends import backend
from gmaug_core.runs.estimate import Estimate
from gmaug_core.scoring.advice import Advice
from gmaug_core.ui import address, packed, text, where
from gmaug_core.ui import bin as bin_ui
from gmaug_core.ui.routes import open_dataset
from gmaug_core.workspace.grouping import IDENTITY

SAME_S = 5.0  # the same settings again within this time are the same click


def start(config: RunConfig, data: Dataset) -> None:
    """Submit a run of the dataset once: a double click, or a rerun in the middle, gives the same run.

    Says what was wrong in words.
    """
    kind, asked = config.kind, config.model_dump_json()
    sent = st.session_state.get(f"sent-{kind}")
    if sent and sent[0] == asked and time.monotonic() - sent[2] < SAME_S:
        st.session_state[next_key(kind, config.dataset)] = sent[1]
        st.rerun()
    token = st.session_state.setdefault(f"token-{kind}", secrets.token_hex(6))
    try:
        with st.spinner("Starting the run…"):  # a budget in minutes is measured first
            run_id = launch.submit(config, data=data, token=token, where=where.chosen())
            st.session_state[f"sent-{kind}"] = (asked, run_id, time.monotonic())
    except GMAugError as error:
        text.error_box(error)
        return
    del st.session_state[f"token-{kind}"]
    st.session_state[next_key(kind, config.dataset)] = run_id
    st.rerun()


def run_key(kind: str, dataset_id: str) -> str:
    return f"run-{kind}-{dataset_id}"


def next_key(kind: str, dataset_id: str) -> str:
    """The run that `pick` takes at the next rerun: in this one its widget may be drawn already."""
    return f"next-{run_key(kind, dataset_id)}"


def pick(kind: str, dataset_id: str) -> RunPaths | None:
    """The run to look at: the one looked at before, at first and after going back the one in the address,
    else the newest.

    None where there is none. Runs that cannot be read are named above it.
    """
    name_damaged(kind)
    found = {paths.id: paths for paths in runs.list_runs(kind, dataset_id)}
    key = run_key(kind, dataset_id)
    if (started := st.session_state.pop(next_key(kind, dataset_id), None)) in found:
        st.session_state[key] = started
    wanted = st.query_params.get("run")
    missing = wanted if wanted not in found and (wanted or "").partition("-")[0] == kind else None
    asked = address.turned() or st.session_state.get(key) not in found
    if asked and missing:
        st.warning(
            f"The run '{text.md(missing)}' of this address is not among the {KINDS[kind].title.lower()} runs "
            f"of this dataset.{bin_ui.instead(missing)}" + (" You look at another one." if found else ""),
            icon=":material/link_off:",
        )
    if not found:
        return None
    if asked and wanted in found:
        st.session_state[key] = wanted
    elif st.session_state.get(key) not in found:
        st.session_state[key] = next(iter(found))
    labels = text.apart({run_id: label(paths) for run_id, paths in found.items()})
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"pick-{kind}"):
        run_id = st.selectbox(
            "Run", list(found), format_func=labels.__getitem__, key=key, persist_state="session"
        )
        st.link_button(
            "Export",
            packed.url(run_id),
            icon=":material/archive:",
            help="The whole run as one .tar, every file with its hash. Dropped on page Datasets of another "
            "workspace it is taken in there.",
        )
        bin_ui.delete_button("this run", lambda: bins.delete_run(run_id), key=f"delete-{run_id}")
    if st.query_params.get("run") != run_id:
        st.query_params["run"] = run_id
    return found[run_id]


def still(run_id: str) -> RunPaths:
    """The run that a part of a page shows; where somebody deleted it meanwhile the whole page looks again."""
    try:
        return runs.find(run_id)
    except InputError:
        st.rerun()


def name_damaged(kind: str) -> None:
    """Say which runs cannot be read, and why: no list shows them."""
    for paths, error in runs.damaged(kind):
        st.warning(
            f"The run {text.md(paths.id)} is damaged and cannot be shown: {text.md(error.what)}.",
            icon=":material/broken_image:",
        )


def label(paths: RunPaths) -> str:
    """One line on a run, for a list.

    Nothing in it may change while the run works: the browser holds the chosen line as text.
    """
    config = RunConfigFile.read(paths.config)
    settings = config.settings
    what = KINDS[config.kind].title
    if isinstance(settings, SimilarityConfig):
        what = settings.profile
    elif isinstance(settings, EquivalenceConfig):
        what = f"{settings.preset}, bases of {', '.join(map(str, settings.base_sizes))} a class"
    elif isinstance(settings, AugmentationConfig):
        what = f"{settings.preset}, {SOURCES[settings.generator.name].title}"
    elif isinstance(settings, VerdictConfig):
        what = "fast" if settings.fast else f"{settings.augmentation.preset}, {settings.minutes:g} minutes"
    named = settings.grouping != IDENTITY
    grouping = f"grouping {text.plain(settings.grouping)}" if named else "nothing grouped"
    return f"{text.moment(config.created)} · {what} · {grouping}"


def advice_box(given: Advice) -> None:
    """What the score alone says, in words; its icon only repeats them."""
    icon = "block" if given.gain is None else "help"
    st.info(f"**{given.verdict.capitalize()}.** {text.md(given.text)}", icon=f":material/{icon}:")


def resolve(
    data: Dataset, preset: str, generator: str, overrides: Mapping[str, Any] | None = None
) -> AugmentationConfig:
    """The settings of a run on this dataset. Raises InputError that names what is wrong."""
    for part in ("generator", "classifier"):
        given = (overrides or {}).get(part, {})
        for name in ("pretrained", "pretrained_classifier"):
            if isinstance(given, Mapping) and given.get(name):
                jobs.allowed_path(str(given[name]))  # a page reads no other folders than for imports
    return augmentation_config(
        data.id,
        image_size=data.image_size,
        colour=data.colour,
        symmetric=data.symmetric,
        preset=preset,
        generator=generator,
        overrides=overrides,
    )


def said_twice(key: str, typed: Any, field: Any) -> list[str]:
    """Settings of a typed line that a field of the form has another value for, as Markdown."""
    if isinstance(typed, Mapping):
        fields = field if isinstance(field, Mapping) else {}
        return [
            words for name, each in typed.items() for words in _twice(f"{key}.{name}", each, fields.get(name))
        ]
    return _twice(key, typed, field)


def _twice(name: str, typed: Any, field: Any) -> list[str]:
    if field is None or field == typed:
        return []
    return [f"{text.md(name)} is **{text.md(typed)}**, not {text.md(field)}"]


def expected(config: AugmentationConfig, data: Dataset) -> None:
    """The newest verdict, and the smallest gain that this run could tell from nothing."""
    st.markdown("**What the verdict says**")
    try:
        known = outlook.of(config, data)
    except GMAugError as error:  # the dataset cannot be split
        text.error_box(error)
        return
    for caution in known.cautions:
        st.warning(text.md(caution), icon=":material/warning:")
    st.info(text.md(known.verdict), icon=":material/balance:")
    if known.visible is not None:
        st.markdown(text.md(known.visible))
    text.link("verdict", "Ask for a verdict first" if known.run is None else "Read the verdict", "balance")


@lru_cache(maxsize=16)
def _estimate(kind: type[AugmentationConfig | EquivalenceConfig], settings: str, place: str) -> Estimate:
    config = kind.model_validate_json(settings)
    return launch.estimate(config, data=open_dataset(config.dataset), where=backend(place))


def measured_cost(config: AugmentationConfig | EquivalenceConfig, *, key: str) -> Estimate | None:
    """A button that measures what a run would cost here; what was found, once it was pressed.

    config: with fixed values for all that the cost does not depend on, so that another threshold does not ask
    to measure again; key: of the button.
    """
    settings, place = config.model_dump_json(), where.key()
    if st.button(
        "Measure the cost here",
        icon=":material/timer:",
        key=key,
        help="Trains a few steps on random images.",
    ):
        st.session_state[f"{key}d"] = settings, place
    if st.session_state.get(f"{key}d") != (settings, place):
        return None
    try:
        with st.spinner("Training a few steps…"):
            return _estimate(type(config), settings, place)
    except GMAugError as error:
        text.error_box(error)
        return None


def estimate(config: AugmentationConfig) -> None:
    """A button that measures what the generator would cost here, and what it found."""
    same = {"seed": 0, "grouping": "identity", "selection": SelectionConfig.model_validate({})}
    found = measured_cost(config.model_copy(update=same), key="aug-estimate")
    if found is None:
        return
    st.markdown(
        f"Generator: about **{duration(found.training_seconds)}** for {found.kimg:g} thousand images "
        f"({found.seconds_per_kimg:.3g} s each thousand), {found.sampling_img_per_s:.3g} images a second to "
        "draw, "
        f"{found.memory_mb / 1024:.1f} GB of memory. Measured on {text.md(found.device)}, busy as it is now."
    )
