"""The layout of folders: one a class, at a level that the names say or a person chooses."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gmaug_core.data.folders import ClassPath, Place
from gmaug_core.data.store import listed
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.contract import FOLDERS, Layout, Options, Reading, Tree, asked
from gmaug_core.intake.layouts.detect import detect
from gmaug_core.intake.layouts.split_lists import with_listed_split

ALL = "all"
SOURCES = frozenset(
    [
        "patient",
        "pat",
        "subject",
        "subj",
        "case",
        "person",
        "pid",
        "video",
        "vid",
        "clip",
        "seq",
        "sequence",
        "slide",
        "scan",
        "scene",
        "session",
        "specimen",
        "animal",
        "individual",
        "burst",
        "series",
        "visit",
        "study",
        "participant",
    ]
)
HOLDERS = frozenset(
    [
        "part",
        "batch",
        "fold",
        "chunk",
        "shard",
        "images",
        "image",
        "img",
        "imgs",
        "set",
        "dir",
        "folder",
        "data",
        "disk",
        "vol",
    ]
)
MASKS = frozenset(
    [
        "masks",
        "mask",
        "seg",
        "segmentations",
        "segmentation",
        "segmentationclass",
        "segmentationobject",
        "groundtruth",
        "ground_truth",
        "gt",
        "labels",
        "annotations",
        "annotation",
    ]
)
PICTURES = frozenset(["images", "image", "img", "imgs", "jpegimages", "pictures", "photos", "jpg", "png"])
NO_CLASSES = HOLDERS | MASKS | PICTURES
MOST_LETTERS = 2  # in a row in a name that only counts, but for what all names share: '3f2a9c', 'g01_c02'
PROBED = 8  # images of a tree that may be another one again: those are compared
CROSSED = 0.75  # of all pairs of outer and inner names: then the inner ones are the same everywhere


def _read(tree: Tree, options: Options) -> list[Reading]:
    if options.pattern or options.labels not in (None, FOLDERS):
        return []
    if not any("/" in file for file in tree.images):
        return []
    masks = _masks(tree.images)
    drawn = _drawn_over(tree.images)
    images = [file for file in tree.images if file not in masks and file not in drawn]
    found = detect([_parts(file) for file in images], options.splits)
    places, twins = _without_twins(tree, images, dict(zip(images, found.places, strict=True)))
    places |= dict.fromkeys(drawn, "is the mask of the image beside it")
    places |= dict.fromkeys(masks, "lies in a folder of masks")
    told = (*found.warnings, *([twins] if twins else ()))
    if masks:
        told = (
            *told,
            f"{len(masks):,} images lie in folders of masks and were left out: {listed(list(masks))}",
        )
    if drawn:
        words = "images are masks of those beside them and were left out"
        told = (*told, f"{len(drawn):,} {words}: {listed(drawn)}")
    whole = Reading(FOLDERS, "the folders", places, _choice(options, None), warnings=told)
    if options.level:
        chosen = asked(_at_level(whole, options.level), options)
        return [replace(chosen, warnings=(*told, *_bare(chosen)))]
    readings = [with_listed_split(reading, tree) for reading in _readings(whole, options)]
    return (
        [replace(readings[0], sure=True), *readings[1:]]
        if options.labels and len(readings) == 1
        else readings
    )


def _choice(options: Options, level: str | None) -> Options:
    return replace(options, labels=FOLDERS, level=level)


def _readings(whole: Reading, options: Options) -> list[Reading]:
    """What the folders can mean: several sure ones where nobody can know."""
    paths = list({place.path for place in whole.placed.values()})
    depths = Counter(len(place.path) for place in whole.placed.values())
    if not paths:
        return []
    depth = depths.most_common(1)[0][0]
    if depth == 1 or depths[depth] < 0.9 * depths.total():
        doubtful = _no_classes({path[0] for path in paths})
        return [_uneven(replace(whole, sure=not doubtful, options=_choice(options, ALL)), depth)]
    flat = [path for path in paths if len(path) == depth]
    inner, outer = {path[-1] for path in flat}, {path[:-1] for path in flat}
    levels = {level: _at_level(whole, level) for level in (str(depth - 1), str(depth))}
    above, below = (replace(r, options=_choice(options, level)) for level, r in levels.items())
    joined = _uneven(replace(whole, options=_choice(options, ALL)), depth)
    if len(outer) < 2 or not _several(above):
        return [joined]
    stem, outer_stem = _serial(inner), _serial({path[-1] for path in outer})
    if len(inner) == 1 or stem in SOURCES or stem in HOLDERS:
        doubtful = _no_classes({path[-1] for path in outer})
        return [replace(above, sure=not doubtful), replace(joined, sure=False)]
    crossed = len(flat) >= CROSSED * len(inner) * len(outer)
    if crossed and (outer_stem in HOLDERS or outer_stem in SOURCES):
        return [_sourced(below, outer_stem in SOURCES, depth), replace(joined, sure=False)]
    if crossed or (len(inner) > 2 and _counting(flat)):
        return [above, below, *([joined] if crossed else [])]
    return [joined, replace(above, sure=False)]


def _uneven(reading: Reading, depth: int) -> Reading:
    """The same with a warning where some classes lie deeper or less deep than most, which are at `depth`."""
    odd = sorted({"/".join(place.path) for place in reading.placed.values() if len(place.path) != depth})
    if not odd:
        return reading
    told = (
        f"{len(odd):,} folders lie deeper or less deep than most, and were taken as classes of their own: "
        f"{listed(odd)}; --level says which folder is the class"
    )
    return replace(reading, warnings=(*reading.warnings, told))


def _no_classes(names: set[str]) -> bool:
    """Whether folder names are of sources, parts, masks and the like, none of them of a class."""
    stem = _serial(names)
    return stem in SOURCES or stem in HOLDERS or {name.casefold() for name in names} <= NO_CLASSES


def _counting(paths: Sequence[ClassPath]) -> bool:
    """Whether the innermost folders only count, as those of patients, slides and clips do: without digits
    they are all the same below each outer one, or nothing that could be a word is left of them."""
    names = {path[-1] for path in paths}
    if not all(re.search(r"\d", name) for name in names):
        return False
    bare: dict[ClassPath, set[str]] = defaultdict(set)
    for path in paths:
        bare[path[:-1]].add(re.sub(r"\d+", "", path[-1]))
    if all(len(own) == 1 for own in bare.values()):
        return True
    start = 0  # of every name that all of them share
    while all(name[start : start + 1] == paths[0][-1][start : start + 1] != "" for name in names):
        start += 1
    wordy = sum(
        any(len(run) > MOST_LETTERS for run in re.findall(r"[^\W\d_]+", name[start:])) for name in names
    )
    return wordy <= 0.1 * len(names)


def _masks(images: Sequence[str]) -> dict[str, None]:
    """Images in a folder of masks that has a folder of pictures beside it."""
    beside: dict[str, set[str]] = defaultdict(set)
    for file in images:
        parts = _parts(file)
        for k, name in enumerate(parts):
            beside["/".join(parts[:k])].add(name.casefold())
    found: dict[str, None] = {}
    for file in images:
        parts = _parts(file)
        for k, name in enumerate(parts):
            if name.casefold() in MASKS and beside["/".join(parts[:k])] & PICTURES:
                found[file] = None
    return found


def _drawn_over(images: Sequence[str]) -> list[str]:
    """Images that are called as the mask of one in the same folder: 'x (1)_mask.png' beside 'x (1).png'."""
    stems = {file.rpartition(".")[0] for file in images}
    found = []
    for file in images:
        match = re.fullmatch(r"(.*[^/ ._-])[ ._-]+([^\W\d_]+)(?:[ ._-]?\d+)?", file.rpartition(".")[0])
        if match and match[2].casefold() in MASKS and match[1] in stems:
            found.append(file)
    return found


def _several(reading: Reading) -> bool:
    return len({place.path for place in reading.placed.values()}) > 1


def _serial(names: set[str]) -> str | None:
    """What names that only count have before the number ('patient' of patient_007, '' of 007), else None."""
    found = {
        match[1].casefold() if (match := re.fullmatch(r"(.*?)[ _-]*\d+", name)) else None for name in names
    }
    if len(names) < 2 or len(found) != 1:
        return None
    stem = found.pop()
    return None if stem is None else re.split(r"[ _-]", stem)[-1]


def _at_level(whole: Reading, level: str) -> Reading:
    """The class is the folder at this level, wherever it lies; folders below that only count are sources."""
    if level == ALL:
        return whole
    if not level.isdecimal() or int(level) < 1:
        raise InputError(
            f"--level '{level}' is no level", expected="1 for the outermost class folder, 2, ... or all"
        )
    k = int(level)
    deepest = max((len(place.path) for place in whole.placed.values()), default=0)
    if k > deepest:
        raise InputError(
            f"there is no folder at level {k}: class folders lie at most {deepest} deep",
            expected=f"--level 1 to {deepest}, or all",
        )
    homes: dict[str, set[ClassPath]] = defaultdict(set)
    below: set[str] = set()
    for place in whole.placed.values():
        path = place.path[:k]
        homes[path[-1]].add(path)
        below |= set(place.path[k : k + 1])
    one = {name: paths.pop() if len(paths) == 1 else (name,) for name, paths in homes.items()}
    places = {
        file: place if isinstance(place, str) else Place(place.split, one[place.path[:k][-1]])
        for file, place in whole.places.items()
    }
    stem = _serial(below)
    groups = {}
    if stem is not None and stem not in HOLDERS:
        groups = {file: place.path[k] for file, place in whole.placed.items() if len(place.path) > k}
    where = f"the folders of level {k}"
    return replace(whole, where=where, places=places, groups=groups)


def _sourced(reading: Reading, is_source: bool, depth: int) -> Reading:
    """Sources from the folders above the classes, where those are patients or the like."""
    if not is_source:
        return reading
    groups = {file: _parts(file)[-2] for file in reading.placed if len(_parts(file)) >= depth}
    return replace(reading, groups=groups)


def _bare(reading: Reading) -> list[str]:
    names = sorted({place.path[-1] for place in reading.placed.values()})
    return [f"classes from {reading.where}, as asked: {listed(names)}"]


def _without_twins(
    tree: Tree, images: Sequence[str], places: Mapping[str, Place | str]
) -> tuple[dict[str, Place | str], str | None]:
    """chest_xray/train/.. and chest_xray/chest_xray/train/..: the same tree twice is read once.

    An inner file is the twin of an outer one of the same name below the tree's root and of the same split;
    the bytes of some are compared.
    """
    paths = dict(places)
    names = set(images)
    shared = _shared_folder(images)
    inside: dict[str, list[str]] = defaultdict(list)
    for file in images:
        head, slash, rest = file[len(shared) :].partition("/")
        twin = shared + rest
        if slash and twin in names and _split(places[file]) == _split(places[twin]):
            inside[head].append(file)
    for head, twins in inside.items():
        prefix = f"{shared}{head}/"
        if not all(tree.alike(file, shared + file[len(prefix) :]) for file in twins[:PROBED]):
            continue
        under = sum(file.startswith(prefix) for file in images)
        outside = len(images) - under
        if len(twins) >= 0.9 * min(under, outside) and len({_parts(f)[-1] for f in twins if _parts(f)}) > 1:
            outer = detect([_parts(f) for f in images if not f.startswith(prefix)])
            again = dict(zip((f for f in images if not f.startswith(prefix)), outer.places, strict=True))
            for file in images:
                if file.startswith(prefix):
                    twin = shared + file[len(prefix) :]
                    again[file] = (
                        f"is '{twin}' again: the same tree lies here twice"
                        if twin in names
                        else "lies in the second tree alone"
                    )
            return (
                again,
                f"the same tree lies here twice: {len(twins):,} images of '{head}' are those around it "
                "again, and were left out",
            )
    return paths, None


def _split(place: Place | str) -> str | None:
    return place.split if isinstance(place, Place) else None


def _shared_folder(images: Sequence[str]) -> str:
    """The folders that all images share, with a / at the end, or ''."""
    first, last = min(images).split("/")[:-1], max(images).split("/")[:-1]
    shared = []
    for a, b in zip(first, last, strict=False):
        if a != b:
            break
        shared.append(a)
    return "".join(name + "/" for name in shared)


def _parts(file: str) -> list[str]:
    return [part for part in file.split("/")[:-1] if part not in ("", ".")]


LAYOUT = Layout(FOLDERS, "one folder a class", _read)
