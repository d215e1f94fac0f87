"""How fast a large dataset comes in, and how much memory that takes.

    python -m benchmarks.intake_scale [--images 100000] [--size 64] [--kills 10]

With kills, the import is first begun so many times by the command line and killed, most of them early, the
last one near its end; then it is done. Made-up JPEG pictures in a stored zip, 20 classes, one in 50 twice
with another quality: a near copy. The import is the product's own, with its limited children.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from gmaug_core.data import dataset
from gmaug_core.files import write_json
from gmaug_core.intake import import_path
from gmaug_core.seeds import derive

RESULT = Path(__file__).resolve().parent / "results" / "intake_scale.json"
CLASSES, COPY_EVERY = 20, 50
LOOK_S = 0.1  # between two looks at how far an import has come
PEAK_UNIT = 1024  # ru_maxrss is in KiB on Linux


def make(path: Path, images: int, size: int) -> int:
    """Write the zip; returns how many of the images are near copies of an earlier one."""
    random = np.random.default_rng(derive("intake scale", 0))
    copies = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(images):
            quality = 90
            if number % COPY_EVERY == 1:
                quality, copies = 80, copies + 1  # the picture of before
            else:
                noise = random.integers(0, 256, (6, 6, 3), np.uint8)
                picture = Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC)
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality)
            archive.writestr(f"class {number // COPY_EVERY % CLASSES:02d}/{number:06d}.jpg", file.getvalue())
    return copies


def killed(path: Path, kills: int, images: int) -> list[int]:
    """Begin the import and kill it, child processes and all that it holds left as they are. Returns how many
    images each had stored by then, from a part of its folders."""
    stored = []
    folder = Path(os.environ["GMAUG_HOME"]) / "datasets"
    for k in range(kills):
        share = ((k + 1) / kills) ** 3 * 0.95
        command = [sys.executable, "-m", "gmaug_core", "import", str(path), "--json"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = 0
        while process.poll() is None and found < share * images:
            time.sleep(LOOK_S)
            with suppress(FileNotFoundError):  # the next import sweeps what the one before left
                own = [each for staging in folder.glob(".import-*") for each in staging.glob("originals/0*")]
                found = 16 * sum(len(list(each.iterdir())) for each in own)  # of 256 folders 16 begin with 0
        if process.poll() is not None:
            raise SystemExit(f"an import ended by itself with {process.returncode}")
        process.send_signal(signal.SIGKILL)
        process.wait()
        stored.append(found)
        if any(not each.name.startswith(".") for each in folder.iterdir()):
            raise SystemExit("a killed import left a dataset")
    return stored


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GMAUG_HOME"] = str(Path(folder) / "home")
        path = Path(folder) / "many.zip"
        made = make(path, args.images, args.size)
        stored = killed(path, args.kills, args.images)
        begun, used = time.perf_counter(), _cpu()
        found = import_path(path)
        wall, cpu = time.perf_counter() - begun, _cpu() - used
        data = dataset.load(found.dataset_id)
        grouped = 0 if data.near is None else int((np.bincount(data.near) > 1).sum())
        document = {
            "images": found.accepted,
            "size": args.size,
            "wall_seconds": round(wall, 1),
            "cpu_seconds": round(cpu, 1),
            "images_per_cpu_second": round(found.accepted / cpu),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PEAK_UNIT),
            "peak_mb_of_a_child": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / PEAK_UNIT),
            "near_copies_made": made,
            "groups_found": grouped,
            "killed_at": stored,
            "lost": args.images - len({*data.manifest.images.file}),
            "doubled": len(data) - len({*data.manifest.images.file}),
            "datasets": len(dataset.list_datasets()),
            "left_behind": [each.name for each in (Path(folder) / "home" / "datasets").glob(".import-*")],
            "load": os.getloadavg()[0],
        }
    write_json(args.out, document)
    print(document)


def _cpu() -> float:
    """Seconds of processor time of this process and of its children that have ended."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
