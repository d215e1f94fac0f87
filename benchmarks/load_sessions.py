"""Many people at once: sessions over the real websocket that open pages and click, with pauses between.

    PYTHONPATH=. python benchmarks/load_sessions.py [--sessions 25 50] [--seconds 40]
        [--out benchmarks/results/load_sessions.json]

Each session opens a page, then runs it again every few seconds as a click does, and goes to another page now
and then. What counts is how long an answer takes, from the message to the end of the page, and errors.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import websockets

from benchmarks.about import machine
from benchmarks.dashboard import ROOT, Server, Visitor, serving
from gmaug_core.files import write_bytes

sys.path.insert(0, str(ROOT / "tests"))
import run_fixture

PAGES = ("datasets", "super_classes", "similarity", "verdict", "augmentation", "samples", "gains")
PAUSE_S = (5.0, 15.0)  # between two acts of a person who looks at what came
CLICKS = 4  # on a page, before the next one


async def person(server: Server, number: int, query: str, until: float) -> tuple[list[float], list[str]]:
    """Waits in seconds, and errors, of one session."""
    rng = np.random.default_rng(number)
    visitor, waits = Visitor(server, server.cookie()), list[float]()
    await asyncio.sleep(float(rng.uniform(0, PAUSE_S[1])))  # they do not come at the same moment
    page, opened = number, False
    try:
        while time.perf_counter() < until:
            if not opened or len(waits) % (CLICKS + 1) == 0:
                name = PAGES[page % len(PAGES)]
                waits.append(await (visitor.turn(name) if opened else visitor.open(name, query)))
                page, opened = page + 1, True
            else:
                waits.append(await visitor.again())
            await asyncio.sleep(float(rng.uniform(*PAUSE_S)))
        await visitor.close()
    except (
        OSError,
        TimeoutError,
        websockets.WebSocketException,
    ) as error:
        visitor.errors.append(f"{type(error).__name__}: {error}")
    return waits, visitor.errors


async def measure(server: Server, sessions: int, query: str, seconds: float) -> dict[str, object]:
    """Seconds an answer takes with so many sessions, and their errors."""
    until = time.perf_counter() + seconds
    before = server.cpu_seconds()
    found = await asyncio.gather(*(person(server, k, query, until) for k in range(sessions)))
    waits = np.array([wait for each, _ in found for wait in each])
    errors = [error for _, each in found for error in each]
    return {
        "sessions": sessions,
        "answers": len(waits),
        "median_s": round(float(np.median(waits)), 3),
        "p95_s": round(float(np.quantile(waits, 0.95)), 3),
        "slowest_s": round(float(waits.max()), 3),
        "errors": len(errors),
        "first_errors": errors[:3],
        "server_cpu_s": round(server.cpu_seconds() - before, 1),
        "server_mb": round(server.memory_mb()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, nargs="+", default=[25, 50])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/load_sessions.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workspace"
        os.environ["GMAUG_HOME"] = str(home)
        demo = run_fixture.make_demo()
        run_fixture.make_run(demo, kind="similarity", token="load-score")
        run_fixture.make_run(demo, kind="verdict", token="load-verdict")
        run_fixture.make_run(demo, token="load-augment")
        with serving(home) as server:
            asyncio.run(measure(server, 2, f"dataset={demo}", 15.0))  # every page was imported once
            found = [
                asyncio.run(measure(server, sessions, f"dataset={demo}", args.seconds))
                for sessions in args.sessions
            ]
    print(json.dumps(found, indent=1))
    document = {"pause_s": PAUSE_S, "seconds": args.seconds, "load": found, **machine()}
    write_bytes(args.out, json.dumps(document, indent=1).encode())


if __name__ == "__main__":
    main()
