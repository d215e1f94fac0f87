"""Why there is nothing to make a dataset of, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gmaug_core.data.folders import KNOWN, Place, class_names, clean_name
from gmaug_core.data.manifest import Refused
from gmaug_core.data.store import Accepted, Placed, listed
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts import LAYOUTS
from gmaug_core.intake.layouts.beside import unread
from gmaug_core.intake.layouts.contract import Options, Tree
from gmaug_core.intake.listing import ARCHIVE, LINK, Listing


def refuse_names(path: Path, tree: Tree, options: Options, listing: Listing, least: int) -> None:
    """Raises InputError where the names alone show that there are not enough classes: nothing is decoded."""
    places: list[Place] = []
    for reading in (reading for layout in LAYOUTS for reading in layout.read(tree, options)):
        places = places or list(reading.placed.values())
    reasons = [Refused(file=file, reason="lies in no class folder") for file in tree.images]
    nobody = Accepted("", "", (0, 0), False, ())
    rows = [(nobody, place) for place in places]
    require_classes(path, rows, [*listing.refused, *reasons], least=least, beside=unread(tree))


def require_classes(
    path: Path, placed: Sequence[Placed], refused: Sequence[Refused], *, least: int, beside: str = ""
) -> None:
    """Raises InputError when fewer than `least` classes have training images. beside: what lies there that
    may say classes, and is not read."""
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
    if beside:
        what += f"; {beside}"
    elif refused and not copied:
        what += f"; {len(refused):,} files were refused, the first is {_first_reason(refused)}"
    todo = (
        "put the images of each class into a folder of their own, or say where the labels are: "
        "--labels FILE, --pattern REGEX"
    )
    if copied and not trained:
        todo = "import the training images alone: a run makes a split of its own"
    raise InputError(what, expected=KNOWN + "; at least two classes", todo=todo)


def nothing_usable(path: Path, refused: Sequence[Refused], junk: int, beside: str = "") -> InputError:
    """beside: what lies there instead, and is not read."""
    todo = "check that this is the right file and that its images open"
    if beside:
        what = f"'{path.name}' has no image files: {beside}"
        todo = "write the images out as files, one folder a class, and import that folder"
    elif refused:
        what = f"'{path.name}' has no usable images: {len(refused):,} files were refused, "
        what += _first_reason(refused)
        if all(item.reason == LINK for item in refused):
            todo = "copy the images themselves: cp -rL makes files of links"
        elif all(item.reason.startswith((ARCHIVE, "compression method")) for item in refused):
            todo = "unpack it with another program, one folder a class, and import that folder"
    elif junk:
        what = f"'{path.name}' holds nothing but {junk} hidden or system files"
    else:
        what = f"'{path.name}' is empty"
    return InputError(what, expected=KNOWN, todo=todo)


def left_closed(refused: Sequence[Refused]) -> list[str]:
    """A sentence for links and for archives that were left closed: a class may be in them."""
    told = []
    for reason, words in (
        (LINK, "links were not followed (cp -rL makes files of them)"),
        (ARCHIVE, "archives inside were not opened (unpack them first)"),
    ):
        if names := [item.file for item in refused if item.reason == reason]:
            told.append(f"{len(names):,} {words}: {listed(names)}")
    return told


def _first_reason(refused: Sequence[Refused]) -> str:
    return "; ".join(f"'{clean_name(item.file)[-80:]}' {item.reason}" for item in refused[:1])
