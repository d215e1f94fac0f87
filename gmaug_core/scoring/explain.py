"""What makes a score high: the most similar images, the likeness of classes, and what one sub-class does to
it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gmaug_core.config import Profile
from gmaug_core.errors import Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.scoring.alike import first_of, most_similar, near_copies
from gmaug_core.scoring.pairs import Index, pair_at, pair_count, permuted, stream
from gmaug_core.scoring.result import Explanation, LikePair, Matrix, MovedOut
from gmaug_core.scoring.ssim import ssim_pairs

# more cells than this (200 sub-classes): the matrix is of super-classes, and of the winner's own
EXPLAIN_CELLS = 20_000
EXPLAIN_PAIRS = 300_000  # of a whole matrix: some ten seconds of work

Images = npt.NDArray[np.uint8]


def class_matrix(
    images: Images,
    labels: npt.ArrayLike,
    class_names: Sequence[str],
    *,
    profile: Profile,
    classes: Sequence[str] | None = None,
    pairs_per_cell: int = 100,
    seed: int = 0,
    workers: int = 0,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Matrix:
    """Mean SSIM between every two classes, and inside each.

    classes: which (default: all with images, in class_names order). For hundreds of sub-classes pass labels
    and names of super-classes instead. Distinct random pairs, all of a cell's pairs where there are no more
    than pairs_per_cell. Reports ("matrix", pairs done, pairs planned); raises Stopped.
    """
    label = np.asarray(labels)
    number = {name: position for position, name in enumerate(class_names)}
    wanted = classes if classes is not None else class_names
    names = [name for name in wanted if (label == number[name]).any()]
    members = [np.flatnonzero(label == number[name]) for name in names]
    cells = [(a, b) for a in range(len(names)) for b in range(a, len(names))]

    def draw(a: int, b: int) -> Index:
        return _cell_pairs(members[a], members[b], pairs_per_cell, seed, (names[a], names[b]))

    shape = (len(names), len(names))
    mean, error, count = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64)
    step = max(1, 16384 // pairs_per_cell)
    for start in range(0, len(cells), step):
        if should_stop():
            raise Stopped
        some = cells[start : start + step]
        drawn = [draw(a, b) for a, b in some]
        values = ssim_pairs(images, np.concatenate(drawn), window=profile.window, workers=workers)
        parts = np.split(values, np.cumsum([len(each) for each in drawn])[:-1])
        for (a, b), part in zip(some, parts, strict=True):
            if len(part):
                total = _cell_size(members[a], members[b], a == b)
                spread = part.std(ddof=1) if len(part) > 1 else np.nan
                left = np.sqrt(1 / len(part) - 1 / total)
                mean[a, b] = mean[b, a] = part.mean()
                error[a, b] = error[b, a] = 0.0 if len(part) == total else spread * left
                count[a, b] = count[b, a] = len(part)
        report("matrix", min(start + step, len(cells)) * pairs_per_cell, len(cells) * pairs_per_cell)
    return Matrix(
        classes=tuple(names),
        n=tuple(len(each) for each in members),
        pairs=tuple(tuple(row) for row in count.tolist()),
        profile=profile.name,
        seed=seed,
        mean=_without_nan(mean),
        se=_without_nan(error),
    )


def _cell_size(rows: Index, columns: Index, same: bool) -> int:
    """Pairs of images in a cell."""
    return pair_count(len(rows)) if same else len(rows) * len(columns)


def _cell_pairs(rows: Index, columns: Index, most: int, seed: int, names: tuple[str, str]) -> Index:
    """At most `most` different pairs of the cell of these two classes: [m, 2] indices of images."""
    same = names[0] == names[1]
    total = _cell_size(rows, columns, same)
    position = np.arange(total) if total <= most else permuted(total, 0, most, stream(seed, *names))
    if same:
        return rows[pair_at(position)]
    return np.stack([rows[position // len(columns)], columns[position % len(columns)]], axis=1)


def _without_nan(values: npt.NDArray[np.float64]) -> tuple[tuple[float | None, ...], ...]:
    return tuple(tuple(None if np.isnan(value) else float(value) for value in row) for row in values)


def set_mean(matrix: Matrix, classes: Sequence[str]) -> float | None:
    """SSIM_set of the union of some classes: the cells weighted by how many pairs of images each holds."""
    place = [matrix.classes.index(name) for name in classes if name in matrix.classes]
    n = np.array([matrix.n[k] for k in place], float)
    weight = np.triu(np.outer(n, n) - np.diag(n * (n + 1) / 2))
    cells = [[matrix.mean[a][b] or 0.0 for b in place] for a in place]
    mean = np.array(cells).reshape(len(place), len(place))
    return float((weight * mean).sum() / weight.sum()) if weight.sum() > 0 else None


def leave_one_out(matrix: Matrix, grouping: Mapping[str, Sequence[str]]) -> tuple[MovedOut, ...]:
    """What moving one sub-class out of the winning super-class, into one of its own, does to SSIM-supSubCls.

    matrix: class_matrix over all sub-classes of the grouping (or as many as are of interest: others count as
    absent). The strongest fall first. Estimates by cells.
    """
    before = {name: value for name, subs in grouping.items() if (value := set_mean(matrix, subs)) is not None}
    if not before:
        return ()
    winner = max(before, key=lambda name: before[name])
    others = [value for name, value in before.items() if name != winner]
    found = []
    for sub in grouping[winner]:
        rest = [each for each in grouping[winner] if each != sub]
        if sub not in matrix.classes or not rest:
            continue
        without, alone = set_mean(matrix, rest), set_mean(matrix, [sub])
        supsub = max([*others, *(value for value in (without, alone) if value is not None)], default=None)
        found.append(
            MovedOut(
                name=sub,
                super_class=winner,
                n=matrix.n[matrix.classes.index(sub)],
                without=without,
                supsub=supsub,
                change=None if supsub is None else supsub - before[winner],
            )
        )
    return tuple(sorted(found, key=lambda each: math.inf if each.change is None else each.change))


def explain(
    images: Images,
    labels: npt.ArrayLike,
    class_names: Sequence[str],
    grouping: Mapping[str, Sequence[str]],
    argmax: str,
    *,
    profile: Profile,
    numbers: npt.ArrayLike | None = None,
    seed: int = 0,
    workers: int = 0,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Explanation:
    """What makes the score high.

    The most similar pairs inside the winning super-class, the matrix between sub-classes (the winner's own
    only, where there are hundreds), and what each sub-class of the winner does to the score.

    numbers: what each of the images is called in the result, ascending (default: its index in images).
    """
    label, first = np.asarray(labels), first_of(images)
    called = np.arange(len(images)) if numbers is None else np.asarray(numbers)
    kept = _once(first, label, class_names, grouping)
    own, numbered = images[kept] if len(kept) < len(images) else images, called[kept]
    label = label[kept]
    number = {name: position for position, name in enumerate(class_names)}
    winner = np.flatnonzero(np.isin(label, [number[name] for name in grouping[argmax]]))
    many = pair_count(len(class_names)) > EXPLAIN_CELLS
    classes = list(grouping[argmax]) if many else [name for subs in grouping.values() for name in subs]
    cells = max(pair_count(len(classes)) + len(classes), 1)
    matrix = class_matrix(
        own,
        label,
        class_names,
        profile=profile,
        classes=classes,
        pairs_per_cell=max(10, min(100, EXPLAIN_PAIRS // cells)),
        seed=seed,
        workers=workers,
        report=report,
        should_stop=should_stop,
    )
    alike = most_similar(own, profile=profile, members=winner, k=12, seed=seed, workers=workers)
    named = (LikePair(i=int(numbered[p.i]), j=int(numbered[p.j]), value=p.value) for p in alike.pairs)
    among = {argmax: grouping[argmax]} if many else grouping
    return Explanation(
        most_similar=alike.model_copy(update={"pairs": tuple(named)}),
        matrix=matrix,
        leave_one_out=leave_one_out(matrix, among),
        near_copies=near_copies(images, first, called, profile=profile, seed=seed, workers=workers),
    )


def _once(
    first: Index, label: Index, class_names: Sequence[str], grouping: Mapping[str, Sequence[str]]
) -> Index:
    """Images without those whose pixels an earlier one of the same super-class has; ascending."""
    of = {sub: place for place, subs in enumerate(grouping.values()) for sub in subs}
    group = np.array([of.get(name, -1) for name in class_names])[label]
    _, kept = np.unique(np.stack([group, first], axis=1), axis=0, return_index=True)
    return np.sort(kept).astype(np.int64)
