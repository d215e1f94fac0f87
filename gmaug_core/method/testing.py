"""What the arms say of the test images: accuracies, gains, recalls of classes, predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.dataset import Dataset
from gmaug_core.method.measures import generator_spread, pooled_seeds, recall, relative_gain, summary
from gmaug_core.method.predictions import Predictions
from gmaug_core.method.variants import VARIANTS, role, short
from gmaug_core.models.classifiers import Evaluation

OF_GENERATOR = ("unfiltered", "real_replay")  # arms of the first generator's images alone


@dataclass(frozen=True)
class Endpoint:
    """The comparison that was fixed beforehand; the best recipe was chosen on validation.

    recipe: its key (method.recipes); alone, augmented: keys of `tested`, that recipe on real images and on
    real and synthetic ones; rivals: those of the other recipes without a generator that validation could not
    tell from the best.
    """

    recipe: str
    alone: str
    augmented: str
    rivals: tuple[str, ...] = ()


def measured(
    labels: NDArray[np.int64],
    tested: Mapping[str, Sequence[Evaluation]],
    endpoint: Endpoint | None,
    *,
    fold: NDArray[np.int64] | None = None,
    repeats: Sequence[Mapping[str, Sequence[Evaluation]]] = (),
) -> dict[str, Any]:
    """Every variant, of the first generator, and every gain on the test images: keys of the result. Gains
    over what needs no generator are means over generators.

    labels: int [images]; fold: int [images], that tested each, where there are several; repeats: the arms
    that need a generator with each of the others.
    """
    pooled = pooled_seeds(tested)
    variants = {key: summary(label_of(key), found, labels) for key, found in tested.items()}
    gains = {
        key: relative_gain(
            tested["augmented"],
            found,
            key,
            pooled=pooled,
            fold=fold,
            repeats=[] if key in OF_GENERATOR else [each["augmented"] for each in repeats],
        )
        for key, found in tested.items()
        if role(key) != "accepted"
    }
    document = {
        "baseline": variants.pop("baseline"),
        "augmented": variants.pop("augmented"),
        "controls": variants,
        "relative_gain_percent": gains["baseline"],
        "gains": gains,
    }
    if endpoint is None:
        return document
    alone, after = tested[endpoint.alone], tested[endpoint.augmented]
    again = [each[endpoint.augmented] for each in repeats]
    over = {
        key: relative_gain(
            after, tested[key], key, of=endpoint.augmented, pooled=pooled, fold=fold, repeats=again
        )
        for key in (endpoint.alone, *endpoint.rivals)
    }
    document |= {"endpoint": over.pop(endpoint.alone), "endpoint_recipe": endpoint.recipe, "rivals": over}
    return document | ({"generators": generator_spread([after, *again], alone)} if again else {})


def write_predictions(
    data: Dataset,
    folder: Path,
    index: NDArray[np.int64],
    seed: int,
    tested: Mapping[str, Sequence[Evaluation]],
    endpoint: Endpoint | None,
) -> None:
    """What the first seed's classifiers of the endpoint (else of the paper's comparison) said of the test
    images. index: int64 [images], their numbers, ascending; seed: the first one."""
    control, augmented = (endpoint.alone, endpoint.augmented) if endpoint else ("baseline", "augmented")
    said = {
        key: tuple(tested[variant][0].probabilities.argmax(axis=1).tolist())
        for key, variant in (("before", control), ("after", augmented))
    }
    Predictions.new(
        dataset_version=data.version,
        seed=seed,
        images=tuple(index.tolist()),
        label=tuple(data.labels[index].tolist()),
        control=control,
        augmented=augmented,
        **said,
    ).write(folder / Predictions.FILE)


def label_of(key: str) -> str:
    """What a result says of a variant."""
    return VARIANTS[key].label if key in VARIANTS else short(key)


def recalls(
    tested: Mapping[str, Sequence[Evaluation]], labels: NDArray[np.int64], label: int
) -> dict[str, Any]:
    """Each variant's recall of one class, and its interval: keys of parts.accuracy.ClassRow."""
    found = {key: recall(evaluations, labels, label) for key, evaluations in tested.items()}
    return {
        "intervals": {key: (each.low, each.high) for key, each in found.items() if each},
        **{key: each.mean if each else None for key, each in found.items()},
    }
