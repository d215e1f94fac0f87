"""The only door: a zip or folder of images -> a verified dataset in the workspace, there whole or not at all.

Files are stored by their sha256 under the data root; the names given are text in the manifest and never a
place to write.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gmaug_core.data import elsewhere as made_elsewhere
from gmaug_core.data.cautions import contradictions
from gmaug_core.data.folders import class_names, clean_name
from gmaug_core.data.manifest import Duplicate, Findings, Refused
from gmaug_core.data.store import Accepted, Imported, Placed, commit, staging_folder
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.intake.copies import leaks, resolve_duplicates, with_near_copies
from gmaug_core.intake.decoding import store_images
from gmaug_core.intake.layouts import Chosen, choose, said
from gmaug_core.intake.layouts.beside import unread
from gmaug_core.intake.layouts.contract import Options, Tree
from gmaug_core.intake.looks import depth_of, remarks
from gmaug_core.intake.origins import source_pattern, with_sources
from gmaug_core.intake.places import sort_out, wanted_files
from gmaug_core.intake.refusals import left_closed, nothing_usable, refuse_names, require_classes
from gmaug_core.intake.sources import Source, open_source, require_space
from gmaug_core.workspace import roles


@roles.guarded("import dataset")
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
        tree = Tree(source)
        chosen = choose(tree, options, path.name, least=least)
        if chosen is None and tree.images:
            refuse_names(path, tree, options, source.listing, least)
        images, refused = _take_in(path, source, tree, chosen, staging, report, should_stop)
        notes = [*source.listing.warnings, *left_closed(source.listing.refused), *remarks(images)]
        sorted_out = sort_out(images, tree, chosen, options, path, least, notes)
        placed, duplicates, dropped = resolve_duplicates(sorted_out.placed)
        refused += [*sorted_out.refused, *dropped]
        require_classes(path, placed, refused, least=least)
        placed, told = _looked_at(placed, duplicates, pattern)
        return commit(
            staging,
            placed,
            name=clean_name(name or path.name.removesuffix(path.suffix).removesuffix(".tar"))[:200]
            or "dataset",
            findings=Findings(
                refused=tuple(sorted(refused, key=lambda item: item.file)),
                junk=source.listing.junk,
                duplicates=tuple(duplicates),
                warnings=(*sorted_out.warnings, *told),
                layout=sorted_out.layout,
                other_readings=sorted_out.others,
            ),
            depth=depth_of(images),
            started=start,
        )


def _take_in(
    path: Path,
    source: Source,
    tree: Tree,
    chosen: Chosen | None,
    staging: Path,
    report: Report,
    should_stop: ShouldStop,
) -> tuple[list[Accepted], list[Refused]]:
    """Decode and keep what the reading wants. Raises InputError where no image is left."""
    listing = source.listing
    wanted, left_out = wanted_files(listing, chosen)
    refused = [*listing.refused, *left_out]
    if not wanted:
        raise nothing_usable(path, refused, listing.junk)
    require_space(staging, sum(source.size(handle) for _, handle in wanted))
    images, undecoded = store_images(source, wanted, staging, report, should_stop)
    refused += undecoded
    if not images:
        raise nothing_usable(path, refused, listing.junk, "" if tree.images else unread(tree))
    return images, refused


def _looked_at(
    placed: list[Placed], duplicates: Sequence[Duplicate], pattern: re.Pattern[str] | None
) -> tuple[list[Placed], list[str]]:
    """The images with what they have in common, copies and sources, and what a person should know of it."""
    told = [*leaks(placed, duplicates), *contradictions(duplicates)]
    placed, of_copies = with_near_copies(placed)
    told += of_copies
    if pattern:
        placed, of_sources = with_sources(placed, pattern)
        told += of_sources
    return placed, told


def preview(path: Path, options: Options) -> dict[str, Any]:
    """What an import would read, from names and lists alone: nothing is decoded, nothing is written.

    Keys layout, choose (what says it on the command line), classes (images of each), warnings,
    other_readings, and others (the same, each with its words and options). Raises InputError where
    import_path would.
    """
    path = Path(path)
    with open_source(path) as source:
        tree = Tree(source)
        chosen = choose(tree, options, path.name)
        if chosen is None:
            refuse_names(path, tree, options, source.listing, least=2)
            raise nothing_usable(path, source.listing.refused, source.listing.junk, unread(tree))
        reading = chosen.reading
        names = class_names(place.path for place in reading.placed.values())
        counts = Counter(names[place.path] for place in reading.placed.values())
        return {
            "layout": said(reading),
            "choose": reading.options.said(),
            "classes": dict(counts),
            "warnings": list(reading.warnings),
            "other_readings": [f"{said(other)}: {other.options.said()}" for other in chosen.others],
            "others": [{"words": said(other), "options": asdict(other.options)} for other in chosen.others],
        }
