"""The only door: a zip or folder of images -> a verified dataset in the workspace, there whole or not at all.

Files are stored by their sha256 under the data root; the names given are text in the manifest and never a
place to write.
"""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from gmaug_core.data import elsewhere as made_elsewhere
from gmaug_core.data.folders import KNOWN, SPLITS, Place, class_names, clean_name, detect
from gmaug_core.data.manifest import Duplicate, Findings, Refused
from gmaug_core.data.store import Accepted, Imported, Placed, commit, listed, staging_folder
from gmaug_core.errors import InputError, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.intake.labels import Labels, read_labels
from gmaug_core.intake.sources import Listing, Source, Unreadable, open_source, require_space
from gmaug_core.intake.verify import Verifier

CHUNK = 256  # files a worker between two reports: how long a stop takes
BATCH, BATCH_BYTES = 32, 4 * 2**20  # files, or bytes, handed to a child at once: bounds memory


def import_path(
    path: Path,
    *,
    name: str | None = None,
    group: str | None = None,
    elsewhere: bool = False,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Imported:
    """Import a zip, a folder, or an iNaturalist-style JSON that lies beside its images.

    name: shown to people; default: the file's name. group: a regular expression that is searched for in each
    path; what its first parentheses match is the image's source (patient, slide, video, burst), and images of
    one source are never split apart. elsewhere: another program made these images: one class is enough, and
    they are kept beside the datasets. Broken images are refused one by one and listed; the
    import as a whole raises InputError when there is nothing to make a dataset of, Stopped when should_stop()
    says so; both leave no trace.
    """
    start = time.perf_counter()
    path = Path(path)
    pattern = source_pattern(group) if group else None
    only = path.name if path.suffix.lower() == ".json" and path.is_file() else None
    room = made_elsewhere.folder() if elsewhere else None
    with open_source(path.parent if only else path) as source, staging_folder(room) as staging:
        listing = source.listing
        labelled = read_labels(source, only)
        wanted = [
            (file, handle) for file, handle in listing.files if labelled is None or file in labelled.places
        ]
        if not wanted:
            raise _nothing(path, listing.refused, listing.junk)
        require_space(staging, sum(getattr(handle, "file_size", 0) for _, handle in wanted))
        images, refused = _store(source, wanted, staging, report, should_stop)
        sorted_out = _place(images, listing, labelled)
        refused = [*listing.refused, *refused, *sorted_out.refused]
        if not images:
            raise _nothing(path, refused, listing.junk)
        placed, duplicates, dropped = _resolve_duplicates(sorted_out.placed)
        sorted_out.warnings += leaks(placed, duplicates)
        _require_classes(path, placed, refused, least=1 if elsewhere else 2)
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
            ),
            started=start,
        )


@dataclass
class _SortedOut:
    """Images with their places, and those that have none."""

    placed: list[Placed]
    refused: list[Refused]
    warnings: list[str]


def _place(images: Sequence[Accepted], listing: Listing, labelled: Labels | None) -> _SortedOut:
    """Give each image its class and split: from the lists where there are any, else from its folders."""
    if labelled is not None:
        placed = [(image, labelled.places[image.file]) for image in images]
        return _SortedOut(placed, labelled.missing, labelled.warnings)
    found = detect([_folder_parts(image.file) for image in images])
    sorted_out = _SortedOut([], [], found.warnings + _empty_folders(listing.folders, images))
    for image, place in zip(images, found.places, strict=True):
        if isinstance(place, Place):
            sorted_out.placed.append((image, place))
        else:
            sorted_out.refused.append(Refused(file=image.file, reason=place))
    return sorted_out


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
    return Accepted(file, answer["sha256"], (width, height), answer["grey"], tuple(answer["conversions"]))


def _resolve_duplicates(
    placed: list[Placed],
) -> tuple[list[Placed], list[Duplicate], list[Refused]]:
    """Find byte-identical images. Returns what stays, the groups found, and what was dropped.

    Within one split copies stay, so that a dataset keeps its published counts; they are listed, and
    Dataset.content lets a later split keep them on one side. Between splits the copy in the split that judges
    stays (test, then val) and the other goes: a published test set keeps its images, and no model is judged
    on an image it was trained on.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, (image, _) in enumerate(placed):
        groups[image.sha256].append(i)
    duplicates = []
    gone: dict[int, str] = {}
    for digest, rows in groups.items():
        if len(rows) < 2:
            continue
        keeps = max((placed[i][1].split for i in rows), key=SPLITS.index)
        out = [i for i in rows if placed[i][1].split != keeps]
        gone |= dict.fromkeys(out, f"the same image is in {keeps}")
        duplicates.append(
            Duplicate(
                sha256=digest,
                files=tuple(placed[i][0].file for i in rows),
                across_classes=len({placed[i][1].path for i in rows}) > 1,
                across_splits=bool(out),
                dropped=tuple(placed[i][0].file for i in out),
            )
        )
    dropped = [Refused(file=placed[i][0].file, reason=reason) for i, reason in gone.items()]
    return [row for i, row in enumerate(placed) if i not in gone], duplicates, dropped


def leaks(placed: Sequence[Placed], duplicates: Sequence[Duplicate]) -> list[str]:
    """A sentence for each split that judges and came with images of an earlier one."""
    across = {each.sha256: len(each.dropped) for each in duplicates if each.across_splits}
    told = []
    for split in SPLITS[1:]:
        judging = [image.sha256 for image, place in placed if place.split == split]
        copied = [digest for digest in judging if digest in across]
        if copied:
            gone = sum(across[digest] for digest in set(copied))
            told.append(
                f"the split leaks: {len(copied):,} of {len(judging):,} {split} images are in an earlier "
                f"split, too; {gone:,} copies there were left out, so that no model is judged on them"
            )
    return told


def source_pattern(text: str) -> re.Pattern[str]:
    """The expression that finds an image's source in its path. Raises InputError: no expression, or one
    without parentheses."""
    expected = "a regular expression whose first parentheses match the source, such as '(patient\\d+)'"
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise InputError(f"'{text}' is no regular expression: {error}", expected=expected) from error
    if not pattern.groups:
        raise InputError(f"'{text}' has no parentheses", expected=expected)
    return pattern


def with_sources(placed: Sequence[Placed], pattern: re.Pattern[str]) -> tuple[list[Placed], list[str]]:
    """The same with the source of each image, and what a person should know of it. Raises InputError where
    no path has one."""
    found = [(match[1] or "") if (match := pattern.search(image.file)) else "" for image, _ in placed]
    named = [name for name in found if name]
    if not named:
        raise InputError(
            f"'{pattern.pattern}' matches no path, such as '{clean_name(placed[0][0].file)[-80:]}'",
            expected="an expression that finds the source in the images' paths",
            todo="try it on one of the paths, or import without --group",
        )
    sides: dict[str, set[str]] = defaultdict(set)
    for name, (_, place) in zip(found, placed, strict=True):
        if name:
            sides[name].add(place.split)
    told = []
    if len(named) < len(found):
        told.append(f"{len(found) - len(named):,} images have no source: each counts as one of its own")
    if leaking := sorted(name for name, splits in sides.items() if len(splits) > 1):
        told.append(
            f"{len(leaking):,} of {len(sides):,} sources have images in more than one split, so a model is "
            f"judged on sources it was trained on: {listed(leaking)}"
        )
    given = [(replace(image, group=name), place) for name, (image, place) in zip(found, placed, strict=True)]
    return given, told


def _require_classes(path: Path, placed: Sequence[Placed], refused: Sequence[Refused], *, least: int) -> None:
    """Raises InputError when fewer than `least` classes have training images."""
    names = class_names(place.path for _, place in placed)
    trained = {names[place.path] for _, place in placed if place.split == "train"}
    if len(trained) >= least:
        return
    if not names:
        what = f"'{path.name}' has images but no class folders: {_first_reason(refused)}"
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
    raise InputError(
        what,
        expected=KNOWN + "; at least two classes",
        todo="put the images of each class into a folder of their own",
    )


def _nothing(path: Path, refused: Sequence[Refused], junk: int) -> InputError:
    if not refused:
        what = (
            f"'{path.name}' is empty"
            if not junk
            else f"'{path.name}' holds nothing but {junk} hidden or system files"
        )
    else:
        what = (
            f"'{path.name}' has no usable images: {len(refused)} files were refused, {_first_reason(refused)}"
        )
    return InputError(what, expected=KNOWN, todo="check that this is the right file and that its images open")


def _first_reason(refused: Sequence[Refused]) -> str:
    return "; ".join(f"'{clean_name(item.file)[-80:]}' {item.reason}" for item in refused[:1])


def _folder_parts(file: str) -> list[str]:
    return [part for part in file.split("/")[:-1] if part not in ("", ".")]


def _empty_folders(folders: set[str], images: Sequence[Accepted]) -> list[str]:
    used = set()
    for image in images:
        folder = image.file
        while "/" in folder and (folder := folder.rpartition("/")[0]) not in used:
            used.add(folder)
    unused = folders - used
    topmost = sorted(folder for folder in unused if folder.rpartition("/")[0] not in unused)
    return [f"folders without a usable image: {listed(topmost)}"] if topmost else []
