"""The other processes of a group: started by the one that trains, as `python -m
gmaug_core.models.generators.ranks`, and gone with it.

They read the training images from a file beside the checkpoints, keep nothing and say nothing: what a
training leaves behind the first process writes. On a GPU process k has device cuda:k, as torchrun gives them
out.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from gmaug_core import children
from gmaug_core.config.base import as_stored
from gmaug_core.config.generators import SOURCES
from gmaug_core.data.views import Images
from gmaug_core.errors import InputError
from gmaug_core.models import generators
from gmaug_core.models.generators.group import Group, Ranks

if TYPE_CHECKING:
    from gmaug_core.models.generators.contract import Generator

AT_ONCE = 4096  # images that are copied together


@contextmanager
def together(
    generator: Generator,
    images: Images,
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    folder: Path,
    *,
    processes: int,
    seed: int,
    until: float,
) -> Iterator[Group]:
    """The group of this process and the others that train the same, which begin now. Raises InputError where
    there are too few GPUs for them."""
    device = generator.device
    if device.type == "cuda" and torch.cuda.device_count() < processes:
        raise InputError(
            f"{processes} processes cannot have a GPU each", expected=f"{torch.cuda.device_count()} at most"
        )
    place = folder / f".ranks-{secrets.token_hex(4)}"
    others: list[subprocess.Popen[bytes]] = []
    group: Ranks | None = None
    threads = torch.get_num_threads()
    try:
        _write(place, images, labels)
        question = {
            "config": generator.config.model_dump(mode="json"),
            "class_names": list(class_names),
            "folder": str(folder),
            "place": str(place),
            "size": processes,
            "seed": seed,
            "until": until,
            "cuda": device.type == "cuda",
            "threads": max(threads // processes, 1),
        }
        others += [_begin(question | {"rank": rank}) for rank in range(1, processes)]
        if device.type != "cuda":
            torch.set_num_threads(max(threads // processes, 1))
        group = Ranks(place / "store", 0, processes, device)
        yield group
    finally:
        for other in others:
            other.kill()
            other.communicate()
        if group is not None:
            group.close()
        torch.set_num_threads(threads)
        shutil.rmtree(place, ignore_errors=True)


def _write(place: Path, images: Images, labels: NDArray[np.int64]) -> None:
    place.mkdir(parents=True)
    kept = np.lib.format.open_memmap(place / "images.npy", "w+", np.uint8, tuple(images.shape))
    for first in range(0, len(images), AT_ONCE):
        part = np.arange(first, min(first + AT_ONCE, len(images)))
        kept[part] = images[part]
    kept.flush()
    np.save(place / "labels.npy", labels)


def _begin(question: dict[str, Any]) -> subprocess.Popen[bytes]:
    child = children.talk("gmaug_core.models.generators.ranks", env=children.computing())
    assert child.stdin is not None
    child.stdin.write(json.dumps(question).encode() + b"\n")
    child.stdin.flush()
    return child


def main() -> None:
    """In one of the others: train, with nobody to tell and nobody to ask."""
    question = json.loads(sys.stdin.readline())
    place, rank = Path(question["place"]), int(question["rank"])
    torch.set_num_threads(question["threads"])
    config = as_stored(SOURCES[question["config"]["name"]].config, question["config"])
    generator = generators.create(config)
    device = torch.device(f"cuda:{rank}" if question["cuda"] else "cpu")
    generator.group = Ranks(place / "store", rank, question["size"], device)
    generator.train(
        np.load(place / "images.npy", mmap_mode="r"),
        np.load(place / "labels.npy"),
        question["class_names"],
        Path(question["folder"]),
        seed=question["seed"],
        device=str(device),
        until=question["until"],
    )


if __name__ == "__main__":
    main()
