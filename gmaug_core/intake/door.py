"""The only door: a zip or folder of images -> a verified dataset in the workspace, there whole or not at all.

Files are stored by their sha256 under the data root; the names given are text in the manifest and never a
place to write.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from gmaug_core.data import elsewhere as made_elsewhere
from gmaug_core.data.folders import KNOWN, Place, class_names, clean_name
from gmaug_core.data.manifest import Findings, Refused
from gmaug_core.data.store import Accepted, Imported, Placed, commit, listed, staging_folder
from gmaug_core.errors import InputError, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.intake.copies import contradictions, leaks, resolve_duplicates
from gmaug_core.intake.layouts import LAYOUTS, Chosen, choose, said
from gmaug_core.intake.layouts.contract import FOLDERS, Options, Tree
from gmaug_core.intake.looks import depth_of, remarks
from gmaug_core.intake.origins import source_pattern, with_sources
from gmaug_core.intake.sources import Listing, Source, Unreadable, open_source, require_space
from gmaug_core.intake.verify import Verifier

CHUNK = 256  # files a worker between two reports: how long a stop takes
BATCH, BATCH_BYTES = 32, 4 * 2**20  # files, or bytes, handed to a child at once: bounds memory


def import_path(
    path: Path,
    *,
    name: str | None = None,
    group: str | None = None,
    options: Options | None = None,
    elsewhere: bool = False,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Imported:
    """Import a zip, a folder, or an iNaturalist-style JSON that lies beside its images.

    name: shown to people; default: the file's name. group: a regular expression that is searched for in each
    path; what its first parentheses match is the image's source (patient, slide, video, burst), and images of
    one source are never split apart. options: what a person says of the labels. elsewhere: another program
    made these images: one class is enough, and they are kept beside the datasets. Broken images are refused
    one by one and listed; the import as a whole raises InputError when there is nothing to make a dataset of,
    Stopped when should_stop() says so; both leave no trace.
    """
    start = time.perf_counter()
    path = Path(path)
    pattern = source_pattern(group) if group else None
    options, least = options or Options(), 1 if elsewhere else 2
    only = path.name if path.suffix.lower() == ".json" and path.is_file() else None
    if only:
        options = replace(options, labels=only)
    room = made_elsewhere.folder() if elsewhere else None
    with open_source(path.parent if only else path) as source, staging_folder(room) as staging:
        listing = source.listing
        tree = Tree(source)
        chosen = choose(tree, options, path.name, least=least)
        if chosen is None and tree.images:
            _refuse_names(path, tree, options, listing, least)
        wanted, refused = _wanted(listing, chosen)
        if not wanted:
            raise _nothing(path, [*listing.refused, *refused], listing.junk)
        require_space(staging, sum(source.size(handle) for _, handle in wanted))
        images, undecoded = _store(source, wanted, staging, report, should_stop)
        refused = [*listing.refused, *refused, *undecoded]
        if not images:
            raise _nothing(path, refused, listing.junk)
        sorted_out = _place(images, tree, chosen, options, path, least, [*listing.warnings, *remarks(images)])
        refused += sorted_out.refused
        placed, duplicates, dropped = resolve_duplicates(sorted_out.placed)
        sorted_out.warnings += [*leaks(placed, duplicates), *contradictions(duplicates)]
        _require_classes(path, placed, [*refused, *dropped], least=least)
        if pattern:
            placed, told = with_sources(placed, pattern)
            sorted_out.warnings += told
        return commit(
            staging,
            placed,
            name=clean_name(name or path.stem)[:200] or "dataset",
            findings=Findings(
                refused=tuple(sorted([*refused, *dropped], key=lambda item: item.file)),
                junk=listing.junk,
                duplicates=tuple(duplicates),
                warnings=tuple(sorted_out.warnings),
                layout=sorted_out.layout,
                other_readings=sorted_out.others,
            ),
            depth=depth_of(images),
            started=start,
        )


def preview(path: Path, options: Options) -> dict[str, Any]:
    """What an import would read, from names and lists alone: nothing is decoded, nothing is written.

    Keys layout, choose (what says it on the command line), classes (images of each), warnings, and
    other_readings. Raises InputError where import_path would.
    """
    path = Path(path)
    with open_source(path) as source:
        tree = Tree(source)
        chosen = choose(tree, options, path.name)
        if chosen is None:
            _refuse_names(path, tree, options, source.listing, least=2)
            raise _nothing(path, source.listing.refused, source.listing.junk)
        reading = chosen.reading
        names = class_names(place.path for place in reading.placed.values())
        counts = Counter(names[place.path] for place in reading.placed.values())
        return {
            "layout": said(reading),
            "choose": reading.options.said(),
            "classes": dict(counts),
            "warnings": list(reading.warnings),
            "other_readings": [f"{said(other)}: {other.options.said()}" for other in chosen.others],
        }


@dataclass
class _SortedOut:
    """Images with their places, and those that have none."""

    placed: list[Placed]
    refused: list[Refused]
    warnings: list[str]
    layout: str
    others: tuple[str, ...]


def _refuse_names(path: Path, tree: Tree, options: Options, listing: Listing, least: int) -> None:
    """Raises InputError where the names alone show that there are not enough classes: nothing is decoded."""
    places: list[Place] = []
    for reading in (reading for layout in LAYOUTS for reading in layout.read(tree, options)):
        places = places or list(reading.placed.values())
    reasons = [Refused(file=file, reason="lies in no class folder") for file in tree.images]
    nobody = Accepted("", "", (0, 0), False, ())
    _require_classes(path, [(nobody, place) for place in places], [*listing.refused, *reasons], least=least)


def _wanted(listing: Listing, chosen: Chosen | None) -> tuple[list[tuple[str, Any]], list[Refused]]:
    """The files to decode, and those that the layout leaves out."""
    if chosen is None:
        return listing.files, []
    reading = chosen.reading
    wanted, out = [], list(reading.missing)
    for file, handle in listing.files:
        place = reading.places.get(file)
        if isinstance(place, str):
            out.append(Refused(file=file, reason=place))
        elif file not in reading.lists:
            wanted.append((file, handle))
    return wanted, out


def _place(
    images: Sequence[Accepted],
    tree: Tree,
    chosen: Chosen | None,
    options: Options,
    path: Path,
    least: int,
    notes: Sequence[str],
) -> _SortedOut:
    """Give each image its class, split and source, as the layout says. Folders are read again where files
    turned out to be no images, or images turned up under another ending."""
    accepted = [image.file for image in images]
    if chosen is None or (chosen.reading.key == FOLDERS and set(accepted) != set(chosen.reading.placed)):
        left_out = (
            set() if chosen is None else {f for f, p in chosen.reading.places.items() if isinstance(p, str)}
        )
        again = choose(tree.only([*accepted, *left_out]), options, path.name, least=least)
        chosen = again or chosen
    if chosen is None:
        reasons = [Refused(file=image.file, reason="lies in no class folder") for image in images]
        return _SortedOut([], reasons, [], "", ())
    reading = chosen.reading
    warnings = [*notes, *reading.warnings]
    if reading.key == FOLDERS:
        warnings += _empty_folders(tree.folders, images)
    found = _SortedOut([], [], warnings, said(reading), tuple(said(other) for other in chosen.others))
    for image in images:
        place = reading.places.get(image.file, "is in no list of labels")
        if isinstance(place, Place):
            group = reading.groups.get(image.file, "")
            found.placed.append((replace(image, group=group) if group else image, place))
        else:
            found.refused.append(Refused(file=image.file, reason=place))
    return found


def _store(
    source: Source, files: list[tuple[str, Any]], staging: Path, report: Report, should_stop: ShouldStop
) -> tuple[list[Accepted], list[Refused]]:
    """Read, verify by decoding, and keep each file: a thread to read and a child process to decode for
    each core.
    """
    images: list[Accepted] = []
    refused: list[Refused] = []
    workers = min(os.cpu_count() or 1, 1 + len(files) // CHUNK)
    with ExitStack() as stack:
        verifiers = [stack.enter_context(Verifier(staging)) for _ in range(workers)]
        pool = stack.enter_context(ThreadPoolExecutor(workers))
        for start in range(0, len(files), CHUNK * workers):
            if should_stop():
                raise Stopped("import")
            chunk = files[start : start + CHUNK * workers]
            shares = [chunk[k::workers] for k in range(workers)]
            for result in chain.from_iterable(
                pool.map(lambda verifier, share: _verify(source, share, verifier), verifiers, shares)
            ):
                if isinstance(result, Accepted):
                    images.append(result)
                else:
                    refused.append(result)
            report("import", start + len(chunk), len(files), accepted=len(images), refused=len(refused))
    return images, refused


def _verify(source: Source, files: list[tuple[str, Any]], verifier: Verifier) -> list[Accepted | Refused]:
    """What became of each file."""
    results: list[Accepted | Refused] = []
    waiting: list[tuple[str, bytes]] = []

    def flush() -> None:
        answers = verifier.check([data for _, data in waiting])
        results.extend(_answer(file, answer) for (file, _), answer in zip(waiting, answers, strict=True))
        waiting.clear()

    for file, handle in files:
        try:
            waiting.append((file, source.read(handle)))
        except Unreadable as error:
            results.append(Refused(file=file, reason=str(error)))
        if len(waiting) == BATCH or sum(len(data) for _, data in waiting) > BATCH_BYTES:
            flush()
    if waiting:
        flush()
    return results


def _answer(file: str, answer: Mapping[str, Any]) -> Accepted | Refused:
    """A verifier's answer, as one of the two things that it can be."""
    if "reason" in answer:
        return Refused(file=file, reason=answer["reason"])
    width, height = answer["size"]
    return Accepted(
        file,
        answer["sha256"],
        (width, height),
        answer["grey"],
        tuple(answer["conversions"]),
        remark=answer["remark"],
        deep=tuple(answer["deep"]) if answer["deep"] else None,
    )


def _require_classes(path: Path, placed: Sequence[Placed], refused: Sequence[Refused], *, least: int) -> None:
    """Raises InputError when fewer than `least` classes have training images."""
    names = class_names(place.path for _, place in placed)
    trained = {names[place.path] for _, place in placed if place.split == "train"}
    if len(trained) >= least:
        return
    copied = sum(item.reason.startswith("the same image is in ") for item in refused)
    if not names:
        what = f"'{path.name}' has images but no class folders and no list of labels"
    elif copied and not trained:
        what = f"'{path.name}' has no training images of its own: all {copied:,} are in val or test, too"
    elif not trained:
        what = f"'{path.name}' has no training images, only " + " and ".join(
            sorted({place.split for _, place in placed})
        )
    else:
        what = (
            f"'{path.name}' has only one class"
            + (" with training images" if len(names) > 1 else "")
            + f": '{trained.pop()}'"
        )
    if refused and not copied:
        what += f"; {len(refused):,} files were refused, the first is {_first_reason(refused)}"
    todo = (
        "put the images of each class into a folder of their own, or say where the labels are: "
        "--labels FILE, --pattern REGEX"
    )
    if copied and not trained:
        todo = "import the training images alone: a run makes a split of its own"
    raise InputError(what, expected=KNOWN + "; at least two classes", todo=todo)


def _nothing(path: Path, refused: Sequence[Refused], junk: int) -> InputError:
    todo = "check that this is the right file and that its images open"
    if refused:
        what = f"'{path.name}' has no usable images: {len(refused):,} files were refused, "
        what += _first_reason(refused)
        if all(item.reason == "a symbolic link" for item in refused):
            todo = "copy the images themselves: cp -rL makes files of links"
    elif junk:
        what = f"'{path.name}' holds nothing but {junk} hidden or system files"
    else:
        what = f"'{path.name}' is empty"
    return InputError(what, expected=KNOWN, todo=todo)


def _first_reason(refused: Sequence[Refused]) -> str:
    return "; ".join(f"'{clean_name(item.file)[-80:]}' {item.reason}" for item in refused[:1])


def _empty_folders(folders: set[str], images: Sequence[Accepted]) -> list[str]:
    used = set()
    for image in images:
        folder = image.file
        while "/" in folder and (folder := folder.rpartition("/")[0]) not in used:
            used.add(folder)
    unused = folders - used
    topmost = sorted(folder for folder in unused if folder.rpartition("/")[0] not in unused)
    return [f"folders without a usable image: {listed(topmost)}"] if topmost else []
