"""A dataset of iNaturalist-2019's size on this machine: import, cache and score, with a kill in the middle of
each.

    PYTHONPATH=. python benchmarks/scale.py FOLDER [--images 265000] [--classes 1010]
                                            [--out benchmarks/results/scale.json]

FOLDER holds what is made: a zip of small generated JPEGs (96 px, long-tailed) and a workspace of its own,
about 10 GB. Import, cache and score run as their users run them, through the command line and its worker.
Killed (SIGKILL) half-way: an import leaves no trace and is begun again; a cache goes on where it was. Memory:
the sum over all processes of what is theirs alone (anonymous pages); pages of memory-mapped files, which the
system takes back when it needs them, are stated apart.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 96
SAMPLE_S = 0.5


def class_sizes(images: int, classes: int) -> npt.NDArray[np.int64]:
    """Long-tailed: proportional to rank^-0.6, at least 2, summing to `images`."""
    share = np.arange(1, classes + 1) ** -0.6
    sizes: npt.NDArray[np.int64] = np.maximum(2, np.floor(images * share / share.sum())).astype(int)
    sizes[0] += images - sizes.sum()
    return sizes


def jpegs(task: tuple[int, int]) -> list[bytes]:
    """The images of one class: smooth noise around a pattern that the class shares."""
    number, size = task
    random = np.random.default_rng(number)
    shared = random.normal(128, 40, (6, 6, 3))
    found = []
    for _ in range(size):
        small = np.clip(shared + random.normal(0, 40, (6, 6, 3)), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
        found.append(file.getvalue())
    return found


def make(path: Path, images: int, classes: int) -> None:
    """The zip, stored (JPEGs do not shrink)."""
    sizes = class_sizes(images, classes)
    part = path.with_suffix(".part")
    with (
        zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive,
        ProcessPoolExecutor(os.cpu_count()) as pool,
    ):
        for number, made in enumerate(pool.map(jpegs, enumerate(sizes.tolist()))):
            for k, data in enumerate(made):
                archive.writestr(f"group_{number % 6}/species_{number:04}/{k:05}.jpg", data)
    part.rename(path)


def processes(home: Path) -> Iterator[int]:
    """Everything that works in this workspace."""
    wanted = f"GMAUG_HOME={home}".encode()
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)
        except OSError:
            continue  # it ended, or is not ours


def memory(home: Path) -> tuple[float, float]:
    """(anonymous, with mapped files) in GB, summed over the processes of the workspace."""
    anonymous = whole = 0
    for process in processes(home):
        try:
            lines = dict(
                line.split(":", 1)
                for line in Path(f"/proc/{process}/status").read_text().splitlines()
                if ":" in line
            )
            anonymous += int(lines["RssAnon"].split()[0])
            whole += int(lines["VmRSS"].split()[0])
        except (OSError, KeyError):
            continue
    return anonymous / 1e6, whole / 1e6


class Watched:
    """A command of the tool in the workspace, with its time and peak memory; `kill_when` ends all of it with
    SIGKILL.
    """

    def __init__(self, home: Path, *arguments: str, kill_when: Callable[[], bool] | None = None) -> None:
        environment = os.environ | {"GMAUG_HOME": str(home)}
        began, self.anonymous, self.whole, self.killed = time.perf_counter(), 0.0, 0.0, False
        out = home.parent / "out.json"
        with (home.parent / "log.txt").open("ab") as log, out.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "gmaug_core", *arguments, "--json"],
                env=environment,
                stdout=file,
                stderr=log,
            )
        while process.poll() is None:
            time.sleep(SAMPLE_S)
            anonymous, whole = memory(home)
            self.anonymous, self.whole = max(self.anonymous, anonymous), max(self.whole, whole)
            if kill_when and not self.killed and kill_when():
                self.killed = True
                for each in list(processes(home)):
                    if each != os.getpid():
                        os.kill(each, signal.SIGKILL)
        self.seconds = time.perf_counter() - began
        text = out.read_text()
        if process.returncode and not self.killed:
            sys.exit(f"{arguments} failed: {text}")
        self.document = json.loads(text.splitlines()[-1]) if text.strip() and not self.killed else {}

    def figures(self) -> dict[str, float]:
        return {
            "seconds": round(self.seconds, 1),
            "peak_anonymous_gb": round(self.anonymous, 3),
            "peak_with_mapped_files_gb": round(self.whole, 3),
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=265_000)
    parser.add_argument("--classes", type=int, default=1010)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    home, source = (
        (args.folder / "workspace").resolve(),
        args.folder / f"made-{args.images}-{args.classes}.zip",
    )
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    if not source.exists():
        make(source, args.images, args.classes)
    report: dict[str, object] = {
        "images": args.images,
        "classes": args.classes,
        "zip_gb": round(source.stat().st_size / 1e9, 2),
    }
    report["machine"] = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "processor": platform.machine(),
    }

    def stored() -> int:
        return (
            sum(1 for _ in (home / "datasets").glob(".*/originals/*/*"))
            if (home / "datasets").exists()
            else 0
        )

    killed = Watched(
        home, "import", str(source), "--level", "2", kill_when=lambda: stored() > args.images / 2
    )
    left = [path.name for path in (home / "datasets").iterdir() if not path.name.startswith(".")]
    report["import_killed"] = killed.figures() | {"killed": killed.killed, "datasets_left": len(left)}
    imported = Watched(home, "import", str(source), "--level", "2")
    report["import"] = imported.figures() | {
        "accepted": imported.document["images"],
        "images_per_s": round(args.images / imported.seconds),
        "orphans": sum(path.name.startswith(".import") for path in (home / "datasets").iterdir()),
    }
    dataset = imported.document["id"]
    grouping = max(
        json.loads((home / "datasets" / dataset / "manifest.json").read_text())["suggested_groupings"],
        key=lambda g: len(g[1]),
    )

    def half_cached() -> bool:
        marks = list((home / "datasets" / dataset / "cache").glob(".*.done"))
        return bool(marks) and int(marks[0].read_text() or 0) > args.images / 2

    killed = Watched(home, "similarity", dataset, "--grouping", grouping[0], kill_when=half_cached)
    report["score_killed_while_caching"] = killed.figures() | {"killed": killed.killed}
    run = next(path.name for path in (home / "runs").iterdir() if path.is_dir())
    resumed = Watched(home, "resume", run)
    result, stages = resumed.document["result"], resumed.document["stages"]
    pairs = result["ssim_mergecls"]["pairs"] + result["ssim_supsubcls"]["pairs"]
    report["score_resumed"] = resumed.figures() | {
        "stages_s": {name: round(seconds, 1) for name, seconds in stages.items()},
        "cached_images_per_s": round(args.images / 2 / stages["decode"]),
        "pairs": pairs,
        "metric_seconds": result["seconds"],
        "pairs_per_s": round(pairs / result["seconds"]),
        "super_classes": len(result["super_classes"]),
        "ssim_supsubcls": result["ssim_supsubcls"]["value"],
    }
    shutil.rmtree(home / "runs")  # a later run would take its means from an earlier one
    again = Watched(home, "similarity", dataset, "--grouping", grouping[0], "--workers", "1")
    same = {
        key: again.document[key] == result[key]
        for key in ("ssim_mergecls", "ssim_supsubcls", "super_classes")
    }
    report["score_again"] = again.figures() | {"identical": all(same.values())}
    text = json.dumps(report, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
