"""Several groupings of the same sub-classes, as several people made them: how far they agree, where they do
not, and one grouping made of all of them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError
from gmaug_core.workspace import groupings as stored
from gmaug_core.workspace.grouping import NAME_LENGTH, Grouping

MOST = 8  # groupings that are compared at once


def adjusted_rand(first: Grouping, second: Grouping) -> float:
    """Adjusted Rand index of two groupings of the same sub-classes (Hubert & Arabie 1985).

    1: the same; 0: as by chance. Raises InputError when the sub-classes differ.
    """
    subs = sorted(first.super_of)
    if subs != sorted(second.super_of):
        raise InputError(
            "the two groupings do not hold the same sub-classes", expected="groupings of one dataset"
        )

    def choose2(counts: Iterable[int]) -> float:
        return sum(count * (count - 1) / 2 for count in counts)

    a_of, b_of = first.super_of, second.super_of
    together = choose2(Counter((a_of[sub], b_of[sub]) for sub in subs).values())
    a, b = (choose2(Counter(of.values()).values()) for of in (a_of, b_of))
    total = choose2([len(subs)])
    expected = a * b / total if total else 0.0
    best = (a + b) / 2
    return 1.0 if best == expected else (together - expected) / (best - expected)


def indices(groupings: Sequence[Grouping]) -> dict[tuple[str, str], float]:
    """The adjusted Rand index of every two of them, by their names. Raises InputError for fewer than two,
    more than MOST, or other sub-classes."""
    if not 2 <= len(groupings) <= MOST:
        raise InputError(
            f"{len(groupings)} groupings cannot be compared", expected=f"2 to {MOST} groupings of one dataset"
        )
    return {
        (one.name, other.name): adjusted_rand(one, other)
        for one, other in itertools.combinations(groupings, 2)
    }


@dataclass(frozen=True)
class Disputed:
    """One sub-class in several groupings. places: grouping -> the super-class that it is in there.

    share: 0 to 1. Of the sub-classes that at least one of two groupings has together with this one, those
    that the other has not (Jaccard distance), as the mean over every two groupings; 0 where both leave it
    alone.
    """

    sub_class: str
    share: float
    places: Mapping[str, str]


def disputed(groupings: Sequence[Grouping]) -> list[Disputed]:
    """Every sub-class, those that the groupings disagree about most first."""
    placed = [(each.name, each.super_of, _mates(each)) for each in groupings]
    found = [
        Disputed(
            sub,
            fmean(_apart(a[sub], b[sub]) for (_, _, a), (_, _, b) in itertools.combinations(placed, 2)),
            {name: of[sub] for name, of, _ in placed},
        )
        for sub in placed[0][1]
    ]
    return sorted(found, key=lambda each: -each.share)


def _mates(grouping: Grouping) -> dict[str, frozenset[str]]:
    """sub-class -> all sub-classes of its super-class."""
    return {sub: frozenset(subs) for subs in grouping.super_classes.values() for sub in subs}


def _apart(one: frozenset[str], other: frozenset[str]) -> float:
    """Both hold the sub-class itself, which says nothing."""
    either = len(one | other) - 1
    return 1 - (len(one & other) - 1) / either if either else 0.0


def merged(groupings: Sequence[Grouping], name: str) -> Grouping:
    """One grouping of several: two sub-classes belong together where more than half of the groupings say so,
    on average over those that they are put with (average linkage over the share that sets them apart: the
    evidence accumulation of Fred & Jain 2005). Of two groupings only what both put together stays together.

    A super-class is called what most of its sub-classes were put under. Raises InputError as `indices`.
    """
    import numpy as np  # with SciPy: only where somebody merges
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    indices(groupings)
    subs = list(groupings[0].super_of)
    apart = np.zeros((len(subs), len(subs)))
    for each in groupings:
        of = each.super_of
        number = {title: k for k, title in enumerate(each.super_classes)}
        label = np.array([number[of[sub]] for sub in subs])
        apart += label[:, None] != label[None, :]
    apart /= len(groupings)
    clusters = list(range(len(subs)))
    if len(subs) > 1:  # the cut is below one half: a draw is no majority
        clusters = fcluster(linkage(squareform(apart), "average"), 0.5 - 1e-9, "distance").tolist()
    members: dict[int, list[str]] = {}
    for sub, cluster in zip(subs, clusters, strict=True):
        members.setdefault(cluster, []).append(sub)
    return Grouping(name, _titled(list(members.values()), groupings))


def _titled(clusters: list[list[str]], groupings: Sequence[Grouping]) -> dict[str, list[str]]:
    """Each cluster under the title that its sub-classes bear most often; a sub-class alone under its own."""
    made: dict[str, list[str]] = {}
    of = [each.super_of for each in groupings]
    for subs in sorted(clusters, key=len, reverse=True):
        titles = Counter(each[sub] for each in of for sub in subs)
        wanted = subs[0] if len(subs) == 1 else titles.most_common(1)[0][0]
        numbered = (f"{wanted[: NAME_LENGTH - 5]} {k}" for k in itertools.count(2))
        made[next(title for title in itertools.chain([wanted], numbered) if title not in made)] = subs
    return made


def people(dataset: str, name: str) -> str:
    """Who edited a grouping, in the order in which they came; "the import" where nobody has."""
    who = dict.fromkeys(version.person for version in stored.history(dataset, name))
    return ", ".join(who) or "the import"


def merge(data: Dataset, names: Sequence[str], name: str) -> tuple[Grouping, str]:
    """The groupings of these names as one, as `merged`, and where it came from as a sentence. Raises
    InputError."""
    given = [stored.current(data, each)[0].without_empty() for each in dict.fromkeys(names)]
    how = "Merged from " + ", ".join(f"{each.name} ({people(data.id, each.name)})" for each in given)
    return merged(given, name), how


def follow(current: Grouping, source: Grouping, sub_class: str) -> dict[str, object] | None:
    """The edit (groupings.apply) that puts a sub-class where `source` has it: with those that it is together
    with there, or alone. None where it is so already. Raises InputError for an unknown sub-class."""
    here = current.super_of
    if sub_class not in here or sub_class not in source.super_of:
        raise InputError(f"there is no sub-class '{sub_class}'", expected="a sub-class of both groupings")
    mates = [sub for sub in source.super_classes[source.super_of[sub_class]] if sub != sub_class]
    if not mates:
        alone = len(current.super_classes[here[sub_class]]) == 1
        return None if alone else {"do": "alone", "subs": [sub_class]}
    to = Counter(here[mate] for mate in mates).most_common(1)[0][0]
    return None if to == here[sub_class] else {"do": "move", "subs": [sub_class], "to": to}
