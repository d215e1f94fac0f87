"""The page Samples with 50,000 samples: how long a screen of pictures takes at any offset, the list, a
filter, a key press, and what the server holds.

    PYTHONPATH=. python benchmarks/gallery.py [--samples 50000] [--out benchmarks/results/gallery.json]

The run is made by hand (the demo's digits with noise) in a workspace of its own. The visitor asks as a
browser does, so that no browser's own work is in the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import numpy as np

from benchmarks.about import machine
from benchmarks.dashboard import ROOT, Server, Visitor, serving
from gmaug_core.data import samples
from gmaug_core.files import write_bytes
from gmaug_core.report.browsing import Filter
from gmaug_core.runs import RunPaths
from gmaug_core.ui import items
from gmaug_core.ui.routes import samples_url

sys.path.insert(0, str(ROOT / "tests"))
import run_fixture

SCREEN = 54  # cells at 1440 x 900, with the spare rows
OFFSETS = 40
CLASSES = 10
SHARE_OF_STEPS = 1.5  # the fixture draws half as many again in a second step


async def measure(server: Server, paths: RunPaths, dataset: str) -> dict[str, float]:
    """Seconds, kilobytes and megabytes."""
    visitor = Visitor(server, server.cookie())
    first = await visitor.open("samples", f"dataset={dataset}&run={paths.id}")
    parts = [await visitor.part() for _ in range(10)]
    filtered = Filter(verdict="rejected", name="4", order="score, low first")
    async with httpx2.AsyncClient(
        base_url=server.url, headers={"cookie": visitor.cookie}, timeout=60
    ) as client:

        async def fetched(address: str) -> int:
            answer = await client.get(address)
            return len(answer.raise_for_status().content)

        async def took(*addresses: str) -> tuple[float, int]:
            begun = time.perf_counter()
            sizes = await asyncio.gather(*map(fetched, addresses))
            return time.perf_counter() - begun, sum(sizes)

        whole, size = await took(items.url(paths.id, Filter(), "0"))
        again, _ = await took(items.url(paths.id, Filter(), "1"))
        narrow, _ = await took(items.url(paths.id, filtered, "0"))
        count = samples.count(paths.samples)
        offsets = np.random.default_rng(0).integers(0, count - SCREEN, OFFSETS)
        screens = [
            (await took(samples_url(paths.id) + ",".join(map(str, range(at, at + SCREEN)))))[0]
            for at in offsets.tolist()
        ]
    await visitor.close()
    if visitor.errors:
        raise SystemExit(f"the page broke: {visitor.errors}")
    return {
        "samples": count,
        "first_opening_s": round(first, 3),
        "key_press_s_median": round(statistics.median(parts), 3),
        "list_first_s": round(whole, 3),
        "list_again_s": round(again, 3),
        "list_kb": round(size / 1000),
        "list_filtered_s": round(narrow, 3),
        "screen_s_median": round(statistics.median(screens), 3),
        "screen_s_slowest": round(max(screens), 3),
        "server_mb": round(server.memory_mb()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/gallery.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workspace"
        os.environ["GMAUG_HOME"] = str(home)
        demo = run_fixture.make_demo()
        per_class = -(-args.samples // int(CLASSES * SHARE_OF_STEPS))
        paths = run_fixture.make_run(demo, token="gallery", per_class=per_class)
        with serving(home) as server:
            found = asyncio.run(measure(server, paths, demo))
    print(json.dumps(found, indent=1))
    write_bytes(args.out, json.dumps({**found, **machine()}, indent=1).encode())


if __name__ == "__main__":
    main()
