"""SSIM_set, SSIM-mergeCls and SSIM-supSubCls (paper A, equations 2 and 3), with intervals that hold what they say.

SSIM_set(X) is the mean SSIM over all pairs of different images of X: the mean of a finite population of n(n-1)/2
values. It is estimated from distinct random pairs (2|X| of them as in the paper), or taken over all pairs where that
costs no more. Pair number t of a set is position t of a keyed permutation of all its pairs, so any worker can draw any
share, asking for more pairs extends the same sequence, and a set's numbers depend on the seed and its images alone.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from gmaug_core.config import Profile
from gmaug_core.errors import InputError, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.scoring.ssim import ssim_pairs

CONFIDENCE = 0.95
EXACT_PAIRS = (
    2000  # all pairs are taken when there are at most this many: 20 ms of work, and no interval to explain
)
PILOT_PAIRS = 1000  # first stage of sequential stopping
ROUNDS = 10  # of the permutation
NEAR = (
    2.0  # super-classes whose mean is within this many standard errors of the highest may be the true highest
)
REPORTS_PER_SECOND = 5
SHOWN = 50  # sets in a live report: the highest when there are more
MERGED = "all images"  # how live reports name the set behind SSIM-mergeCls

Images = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]


# --- drawing pairs ----------------------------------------------------------------------------------------------------


def stream(seed: int, *what: bytes) -> npt.NDArray[np.uint64]:
    """The round keys of a permutation, from the seed and what it is for."""
    digest = hashlib.sha256(b"\0".join(what)).digest()
    return (
        np.random.SeedSequence([seed, *np.frombuffer(digest, np.uint32).tolist()])
        .generate_state(ROUNDS, np.uint64)
        .astype(np.uint64)
    )


def permuted(size: int, start: int, stop: int, keys: npt.NDArray[np.uint64]) -> Index:
    """Positions start ... stop of a random permutation of range(size): a Feistel network, walked until it lands inside."""
    half = np.uint64(max(1, (max(size - 1, 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    values = np.arange(start, stop, dtype=np.uint64)
    outside = np.arange(len(values))
    while len(outside):
        left, right = values[outside] >> half, values[outside] & mask
        for key in keys:
            mixed = (right ^ key) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
            left, right = right, left ^ ((mixed >> np.uint64(32)) & mask)
        values[outside] = (left << half) | right
        outside = outside[values[outside] >= size]
    return values.astype(np.int64)


def pair_count(n: int) -> int:
    """Pairs of different images among n."""
    return n * (n - 1) // 2


def pair_at(position: Index) -> Index:
    """[m] positions among all pairs -> [m, 2] the pair itself (j, i) with i < j; pairs are numbered j (j - 1) / 2 + i."""
    high = ((1 + np.sqrt(1 + 8 * position.astype(np.float64))) / 2).astype(np.int64)
    high -= high * (high - 1) // 2 > position
    high += high * (high + 1) // 2 <= position
    return np.stack([high, position - high * (high - 1) // 2], axis=1)


def draw_pairs(n: int, start: int, stop: int, keys: npt.NDArray[np.uint64]) -> Index:
    """Pairs number start ... stop of a set of n images: [m, 2], all different; every pair once when stop = n(n-1)/2."""
    return pair_at(permuted(pair_count(n), start, stop, keys))


# --- one set ----------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class PairMean:
    """The running mean of SSIM over the pairs of one set: `target` are planned, `drawn` given out, `count` in the mean."""

    members: Index
    key: str
    target: int
    stream: npt.NDArray[np.uint64]
    drawn: int = 0
    count: int = 0
    mean: float = 0.0
    squares: float = 0.0  # sum of squared deviations
    half_width: float | None = None
    pilot: tuple[int, float] | None = None  # pairs and standard deviation of the first stage

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON."""
        return {"count": self.count, "mean": self.mean, "squares": self.squares, "pilot": self.pilot}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a finished set."""
        self.count = self.drawn = self.target = state["count"]
        self.mean, self.squares = state["mean"], state["squares"]
        self.pilot = (state["pilot"][0], state["pilot"][1]) if state["pilot"] else None

    @property
    def total(self) -> int:
        return pair_count(len(self.members))

    @property
    def exact(self) -> bool:
        return self.count == self.total

    def next_pairs(self, most: int) -> Index:
        """At most `most` further pairs, as indices of images."""
        start, self.drawn = self.drawn, min(self.target, self.drawn + most)
        if self.target == self.total:  # all of them: in an order that keeps images in the cache
            return self.members[pair_at(np.arange(start, self.drawn))]
        return self.members[draw_pairs(len(self.members), start, self.drawn, self.stream)]

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Merge a run of values (Chan's update); the runs are cut alike whoever does the work."""
        n, mean = len(values), float(values.mean())
        difference = mean - self.mean
        total = self.count + n
        self.squares += float(np.sum((values - mean) ** 2)) + difference**2 * self.count * n / total
        self.mean += difference * n / total
        self.count = total
        if self.half_width is not None and self.pilot is None and self.count >= self.target:
            self._plan()

    def _plan(self) -> None:
        """Stein's second stage: how many pairs the wanted half-width needs, from the pilot's deviation alone.

        The final interval uses that deviation too, so looking at the data does not cost coverage (Stein 1945).
        """
        self.pilot = (self.count, self.deviation)
        reach = stats.t.ppf(0.5 + CONFIDENCE / 2, self.count - 1) * self.deviation
        if not self.exact and reach > 0 and self.half_width:
            self.target = min(
                self.total,
                max(self.count, int(np.ceil(1 / (1 / self.total + (self.half_width / reach) ** 2)))),
            )

    @property
    def deviation(self) -> float:
        return float(np.sqrt(self.squares / max(self.count - 1, 1)))

    @property
    def freedom(self) -> int:
        return max((self.pilot[0] if self.pilot else self.count) - 1, 1)

    @property
    def error(self) -> float:
        """Standard error of the mean of distinct pairs drawn from a finite number of them; 0 when all were taken."""
        if self.exact:
            return 0.0
        deviation = self.pilot[1] if self.pilot else self.deviation
        return deviation * float(np.sqrt(max(0.0, 1 / self.count - 1 / self.total)))

    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean over all pairs of this set; of zero width when all were taken."""
        if self.exact:
            return self.mean, self.mean
        reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, self.freedom)) * self.error
        return float(max(self.mean - reach, -1.0)), float(min(self.mean + reach, 1.0))

    @property
    def approximate(self) -> bool:
        """Whether the interval is only roughly a 95 % one: benchmarks/coverage.py finds 93.3 % for 20 pairs, 94 % for 60."""
        return not self.exact and self.count < 60

    @property
    def known(self) -> bool:
        """Whether there are enough pairs for a value with an interval."""
        return self.count >= 2 or self.exact

    def to_dict(self) -> dict[str, Any]:
        """value, ci_low and ci_high are None while too few pairs are there."""
        low, high = self.interval() if self.known else (None, None)
        found = {
            "n": len(self.members),
            "value": self.mean if self.known else None,
            "ci_low": low,
            "ci_high": high,
        }
        return found | {
            "pairs": self.count,
            "exact": self.exact,
            "approximate": self.approximate,
            "se": self.error if self.known else None,
        }


def highest(named: Mapping[str, PairMean]) -> dict[str, Any]:
    """SSIM-supSubCls = the highest of the super-classes' means, and what is uncertain about it.

    A maximum of noisy means is too high on average by `bias` (expected excess if the means were as estimated);
    bias_corrected takes it off. Interval: the upper end is the highest of the upper ends (valid whichever is the true
    maximum); the lower end asks how far the maximum of all super-classes within NEAR standard errors of the top could
    exceed the truth by chance, so near-ties do not lose coverage (they gain some: 97 % where 95 % are meant).
    argmax_certain: nobody is within NEAR.
    """
    names, sets = list(named), list(named.values())
    means, errors = np.array([each.mean for each in sets]), np.array([each.error for each in sets])
    freedom = np.array([each.freedom for each in sets])
    order = np.argsort(-means, kind="stable")
    best = int(order[0])
    top = float(means[best])
    near = means + NEAR * np.hypot(errors, errors[best]) >= top
    noisy = np.flatnonzero(near & (errors > 0))
    level = 0.5 + CONFIDENCE / 2

    def excess(reach: float) -> float:
        return float(np.prod(stats.t.cdf(reach / errors[noisy], freedom[noisy]))) - level

    low = top - optimize.brentq(excess, 0.0, float(errors.max()) * 1e4) if len(noisy) else top
    if errors[best] == 0:
        low = top  # an exact mean is a floor of the maximum
    high = float(np.max(means + stats.t.ppf(level, freedom) * errors))
    bias = _expected_maximum(means, errors) - top
    found: dict[str, Any] = {"value": top, "ci_low": max(low, -1.0), "ci_high": min(high, 1.0)}
    found |= {
        "pairs": sum(each.count for each in sets),
        "exact": bool((errors == 0).all()),
        "name": names[best],
        "bias": bias,
        "bias_corrected": top - bias,
    }
    found |= {"argmax_certain": bool(near.sum() == 1), "runner_up": None, "gap": None}
    if len(sets) > 1:
        second = int(order[1])
        found |= {"runner_up": names[second], "gap": top - float(means[second])}
    return found


def _expected_maximum(means: npt.NDArray[np.float64], errors: npt.NDArray[np.float64]) -> float:
    """E max of independent normals, by quadrature; errors may be 0."""
    floor = float(np.max(means - 8 * errors))  # the maximum is practically never below this
    ceiling = float(np.max(means + 8 * errors))
    if ceiling <= floor:
        return float(np.max(means))
    grid = np.linspace(floor, ceiling, 1001)
    below = np.ones_like(grid)
    for mean, error in zip(means, errors, strict=True):
        below *= stats.norm.cdf(grid, mean, error) if error > 0 else grid >= mean
    return ceiling - float(np.trapezoid(below, grid))


# --- the whole score --------------------------------------------------------------------------------------------------


def measure(
    images: Images,
    labels: npt.ArrayLike,
    class_names: Sequence[str],
    grouping: Mapping[str, Sequence[str]],
    *,
    profile: Profile,
    seed: int = 0,
    pairs: int | None = None,
    half_width: float | None = None,
    workers: int = 0,
    report: Report = no_report,
    should_stop: ShouldStop = never,
    known: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """SSIM-mergeCls and SSIM-supSubCls of a training set under a grouping.

    images: uint8 [n, h, w] or [n, h, w, 3] as `profile` prepares them, may be memory-mapped; labels: int [n], positions
    in class_names; grouping: super-class -> names of its sub-classes. pairs: a set (default 2 n, or all of them up to
    EXACT_PAIRS); half_width: instead, as many as make each 95 % interval this narrow. All pairs are taken where there
    are no more than asked for. known: `known` of earlier results on the same images, to reuse what did not change.

    Reports ("similarity", pairs done, pairs planned, sets=[...], pairs_per_s=...). When should_stop() says so the
    estimates so far are returned with `stopped` true; Stopped is raised when there is none yet.
    Raises InputError for names that are no classes, and when no super-class has two images.
    """
    began = time.perf_counter()
    groups, not_scored = _members(np.asarray(labels), class_names, grouping)
    if not groups:
        raise InputError(
            "no super-class has two training images",
            expected="at least one super-class with 2 images",
            todo="group sub-classes together, or import more images",
        )

    work: dict[str, PairMean] = {}  # by content: a super-class that holds everything is measured once

    def plan(members: Index) -> PairMean:
        what = hashlib.sha256(np.ascontiguousarray(members, "<i8").tobytes()).hexdigest()
        total = pair_count(len(members))
        if half_width is not None:
            target, rule = PILOT_PAIRS, f"half_width={half_width!r}"
        else:
            asked = pairs if pairs is not None else 2 * len(members)
            target = total if pairs is None and total <= EXACT_PAIRS else asked
            rule = f"pairs={min(target, total)}"
        key = f"{what[:32]}/{profile.name}/{seed}/{rule}"
        if key not in work:
            work[key] = PairMean(
                members, key, min(target, total), stream(seed, what.encode()), half_width=half_width
            )
            if known and key in known:
                work[key].restore(known[key])
        return work[key]

    whole = plan(np.arange(len(images)))
    sets = {name: plan(members) for name, members in groups.items()}
    stopped = _fill(sets | {MERGED: whole}, images, profile, workers, report, should_stop)
    scored = {name: each for name, each in sets.items() if each.known}
    if not scored or not whole.known:
        raise Stopped
    best = highest(scored)
    return {
        "ssim_mergecls": whole.to_dict(),
        "ssim_supsubcls": best,
        "super_classes": [{"name": name} | each.to_dict() for name, each in sets.items()],
        "not_scored": not_scored,
        "argmax": best["name"],
        "profile": profile.name,
        "seed": seed,
        "seconds": round(time.perf_counter() - began, 3),
        "stopped": stopped,
        "known": {each.key: each.state() for each in work.values() if each.count == each.target},
    }


def _members(
    labels: npt.NDArray[Any], class_names: Sequence[str], grouping: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Index], list[str]]:
    """Super-class -> image indices, and the super-classes with fewer than 2 images."""
    number = {name: position for position, name in enumerate(class_names)}
    unknown = sorted({sub for subs in grouping.values() for sub in subs} - set(number))
    if unknown:
        raise InputError(
            f"the grouping names {len(unknown)} unknown sub-classes: {', '.join(unknown[:5])}",
            expected="names of the dataset's classes",
        )
    groups, few = {}, []
    for name, subs in grouping.items():
        members = np.flatnonzero(np.isin(labels, [number[sub] for sub in subs]))
        if len(members) < 2:
            few.append(name)
        else:
            groups[name] = members
    return groups, few


def _fill(
    sets: Mapping[str, PairMean],
    images: Images,
    profile: Profile,
    workers: int,
    report: Report,
    should_stop: ShouldStop,
) -> bool:
    """Take pairs for every set in turn until each has what it plans. True when stopped before that.

    The cuts depend on the shape of the images alone: a mean is the same to the last bit whatever else is measured.
    """
    batch = int(
        np.clip(16384 * 128**2 / max(images[0].size, 1), 256, 65536)
    )  # about a fifth of a second of work
    waiting = deque({each.key: each for each in sets.values() if each.count < each.target}.values())
    began = last = time.perf_counter()
    before = sum(each.count for each in waiting)

    def tell() -> None:
        elapsed = max(time.perf_counter() - began, 1e-9)
        shown = (
            sorted(sets.items(), key=lambda item: -item[1].mean)[:SHOWN]
            if len(sets) > SHOWN
            else sets.items()
        )
        counts = {each.key: (each.count, each.target) for each in sets.values()}.values()
        done, planned = sum(count for count, _ in counts), sum(target for _, target in counts)
        rate = round((done - reused) / elapsed)
        report(
            "similarity",
            done,
            planned,
            sets=[{"name": name} | each.to_dict() for name, each in shown],
            pairs_per_s=rate,
        )

    reused = sum(each.count for each in {each.key: each for each in sets.values()}.values()) - before
    while waiting:
        if should_stop():
            tell()
            return True
        runs: list[tuple[PairMean, Index]] = []
        taken = 0
        while waiting and taken < batch:
            each = waiting.popleft()
            runs.append((each, each.next_pairs(batch // 4)))
            taken += len(runs[-1][1])
            if each.drawn < each.target:
                waiting.append(each)
        values = ssim_pairs(
            images, np.concatenate([drawn for _, drawn in runs]), window=profile.window, workers=workers
        )
        for (each, _), part in zip(
            runs, np.split(values, np.cumsum([len(drawn) for _, drawn in runs])[:-1]), strict=True
        ):
            finished = each.drawn == each.target
            each.add(part)
            if finished and each.drawn < each.target:  # the pilot asked for more
                waiting.append(each)
        if time.perf_counter() - last >= 1 / REPORTS_PER_SECOND:
            last = time.perf_counter()
            tell()
    tell()
    return False


# --- what makes it high -------------------------------------------------------------------------------------------------


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
) -> dict[str, Any]:
    """Mean SSIM between every two classes, and inside each: classes, n, mean, se, pairs (symmetric [K, K] lists, None = no pair).

    classes: which (default: all with images, in class_names order). For hundreds of sub-classes pass labels and names of
    super-classes instead. Distinct random pairs, all of a cell's pairs where there are no more than pairs_per_cell.
    Reports ("matrix", pairs done, pairs planned); raises Stopped.
    """
    label = np.asarray(labels)
    number = {name: position for position, name in enumerate(class_names)}
    names = [
        name for name in (classes if classes is not None else class_names) if (label == number[name]).any()
    ]
    members = [np.flatnonzero(label == number[name]) for name in names]
    cells = [(a, b) for a in range(len(names)) for b in range(a, len(names))]

    def draw(a: int, b: int) -> Index:
        rows, columns = members[a], members[b]
        total = pair_count(len(rows)) if a == b else len(rows) * len(columns)
        if total <= pairs_per_cell:
            position = np.arange(total)
        else:
            position = permuted(total, 0, pairs_per_cell, stream(seed, names[a].encode(), names[b].encode()))
        if a == b:
            return rows[pair_at(position)]
        return np.stack([rows[position // len(columns)], columns[position % len(columns)]], axis=1)

    shape = (len(names), len(names))
    mean, error, count = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64)
    step = max(1, 16384 // pairs_per_cell)
    for start in range(0, len(cells), step):
        if should_stop():
            raise Stopped
        drawn = [draw(a, b) for a, b in cells[start : start + step]]
        values = ssim_pairs(images, np.concatenate(drawn), window=profile.window, workers=workers)
        for (a, b), part in zip(
            cells[start : start + step],
            np.split(values, np.cumsum([len(each) for each in drawn])[:-1]),
            strict=True,
        ):
            if len(part):
                total = pair_count(len(members[a])) if a == b else len(members[a]) * len(members[b])
                spread = part.std(ddof=1) if len(part) > 1 else np.nan
                left = np.sqrt(1 / len(part) - 1 / total)
                mean[a, b] = mean[b, a] = part.mean()
                error[a, b] = error[b, a] = 0.0 if len(part) == total else spread * left
                count[a, b] = count[b, a] = len(part)
        report("matrix", min(start + step, len(cells)) * pairs_per_cell, len(cells) * pairs_per_cell)
    found = {
        "classes": names,
        "n": [len(each) for each in members],
        "pairs": count.tolist(),
        "profile": profile.name,
        "seed": seed,
    }
    return found | {"mean": _without_nan(mean), "se": _without_nan(error)}


def _without_nan(values: npt.NDArray[np.float64]) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in values]


def set_mean(matrix: Mapping[str, Any], classes: Sequence[str]) -> float | None:
    """SSIM_set of the union of some classes of a class_matrix: its cells weighted by how many pairs of images each holds."""
    place = [matrix["classes"].index(name) for name in classes if name in matrix["classes"]]
    n = np.array([matrix["n"][k] for k in place], float)
    weight = np.triu(np.outer(n, n) - np.diag(n * (n + 1) / 2))
    mean = np.array([[matrix["mean"][a][b] or 0.0 for b in place] for a in place]).reshape(
        len(place), len(place)
    )
    return float((weight * mean).sum() / weight.sum()) if weight.sum() > 0 else None


def leave_one_out(matrix: Mapping[str, Any], grouping: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """What moving one sub-class out of the winning super-class, into one of its own, does to SSIM-supSubCls.

    matrix: class_matrix over all sub-classes of the grouping (or as many as are of interest: others count as absent).
    [{name, super_class, n, without, supsub, change}], the strongest fall first: `without` is SSIM_set of what stays,
    `supsub` the highest over all super-classes afterwards, `change` from the same estimate before. Estimates by cells.
    """
    before = {name: value for name, subs in grouping.items() if (value := set_mean(matrix, subs)) is not None}
    if not before:
        return []
    winner = max(before, key=lambda name: before[name])
    others = [value for name, value in before.items() if name != winner]
    found = []
    for sub in grouping[winner]:
        rest = [each for each in grouping[winner] if each != sub]
        if sub not in matrix["classes"] or not rest:
            continue
        without, alone = set_mean(matrix, rest), set_mean(matrix, [sub])
        supsub = max([*others, *(value for value in (without, alone) if value is not None)], default=None)
        change = None if supsub is None else supsub - before[winner]
        n = matrix["n"][matrix["classes"].index(sub)]
        found.append(
            {
                "name": sub,
                "super_class": winner,
                "n": n,
                "without": without,
                "supsub": supsub,
                "change": change,
            }
        )
    return sorted(found, key=lambda each: (each["change"] is None, each["change"]))


def most_similar(
    images: Images,
    *,
    profile: Profile,
    members: npt.ArrayLike | None = None,
    k: int = 20,
    budget: int = 100_000,
    seed: int = 0,
    workers: int = 0,
) -> dict[str, Any]:
    """The k most similar pairs of images: pairs [{i, j, value}] highest first, `exact` when every pair was looked at.

    members: indices to search among (default all). More pairs than `budget`: the candidates are the nearest neighbours of
    16 x 16 thumbnails, half by distance and half by correlation (of at most 20,000 images); a likeness that such
    thumbnails do not show can be missed, and `exact` is then false.
    """
    chosen = np.arange(len(images)) if members is None else np.asarray(members)
    exact = pair_count(len(chosen)) <= budget
    if exact:
        candidates = chosen[pair_at(np.arange(pair_count(len(chosen))))]
    else:
        if len(chosen) > 20_000:
            chosen = chosen[np.sort(permuted(len(chosen), 0, 20_000, stream(seed, b"most similar")))]
        candidates = chosen[_near_pairs(_thumbnails(images, chosen), budget)]
    if not len(candidates):
        return {"pairs": [], "exact": exact, "searched": 0}
    values = ssim_pairs(images, candidates, window=profile.window, workers=workers)
    best = np.argsort(-values, kind="stable")[:k]
    shown = [
        {"i": int(candidates[b].min()), "j": int(candidates[b].max()), "value": float(values[b])}
        for b in best
    ]
    return {"pairs": shown, "exact": exact, "searched": len(candidates)}


def _thumbnails(images: Images, chosen: Index) -> npt.NDArray[np.float32]:
    """float32 [n, 256 or less]: block means of the grey image."""
    found = []
    for start in range(0, len(chosen), 1024):
        part = np.asarray(images[chosen[start : start + 1024]], np.float32)
        part = part.mean(axis=3) if part.ndim == 4 else part
        side = min(16, *part.shape[1:])
        height, width = part.shape[1] // side, part.shape[2] // side
        part = part[:, : side * height, : side * width].reshape(len(part), side, height, side, width)
        found.append(part.mean(axis=(2, 4)).reshape(len(part), -1))
    return np.concatenate(found)


def _near_pairs(features: npt.NDArray[np.float32], budget: int) -> Index:
    """At most `budget` different pairs of near neighbours, as positions [m, 2]."""
    n = len(features)
    neighbours = int(np.clip(budget // (2 * n), 1, n - 1))
    centred = features - features.mean(axis=1, keepdims=True)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True) + 1.0
    length = (features**2).sum(axis=1)
    found = []
    for start in range(0, n, 1024):
        rows = slice(start, min(start + 1024, n))
        for likeness in (2 * features[rows] @ features.T - length, centred[rows] @ centred.T):
            likeness[np.arange(likeness.shape[0]), np.arange(rows.start, rows.stop)] = -np.inf
            near = np.argpartition(-likeness, neighbours - 1, axis=1)[:, :neighbours]
            found.append(
                np.stack([np.repeat(np.arange(rows.start, rows.stop), neighbours), near.ravel()], axis=1)
            )
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.unique(pairs, axis=0)[:, ::-1]


EXPLAIN_CELLS = (
    20_000  # more cells than this (200 sub-classes): the matrix is of super-classes, and of the winner's own
)
EXPLAIN_PAIRS = 300_000


def explain(
    images: Images,
    labels: npt.ArrayLike,
    class_names: Sequence[str],
    grouping: Mapping[str, Sequence[str]],
    argmax: str,
    *,
    profile: Profile,
    seed: int = 0,
    workers: int = 0,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """What makes the score high: most_similar pairs inside the winning super-class, matrix between sub-classes (the winner's
    own only, where there are hundreds), and leave_one_out for each sub-class of the winner. Indices are positions in images."""
    number = {name: position for position, name in enumerate(class_names)}
    label = np.asarray(labels)
    winner = np.flatnonzero(np.isin(label, [number[name] for name in grouping[argmax]]))
    many = pair_count(len(class_names)) > EXPLAIN_CELLS
    classes = list(grouping[argmax]) if many else [name for subs in grouping.values() for name in subs]
    cells = max(pair_count(len(classes)) + len(classes), 1)
    matrix = class_matrix(
        images, label, class_names, profile=profile, classes=classes, pairs_per_cell=max(10, min(100, EXPLAIN_PAIRS // cells)),
        seed=seed, workers=workers, report=report, should_stop=should_stop,
    )  # fmt: skip
    among = {argmax: grouping[argmax]} if many else grouping
    return {
        "most_similar": most_similar(
            images, profile=profile, members=winner, k=12, seed=seed, workers=workers
        ),
        "matrix": matrix,
        "leave_one_out": leave_one_out(matrix, among),
    }
