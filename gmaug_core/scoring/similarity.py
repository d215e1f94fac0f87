"""SSIM_set, SSIM-mergeCls and SSIM-supSubCls (paper A, equations 2 and 3), with intervals that hold what they
say.

SSIM_set(X) is the mean SSIM over all pairs of different images of X: the mean of a finite population of
n(n-1)/2 values. It is estimated from distinct random pairs (2|X| of them as in the paper), or taken over all
pairs where that costs no more. A set's numbers depend on the seed and its images alone.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from gmaug_core import parallel
from gmaug_core.config import Profile, Window
from gmaug_core.errors import InputError, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.scoring.alike import first_of
from gmaug_core.scoring.estimate import PairMean, highest
from gmaug_core.scoring.pairs import Index, pair_count, stream
from gmaug_core.scoring.result import KnownSet, SetMean, SimilarityResult
from gmaug_core.scoring.ssim import ssim_pairs

EXACT_PAIRS = (
    2000  # all pairs are taken when there are at most this many: 20 ms of work, and no interval to explain
)
PILOT_PAIRS = 1000  # first stage of sequential stopping
REPORTS_PER_SECOND = 5
# on a cluster: rounds of pairs that are drawn ahead for each of its machines, pieces that each gets of them,
# and pairs that are worth a piece
AHEAD, PIECES, LEAST = 16, 4, 256
SHOWN = 50  # sets in a live report: the highest when there are more
DRAWING = "pairs-2"  # which pairs a seed draws: sets that an older version drew are not taken over
MERGED = "all images"  # how live reports name the set behind SSIM-mergeCls

Mean = TypeVar("Mean", bound=SetMean)
Images = npt.NDArray[np.uint8]
Compare = Callable[[Index], npt.NDArray[np.float64]]  # pairs of images [m, 2] -> their SSIM [m]


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
    device: str = "cpu",
    report: Report = no_report,
    should_stop: ShouldStop = never,
    known: Mapping[str, KnownSet] | None = None,
    rows: Index | None = None,
    first: Index | None = None,
    most: int | None = None,
) -> SimilarityResult:
    """SSIM-mergeCls and SSIM-supSubCls of a training set under a grouping.

    images: uint8 [n, h, w] or [n, h, w, 3] as `profile` prepares them, may be memory-mapped; labels: int [n],
    positions in class_names; grouping: super-class -> names of its sub-classes. pairs: a set (default 2 n, or
    all of them up to EXACT_PAIRS); half_width: instead, as many as make each 95 % interval this narrow. All
    pairs are taken where there are no more than asked for. device: "cpu", on `workers` threads, or a torch
    device that is there ("cuda:0"); its values are within 1e-6, their last bits are its own. known: `known`
    of earlier results on the same images, to reuse what did not change. rows: the training set is these of
    the images, ascending, which stay where they are; first: alike.first_of of the training set, where it was
    asked before; most: pairs of a set that is not known, so that a quick answer about large sets is a rougher
    one.

    Reports ("similarity", pairs done, pairs planned, sets=[...], pairs_per_s=...). When should_stop() says so
    the estimates so far are returned with `stopped` true; Stopped is raised when there is none yet. Raises
    InputError for names that are no classes, and when no super-class has two different images.

    An image whose pixels an earlier one of the same set has is in no pair of that set: a copy counts once.
    """
    began = time.perf_counter()
    if first is None:
        first = first_of(images if rows is None else images[rows])
    groups, sizes = _members(np.asarray(labels), class_names, grouping, first)
    plan = _Plan(profile, seed, pairs, half_width, known or {}, most)
    whole = plan.set_of(np.unique(first))
    sets = {name: plan.set_of(members) for name, members in groups.items()}
    compare = _comparison(images, profile, workers, device)
    asked = compare if rows is None else lambda pairs: compare(rows[pairs])
    stopped = _fill(sets | {MERGED: whole}, images, asked, report, should_stop)
    scored = {name: each for name, each in sets.items() if each.known}
    if not scored or not whole.known:
        raise Stopped
    best = highest(scored)
    return SimilarityResult.new(
        ssim_mergecls=_counted(whole.measured(), len(first)),
        ssim_supsubcls=best.model_copy(update={"distinct": len(sets[best.name].members)}),
        super_classes=tuple(_counted(each.named(name), sizes[name]) for name, each in sets.items()),
        not_scored=tuple(name for name in grouping if name not in groups),
        argmax=best.name,
        profile=profile.name,
        seed=seed,
        seconds=round(time.perf_counter() - began, 3),
        stopped=stopped,
        known={each.key: each.state() for each in plan.sets.values() if each.count == each.target},
    )


@dataclass
class _Plan:
    """How many pairs each set of images gets. Sets with the same images are one and measured once."""

    profile: Profile
    seed: int
    pairs: int | None
    half_width: float | None
    known: Mapping[str, KnownSet]
    most: int | None = None
    sets: dict[str, PairMean] = field(default_factory=dict)

    def set_of(self, members: Index) -> PairMean:
        """The set of these images: planned already, finished by an earlier score, or new."""
        what = hashlib.sha256(np.ascontiguousarray(members, "<i8").tobytes()).hexdigest()
        total = pair_count(len(members))
        if self.half_width is not None:
            target, rule = PILOT_PAIRS, f"half_width={self.half_width!r}"
        else:
            asked = self.pairs if self.pairs is not None else 2 * len(members)
            target = total if self.pairs is None and total <= EXACT_PAIRS else asked
            rule = f"pairs={min(target, total)}"
        key = self._key(what, rule)
        if self.most is not None and key not in self.known and min(target, total) > self.most:
            target = self.most
            key = self._key(what, f"pairs={target}")
        if key not in self.sets:
            keys = stream(self.seed, what)
            self.sets[key] = PairMean(members, key, min(target, total), keys, half_width=self.half_width)
            if key in self.known:
                self.sets[key].restore(self.known[key])
        return self.sets[key]

    def _key(self, what: str, rule: str) -> str:
        return f"{DRAWING}/{what[:32]}/{self.profile.name}/{self.seed}/{rule}"


def _members(
    labels: npt.NDArray[Any],
    class_names: Sequence[str],
    grouping: Mapping[str, Sequence[str]],
    first: Index,
) -> tuple[dict[str, Index], dict[str, int]]:
    """Super-class -> its different images, where there are two, and every super-class's number of images.

    first: of alike.first_of. Raises InputError for names that are no classes, and when nothing can be scored.
    """
    number = {name: position for position, name in enumerate(class_names)}
    unknown = sorted({sub for subs in grouping.values() for sub in subs} - set(number))
    if unknown:
        raise InputError(
            f"the grouping names {len(unknown)} unknown sub-classes: {', '.join(unknown[:5])}",
            expected="names of the dataset's classes",
        )
    groups, sizes = {}, {}
    for name, subs in grouping.items():
        members = np.flatnonzero(np.isin(labels, [number[sub] for sub in subs]))
        _, kept = np.unique(first[members], return_index=True)
        sizes[name] = len(members)
        if len(kept) > 1:
            groups[name] = members[np.sort(kept)]
    if not groups:
        raise InputError(
            "no super-class has two training images" + (" that differ" if max(sizes.values()) > 1 else ""),
            expected="at least one super-class with 2 different images",
            todo="group sub-classes together, or import more images",
        )
    return groups, sizes


def _counted(found: Mean, images: int) -> Mean:
    """A set's mean, which knows its different images alone, with all of them and how many are copies."""
    return found.model_copy(update={"n": images, "copies": images - found.n})


def _comparison(images: Images, profile: Profile, workers: int, device: str) -> Compare:
    if device == "cpu" and parallel.current().width > 1:
        return partial(_on_cluster, (images, profile.window))
    if device == "cpu":
        return lambda pairs: ssim_pairs(images, pairs, window=profile.window, workers=workers)
    # torch, where it is asked for and nowhere else
    from gmaug_core.scoring.ssim_torch import ssim_pairs_torch

    return lambda pairs: ssim_pairs_torch(images, pairs, window=profile.window, device=device)


def _on_cluster(shared: tuple[Images, Window], pairs: Index) -> npt.NDArray[np.float64]:
    """A value depends on its two images alone, so the pairs are cut as suits the machines."""
    fan_out = parallel.current()
    parts = np.array_split(pairs, min(PIECES * fan_out.width, max(len(pairs) // LEAST, 1)))
    return np.concatenate(fan_out.each(_some_pairs, shared, parts))


def _some_pairs(
    shared: tuple[Images, Window], pairs: Index, _: Report, should_stop: ShouldStop
) -> npt.NDArray[np.float64]:
    if should_stop():
        raise Stopped
    images, window = shared
    return ssim_pairs(images, pairs, window=window, workers=1)


def _fill(
    sets: Mapping[str, PairMean],
    images: Images,
    compare: Compare,
    report: Report,
    should_stop: ShouldStop,
) -> bool:
    """Take pairs for every set in turn until each has what it plans. True when stopped before that.

    The cuts depend on the shape of the images alone: a mean is the same to the last bit whatever else is
    measured.
    """
    batch = int(
        np.clip(16384 * 128**2 / max(images[0].size, 1), 256, 65536)
    )  # about a fifth of a second of work
    waiting = deque({each.key: each for each in sets.values() if each.count < each.target}.values())
    tell = _teller(sets, report)
    last = time.perf_counter()
    ahead = parallel.current().width
    at_once = batch * (AHEAD * ahead if ahead > 1 else 1)  # seconds of work for every machine of a cluster
    while waiting:
        if should_stop():
            tell()
            return True
        runs: list[tuple[PairMean, Index]] = []
        taken = 0
        while waiting and taken < at_once:
            each = waiting.popleft()
            runs.append((each, each.next_pairs(batch // 4)))
            taken += len(runs[-1][1])
            if each.drawn < each.target:
                waiting.append(each)
        drawn = np.concatenate([pairs for _, pairs in runs])
        values = compare(drawn)
        cuts = np.cumsum([len(pairs) for _, pairs in runs])[:-1]
        for (each, _), part in zip(runs, np.split(values, cuts), strict=True):
            finished = each.drawn == each.target
            each.add(part)
            if finished and each.drawn < each.target:  # the pilot asked for more
                waiting.append(each)
        if time.perf_counter() - last >= 1 / REPORTS_PER_SECOND:
            last = time.perf_counter()
            tell()
    tell()
    return False


def _teller(sets: Mapping[str, PairMean], report: Report) -> Callable[[], None]:
    """A function that reports how far the sets are; pairs that were taken over do not count for the speed."""
    different = {each.key: each for each in sets.values()}.values()
    reused = sum(each.count for each in different if each.count >= each.target)
    began = time.perf_counter()

    def tell() -> None:
        elapsed = max(time.perf_counter() - began, 1e-9)
        shown = (
            sorted(sets.items(), key=lambda item: -item[1].mean)[:SHOWN]
            if len(sets) > SHOWN
            else sets.items()
        )
        done = sum(each.count for each in different)
        report(
            "similarity",
            done,
            sum(each.target for each in different),
            sets=[each.named(name).to_dict() for name, each in shown],
            pairs_per_s=round((done - reused) / elapsed),
        )

    return tell
