"""What an edit on the board of super-classes costs: storing it, and the score that follows it.

    PYTHONPATH=. python benchmarks/board_edits.py flowers_128.zip [--edits 40] [--many 10000]
        [--out benchmarks/results/board_edits.json]

Every sub-class begins on its own; then one after another is moved to one of a dozen super-classes, as a
person who sorts does. A score of each state follows, as the page shows it: only what the edit touched is
measured. The last one is held against the score of the same grouping measured from nothing. And once more
with as many classes as --many says, of two made-up images each, without a score: an edit stored, and the
page answered to its person over the websocket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.about import machine
from benchmarks.dashboard import Server, Visitor, serving
from gmaug_core import intake
from gmaug_core.config import Profile
from gmaug_core.data import dataset, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.files import write_bytes
from gmaug_core.method.score import score_training_images
from gmaug_core.report import live_score
from gmaug_core.workspace import groupings
from gmaug_core.workspace.grouping import Grouping, identity

SUPER_CLASSES = 12


def measure(source: Path, edits: int) -> dict[str, object]:
    """Seconds of each part."""
    data = dataset.load(intake.import_path(source).dataset_id)
    images = data.images("paper")
    mine = Grouping("mine", identity(data.class_names).super_classes)
    revision = groupings.save(data.id, mine, revision=0)
    begun = time.perf_counter()
    live_score.of(data, mine.super_classes)
    first = time.perf_counter() - begun
    rng = np.random.default_rng(0)
    stored, scored, stopped = [], [], 0
    for sub in rng.permutation(np.array(data.class_names, object))[:edits].tolist():
        begun = time.perf_counter()
        to = f"group {rng.integers(SUPER_CLASSES)}"
        mine, revision = groupings.edit(data.id, mine, revision, {"do": "move", "subs": [sub], "to": to})
        stored.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        found = live_score.of(data, mine.super_classes)
        scored.append(time.perf_counter() - begun)
        stopped += found is None or found.stopped
    part = splits.Part(splits.made(data, 0)["train"], 0)
    profile = Profile.parse("paper")
    begun = time.perf_counter()
    whole = score_training_images(images, data, part, mine.super_classes, profile=profile)
    return {
        "classes": len(data.class_names),
        "training_images": len(part.index),
        "edits": edits,
        "first_score_s": round(first, 3),
        "edit_stored_s_median": round(statistics.median(stored), 4),
        "edit_stored_s_slowest": round(max(stored), 4),
        "score_after_an_edit_s_median": round(statistics.median(scored), 3),
        "score_after_an_edit_s_slowest": round(max(scored), 3),
        "scores_cut_short": stopped,
        "from_nothing_s": round(time.perf_counter() - begun, 3),
        "equal_to_from_nothing": bool(found and found.ssim_supsubcls == whole.ssim_supsubcls),
    }


def crowded(folder: Path, classes: int, edits: int) -> dict[str, object]:
    """Seconds of an edit among very many sub-classes, and of the page that follows it."""
    rng = np.random.default_rng(0)
    for k in range(classes):
        place = folder / "many" / f"class {k:05d}"
        place.mkdir(parents=True)
        for number in range(2):
            Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8)).save(place / f"{number}.png")
    data = dataset.load(intake.import_path(folder / "many").dataset_id)
    mine = Grouping("mine", identity(data.class_names).super_classes)
    groupings.save(data.id, mine, revision=0)
    with serving(Path(os.environ["GMAUG_HOME"])) as server:
        stored, answered, size = asyncio.run(_watched(server, data, mine, edits))
    whole = [a + b for a, b in zip(stored, answered, strict=True)]
    return {
        "many_classes": classes,
        "many_edits": edits,
        "many_edit_stored_s_median": round(statistics.median(stored), 3),
        "many_page_answered_s_median": round(statistics.median(answered), 3),
        "many_page_kb": round(size / 1000),
        "many_edit_s_median": round(statistics.median(whole), 3),
        "many_edit_s_slowest": round(max(whole), 3),
    }


async def _watched(
    server: Server, data: Dataset, mine: Grouping, edits: int
) -> tuple[list[float], list[float], int]:
    """Seconds to store each edit, seconds of the page after each, bytes of the page."""
    rng = np.random.default_rng(1)
    visitor = Visitor(server, server.cookie())
    await visitor.open("super_classes", f"dataset={data.id}&grouping=mine")
    await visitor.turn("super_classes")
    stored, answered, revision = [], [], 1
    for sub in rng.permutation(np.array(data.class_names, object))[:edits].tolist():
        begun = time.perf_counter()
        op = {"do": "move", "subs": [sub], "to": f"group {rng.integers(SUPER_CLASSES)}"}
        mine, revision = groupings.edit(data.id, mine, revision, op)
        stored.append(time.perf_counter() - begun)
        before = visitor.sent_bytes
        answered.append(await visitor.turn("super_classes"))
    size = visitor.sent_bytes - before
    await visitor.close()
    if visitor.errors:
        raise SystemExit(f"the page broke: {visitor.errors}")
    return stored, answered, size


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/board_edits.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GMAUG_HOME"] = str(Path(folder) / "workspace")
        found = measure(args.source, args.edits) | crowded(Path(folder), args.many, args.edits)
    print(json.dumps(found, indent=1))
    write_bytes(args.out, json.dumps({"source": args.source.name, **found, **machine()}, indent=1).encode())


if __name__ == "__main__":
    main()
