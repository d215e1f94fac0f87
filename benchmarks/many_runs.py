"""A workspace of 500 runs: the page of runs, the list, and what five watchers of one run cost.

    PYTHONPATH=. python -m benchmarks.many_runs [--runs 500] [--out benchmarks/results/many_runs.json]

Seconds are of the server's CPU, so that other work of the machine is not in them; the wall clock stands
beside them. A run with w watchers is slowed by at most their share of the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx2

from benchmarks.about import machine
from benchmarks.dashboard import ROOT, Server, Visitor, serving
from benchmarks.watch_tick import grown
from gmaug_core import locks, runs
from gmaug_core.files import encoded, write_bytes
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.ui.pulse import DRAW_S, EVERY_S

sys.path.insert(0, str(ROOT / "tests"))
import run_fixture

WATCHERS = 5


def filled(paths: RunPaths, count: int) -> None:
    """So many runs like this one; their images and networks are the same files."""
    config = RunConfigFile.read(paths.config)
    for number in range(count):
        run_id = f"augmentation-many-{number:04d}"
        copy = RunPaths(runs.root() / run_id)
        shutil.copytree(paths.folder, copy.folder, copy_function=os.link)
        changed = config.model_copy(update={"run": run_id, "created": config.created - number})
        copy.config.unlink()  # a name of the same file as all others'
        copy.config.write_bytes(encoded(changed.to_dict()))  # not waiting for the disk, 500 times


async def clicks(server: Server, query: str, times: int) -> dict[str, float]:
    """A page of runs opened, and drawn again: milliseconds."""
    visitor = Visitor(server, server.cookie())
    begun = server.cpu_seconds()
    opened = await visitor.open("augmentation", query)
    first = server.cpu_seconds() - begun
    took, computed = [], []
    for _ in range(times):
        before = server.cpu_seconds()
        took.append(await visitor.again())
        computed.append(server.cpu_seconds() - before)
    await visitor.close()
    if visitor.errors:
        raise SystemExit(f"the page broke: {visitor.errors}")
    return {
        "first_opening_s": round(opened, 2),
        "first_opening_cpu_ms": round(1000 * first),
        "again_cpu_ms_median": round(1000 * statistics.median(computed)),
        "again_ms_median": round(1000 * statistics.median(took)),
        "again_ms_fastest": round(1000 * min(took)),
    }


async def watched(server: Server, paths: RunPaths, query: str, seconds: float) -> dict[str, float]:
    """The share of one core that the server computes while WATCHERS look at a run that moves, as their
    browsers do."""
    visitors = [Visitor(server, server.cookie()) for _ in range(WATCHERS)]
    for visitor in visitors:
        await visitor.open("augmentation", query)
    await asyncio.sleep(2)
    idle_from, began = server.cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds / 2)
    idle = (server.cpu_seconds() - idle_from) / (time.monotonic() - began)
    beat = f"{server.url}/runs/{paths.id}/pulse"

    async def watch(visitor: Visitor) -> None:
        drawn = time.monotonic()
        async with httpx2.AsyncClient(headers={"cookie": visitor.cookie}) as client:
            while time.monotonic() < until:
                (await client.get(beat)).raise_for_status()
                if time.monotonic() - drawn > DRAW_S:
                    drawn = time.monotonic()
                    await visitor.part()
                await asyncio.sleep(EVERY_S)

    async def move() -> None:
        number = 0
        while time.monotonic() < until:
            grown(paths, number := number + 1)
            await asyncio.sleep(0.5)

    before, began = server.cpu_seconds(), time.monotonic()
    until = began + seconds
    await asyncio.gather(move(), *map(watch, visitors))
    used = (server.cpu_seconds() - before) / (time.monotonic() - began)
    for visitor in visitors:
        await visitor.close()
    cores = os.cpu_count() or 1
    return {
        "watchers": WATCHERS,
        "share_of_a_core_percent": round(100 * used, 2),
        "without_watchers_percent": round(100 * idle, 2),
        "run_slowed_by_at_most_percent": round(100 * used / cores, 2),
    }


def listed() -> dict[str, float]:
    """Milliseconds of CPU that a list of all runs takes, and the same with their states."""
    began = time.process_time()
    found = runs.list_runs()
    read = time.process_time() - began
    for paths in found:
        runs.read_status(paths)
    return {"list_ms": round(1000 * read), "with_states_ms": round(1000 * (time.process_time() - began))}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--clicks", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workspace"
        os.environ["GMAUG_HOME"] = str(home)
        demo = run_fixture.make_demo()
        finished = run_fixture.make_run(demo, token="first", per_class=3)
        running = run_fixture.make_run(demo, state="running", token="watched", per_class=3)
        query, watching = f"dataset={demo}&run={finished.id}", f"dataset={demo}&run={running.id}"
        found: dict[str, object] = {}
        with locks.locked(running.lock):
            with serving(home) as server:
                found["2 runs"] = asyncio.run(clicks(server, query, args.clicks)) | listed()
            filled(finished, args.runs - 2)
            with serving(home) as server:
                found[f"{args.runs} runs"] = asyncio.run(clicks(server, query, args.clicks)) | listed()
                found["watched"] = asyncio.run(watched(server, running, watching, args.seconds))
    found |= {"load": list(os.getloadavg()), "machine": machine()}
    text = json.dumps(found, indent=1)
    print(text)
    if args.out:
        write_bytes(args.out, text.encode() + b"\n")


if __name__ == "__main__":
    main()
