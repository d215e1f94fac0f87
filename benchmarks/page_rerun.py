"""Server time of a click on the pages Similarity and Augmentation, with a dataset as large as iNaturalist.

    PYTHONPATH=. python benchmarks/page_rerun.py [--images 268243] [--classes 1010] [--clicks 15]
        [--out benchmarks/results/page_rerun.json]

The manifest is written as an import writes it, in a workspace of its own that is deleted at the end; image
files are not needed, for these pages show none. Each click changes a widget and runs the page again as the
server does, through Streamlit's test driver: its own time is included.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from gmaug_core.data import store
from gmaug_core.data.folders import Place
from gmaug_core.data.manifest import Findings
from gmaug_core.files import write_bytes
from gmaug_core.ui import ROOT

WIDGETS = {  # a page -> the radio that is clicked, and what it is set to in turn
    "similarity": ("score-effort", ("pairs", "width", "paper")),
    "augmentation": ("aug-preset", ("standard", "quick")),
}
SUPER_CLASSES = 6  # iNaturalist 2019's own: its classes are species of six kinds


def write_dataset(images: int, classes: int) -> str:
    """A committed dataset of long-tailed classes without its image files; its id."""
    share = np.arange(1, classes + 1) ** -0.6
    sizes = np.maximum(2, np.floor(images * share / share.sum())).astype(int)
    sizes[0] += images - sizes.sum()
    placed: list[store.Placed] = []
    for label, size in enumerate(sizes):
        path = (f"kind {label % SUPER_CLASSES}", f"species {label:04d}")
        for k in range(size):
            digest = hashlib.sha256(f"{label}/{k}".encode()).hexdigest()
            image = store.Accepted(f"{path[0]}/{path[1]}/{k:05d}.jpg", digest, (800, 600), False, ())
            placed.append((image, Place("val" if k == 0 else "train", path)))
    findings = Findings(refused=(), junk=0, duplicates=(), warnings=())
    with store.staging_folder() as staging:
        return store.commit(staging, placed, name="iNaturalist-sized", findings=findings).dataset_id


def measure(page: str, clicks: int) -> dict[str, float]:
    """Seconds: the first opening of a page in this process, and of the clicks after it median and slowest."""
    app = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=120).run()
    begun = time.perf_counter()
    app.switch_page(str(Path("..", "..", "pages", f"{page}.py"))).run()
    first = time.perf_counter() - begun
    key, values = WIDGETS[page]
    took = []
    for k in range(clicks):
        app.radio(key=key).set_value(values[k % len(values)])
        begun = time.perf_counter()
        app.run()
        took.append(time.perf_counter() - begun)
        if app.exception:
            raise SystemExit(f"{page}: {app.exception[0].value}")
    return {
        "first": round(first, 4),
        "median": round(statistics.median(took), 4),
        "slowest": round(max(took), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=268_243)
    parser.add_argument("--classes", type=int, default=1010)
    parser.add_argument("--clicks", type=int, default=15)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GMAUG_HOME"] = folder
        made = write_dataset(args.images, args.classes)
        manifest = store.datasets_folder() / made / "manifest.json"
        document = {
            "images": args.images,
            "classes": args.classes,
            "manifest_mb": round(manifest.stat().st_size / 1e6, 1),
            "clicks": args.clicks,
            "seconds": {page: measure(page, args.clicks) for page in WIDGETS},
            "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
            "python": platform.python_version(),
        }
    text = json.dumps(document, indent=1)
    print(text)
    if args.out:
        write_bytes(args.out, text.encode() + b"\n")


if __name__ == "__main__":
    main()
