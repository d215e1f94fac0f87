"""Make the map of a run's images: `python -m gmaug_core.work.mapping RUN`, for a process that has no torch.

Places are t-SNE (van der Maaten & Hinton 2008) of the features that the run's first judge, trained on real
images alone, has before its last layer. Near means alike to the judge; distances across the map mean nothing.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core import locks, runs
from gmaug_core.config import AugmentationConfig, image_format
from gmaug_core.data import dataset, samples, splits
from gmaug_core.data.sample_map import REAL, SAMPLE, MapFiles
from gmaug_core.data.views import Images
from gmaug_core.errors import GMAugError
from gmaug_core.method import gates
from gmaug_core.models import classifiers
from gmaug_core.models.devices import pick_device
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.seeds import derive

MOST_REAL, MOST_SAMPLES = 1_000, 2_000  # placed by t-SNE itself; the rest lie beside those most like them
DIMENSIONS = 50  # principal components that t-SNE sees
NEIGHBOURS = 3
SHARE = 0.05  # of real images that are nearer than this to another one: nearer still is nearly a copy
Floats = NDArray[np.float64]


def make(run_id: str) -> pd.DataFrame:
    """The map of a run that has drawn samples, written beside them; waits for a process that makes it now.

    Raises GMAugError where there are no samples, or no classifier to see them with.
    """
    paths = runs.find(run_id)
    settings = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
    files = MapFiles(paths.samples)
    if not samples.steps(paths.samples):
        raise GMAugError(
            f"run '{run_id}' has drawn no samples yet", todo="wait until its generator is trained"
        )
    with locks.locked(files.lock, wait=True):
        table = _measured(paths, settings)
        files.write(table)
    return table


def _measured(paths: RunPaths, settings: AugmentationConfig) -> pd.DataFrame:
    data = dataset.load(settings.dataset)
    train = splits.read(paths.split, data, settings.seed)["train"]
    real = np.asarray(
        data.images(image_format(settings.generator.resolution, settings.generator.colour))[train]
    )
    drawn = samples.all_images(paths.samples)
    judge = paths.folder / "checkpoints" / f"classifier-baseline-{settings.seed}.safetensors"
    if not judge.exists():
        raise GMAugError(
            "the classifier that judged is not there any more",
            expected=f"'{judge.name}' in the run's checkpoints",
            todo="resume the run, or run it again",
        )
    classes = len(data.class_names)
    seen = classifiers.load(judge, classes, settings.classifier, pick_device("cpu"))
    rows = samples.table(paths.samples).drop_duplicates("sample")
    labels = np.concatenate([data.labels[train], rows["label"].to_numpy(np.int64)])
    table = pd.DataFrame(
        {
            "kind": [REAL] * len(train) + [SAMPLE] * len(drawn),
            "number": np.concatenate([train, rows["sample"].to_numpy(np.int64)]),
            "label": labels,
        }
    )
    features = np.concatenate([seen.features(real), seen.features(drawn)]).astype(np.float64)
    of_real = np.arange(len(table)) < len(train)
    near_real, near_twin = near_copies(real, drawn)
    x, y = places(features, of_real, seed=settings.seed).T
    nothing = np.zeros(len(train), bool)
    return table.assign(
        x=x,
        y=y,
        typicality=typicality(features, labels, of_real, classes),
        near_real=np.concatenate([nothing, near_real]),
        near_twin=np.concatenate([nothing, near_twin]),
    )


def places(features: Floats, of_real: NDArray[np.bool_], *, seed: int) -> Floats:
    """Where images lie, float [n, 2] in 0..1. features: float [n, d]; of_real: bool [n]."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(derive("sample map", seed))
    picked = np.sort(
        np.concatenate(
            [
                rng.permutation(np.flatnonzero(which))[:most]
                for which, most in ((of_real, MOST_REAL), (~of_real, MOST_SAMPLES))
            ]
        )
    )
    most = min(DIMENSIONS, features.shape[1], len(picked))
    small = PCA(most, random_state=0).fit(features[picked]).transform(features)
    perplexity = min(30.0, (len(picked) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=int(rng.integers(2**31)))
    placed = np.asarray(tsne.fit_transform(small[picked]), np.float64)
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(picked))).fit(small[picked])
    found = placed[near.kneighbors(small, return_distance=False)].mean(axis=1)
    found[picked] = placed
    low, high = found.min(axis=0), found.max(axis=0)
    return np.asarray((found - low) / np.maximum(high - low, 1e-9), np.float64)


def typicality(
    features: Floats, labels: NDArray[np.int64], of_real: NDArray[np.bool_], classes: int
) -> Floats:
    """Distance to the centre of the real images of the own class, float [n]; 1: as the median real one of the
    class. NaN where the class has no real image."""
    found = np.full(len(features), np.nan)
    for label in range(classes):
        own = labels == label
        if (own & of_real).any():
            apart = np.linalg.norm(features[own] - features[own & of_real].mean(axis=0), axis=1)
            usual = float(np.median(apart[of_real[own]]))
            found[own] = apart / max(usual, np.finfo(float).tiny)
    return found


def near_copies(real: Images, drawn: Images) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which samples are nearly a real training image, and nearly another sample, in pixels: nearer than all
    but SHARE of the real images are to another real one, or equal. bool [samples], twice."""
    of_real, of_drawn = gates.pixels(real), gates.pixels(drawn)
    apart = _to_another(of_real)
    bound = float(np.quantile(apart, SHARE)) if len(apart) else 0.0
    to_real, to_twin = gates.to_nearest(of_drawn, of_real), _to_another(of_drawn)
    return (to_real < bound) | (to_real == 0), (to_twin < bound) | (to_twin == 0)


def _to_another(pixels: NDArray[np.float32]) -> Floats:
    """Root mean square difference of each row to the nearest other row, float [n]; without one: inf."""
    found = np.full(len(pixels), np.inf)
    norms = (pixels**2).sum(axis=1, dtype=np.float64)
    for first in range(0, len(pixels) if len(pixels) > 1 else 0, gates.BLOCK):
        part = pixels[first : first + gates.BLOCK]
        squares = norms[None] - 2 * (part @ pixels.T)
        squares[np.arange(len(part)), first + np.arange(len(part))] = np.inf
        best = pixels[squares.argmin(axis=1)]
        found[first : first + len(part)] = np.sqrt(((part - best) ** 2).mean(axis=1, dtype=np.float64))
    return found


def main(run_id: str) -> None:
    files = MapFiles(runs.find(run_id).samples)
    files.error.unlink(missing_ok=True)
    try:
        make(run_id)
    except GMAugError as error:
        files.fail(error)
    except Exception:
        files.fail(
            GMAugError(
                "the map could not be made", todo=f"read {files.log.name} in the run's folder of samples"
            )
        )
        raise


if __name__ == "__main__":
    main(sys.argv[1])
