"""What a page that watches a run costs the server: CPU time a look, with nothing new and with a new row of
metrics each; and of drawing its part again, which news ask for now and then.

    PYTHONPATH=. python benchmarks/watch_tick.py [--ticks 50] [--out benchmarks/results/watch_tick.json]

The run is made by hand in a workspace of its own, its lock held by this process. The visitor asks as the
browser does, so that no browser's own work is in the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2

from benchmarks.about import machine
from benchmarks.dashboard import ROOT, Server, Visitor, serving
from gmaug_core import locks
from gmaug_core.files import write_bytes, write_json
from gmaug_core.runs import RunPaths
from gmaug_core.ui.pulse import DRAW_S, EVERY_S

sys.path.insert(0, str(ROOT / "tests"))
import run_fixture

PAUSE_S = 0.1  # between two acts


def grown(paths: RunPaths, k: int) -> None:
    """One more row of metrics and a newer status, as a training writes them."""
    row = {
        "time": time.time(),
        "attempt": 1,
        "stage": "generator",
        "step": 32 + k,
        "total": 60,
        "kimg": 32.0 + k,
    }
    with paths.metrics.open("a") as file:
        file.write(json.dumps(row | {"loss": 0.3, "img_per_s": 640.0}) + "\n")
    status = json.loads(paths.status.read_text()) | {"step": 32 + k, "progress_at": time.time()}
    write_json(paths.status, status)


async def measure(
    server: Server, paths: RunPaths, dataset: str, ticks: int, *, news: bool
) -> dict[str, float]:
    """Milliseconds of the server's CPU: a look, a drawing, and a look with its share of the drawings."""
    visitor = Visitor(server, server.cookie())
    await visitor.open("augmentation", f"dataset={dataset}&run={paths.id}")
    beat = f"{server.url}/runs/{paths.id}/pulse"
    drawings = max(3, ticks // 5)
    async with httpx2.AsyncClient(headers={"cookie": visitor.cookie}) as client:

        async def look() -> None:
            (await client.get(beat)).raise_for_status()

        looked = await _cpu(server, look, ticks, paths if news else None)
    drawn = await _cpu(server, visitor.part, drawings, paths if news else None)
    await visitor.close()
    if visitor.errors:
        raise SystemExit(f"the page did not watch: {visitor.errors}")
    return {
        "cpu_ms_a_look": round(looked, 2),
        "cpu_ms_a_drawing": round(drawn, 2),
        "cpu_ms_a_tick": round(looked + (drawn * EVERY_S / DRAW_S if news else 0.0), 2),
    }


async def _cpu(
    server: Server, act: Callable[[], Awaitable[object]], times: int, paths: RunPaths | None
) -> float:
    """Milliseconds of the server's CPU an act, less what it does by itself. paths: of a run that grows."""
    for _ in range(3):
        await act()
    before, begun = server.cpu_seconds(), time.perf_counter()
    for k in range(times):
        if paths:
            grown(paths, k)
        await act()
        await asyncio.sleep(PAUSE_S)
    used, wall = server.cpu_seconds() - before, time.perf_counter() - begun
    await asyncio.sleep(wall)
    idle = server.cpu_seconds() - before - used
    return 1000 * (used - idle) / times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ticks", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/watch_tick.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workspace"
        os.environ["GMAUG_HOME"] = str(home)
        demo = run_fixture.make_demo()
        paths = run_fixture.make_run(demo, state="running", token="watched")
        with locks.locked(paths.lock), serving(home) as server:
            found = {
                name: asyncio.run(measure(server, paths, demo, args.ticks, news=news))
                for name, news in (("nothing new", False), ("a new row each", True))
            }
    print(json.dumps(found, indent=1))
    write_bytes(args.out, json.dumps({"ticks": args.ticks, **found, **machine()}, indent=1).encode())


if __name__ == "__main__":
    main()
