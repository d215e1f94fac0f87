"""A large upload over HTTP: what the server holds in memory meanwhile; cut off and gone on with; given up for
another file.

    PYTHONPATH=. python benchmarks/uploads.py [--mb 600] [--out benchmarks/results/uploads.json]

The dashboard is the product's own, started as people start it; the browser's part is played by requests of
the same kinds. The archive holds pictures of noise in two classes.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import io
import json
import os
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
from PIL import Image

from benchmarks.about import machine
from benchmarks.dashboard import ROOT, Server, serving
from gmaug_core.data import dataset
from gmaug_core.files import write_bytes
from gmaug_core.intake import jobs
from gmaug_core.seeds import derive
from gmaug_core.ui import routes

RESULT = ROOT / "benchmarks" / "results" / "uploads.json"
SLICE = 8_000_000  # bytes, as the page sends them
SIDE = 2500  # pixels of a picture: 18.75 MB of noise
LOOK_S = 0.05  # between two looks at the server's memory
IMPORT_S = 900.0  # an import that takes longer has gone wrong


def make(path: Path, megabytes: float, seed: int) -> int:
    """Write the archive; returns how many images it holds."""
    random = np.random.default_rng(derive("uploads", seed))
    count = max(4, round(megabytes * 1e6 / (3 * SIDE * SIDE)))
    side = SIDE if count > 4 else 64
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(count):
            file = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)).save(
                file, "PNG", compress_level=0
            )
            archive.writestr(f"class {number % 2}/{number}.png", file.getvalue())
    return count


@dataclass
class Memory:
    """The most that the server held, in MB, while it was looked at."""

    server: Server
    peak: float = 0.0
    _end: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        while not self._end.wait(LOOK_S):
            self.peak = max(self.peak, self.server.memory_mb())


@contextmanager
def watched(server: Server) -> Iterator[Memory]:
    memory = Memory(server)
    thread = threading.Thread(target=memory.look)
    thread.start()
    try:
        yield memory
    finally:
        memory._end.set()
        thread.join()


class Browser:
    """What the page's uploader sends."""

    def __init__(self, server: Server) -> None:
        self._server, self._cookie = server, server.cookie()
        self.client = httpx2.Client(base_url=server.url, headers={"cookie": self._cookie}, timeout=120)

    def begin(self, token: str, path: Path) -> dict[str, object]:
        with path.open("rb") as file:
            head = file.read(routes.HEAD)
        about = {
            "x-name": path.name,
            "x-total": str(path.stat().st_size),
            "x-modified": str(path.stat().st_mtime_ns),
        }
        answer = self.client.post(f"/uploads/{token}", headers=self._own(token) | about, content=head)
        return dict(answer.raise_for_status().json())

    def send(
        self, token: str, upload: object, path: Path, start: int, stop: int | None = None
    ) -> dict[str, object]:
        """Slices from `start` on, up to `stop`. Returns the last answer."""
        answer: dict[str, object] = {"received": start, "done": False}
        with path.open("rb") as file:
            at = start
            while at < (stop or path.stat().st_size):
                file.seek(at)
                headers = self._own(token) | {"x-upload": str(upload), "x-offset": str(at)}
                sent = self.client.put(f"/uploads/{token}", headers=headers, content=file.read(SLICE))
                answer = dict(sent.raise_for_status().json())
                at += SLICE
        return answer

    def cut(self, token: str, upload: object, path: Path, start: int) -> None:
        """Half of a slice, then the connection breaks off."""
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(SLICE // 2)
        line = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        line.putrequest("PUT", f"/uploads/{token}")
        headers = {
            "x-upload": str(upload),
            "x-offset": str(start),
            "content-length": str(SLICE),
            "cookie": self._cookie,
        }
        for name, value in (self._own(token) | headers).items():
            line.putheader(name, value)
        line.endheaders()
        line.send(data)
        line.close()

    def received(self, token: str, upload: object) -> int:
        answer = self.client.get(f"/uploads/{token}", headers=self._own(token) | {"x-upload": str(upload)})
        return int(answer.raise_for_status().json()["received"])

    def late(self, token: str, upload: object) -> int:
        """The status of a slice for an upload that was given up."""
        headers = self._own(token) | {"x-upload": str(upload), "x-offset": "0"}
        return self.client.put(f"/uploads/{token}", headers=headers, content=b"x").status_code

    @staticmethod
    def _own(token: str) -> dict[str, str]:
        return {"x-ticket": routes.upload_ticket(token)}


def imported(token: str) -> tuple[int, str]:
    """Wait for an import; images taken, and the dataset."""
    deadline = time.monotonic() + IMPORT_S
    while time.monotonic() < deadline:
        state = jobs.status(token)
        if state and state["state"] != "running":
            if state["state"] != "finished":
                raise SystemExit(f"the import failed: {state['error']}")
            return int(state["report"]["accepted"]), str(state["dataset"])
        time.sleep(0.2)
    raise SystemExit("the import did not end")


def measure(server: Server, big: Path, other: Path, counts: tuple[int, int]) -> dict[str, object]:
    browser = Browser(server)
    token = jobs.new_token()
    first = browser.begin(token, big)["upload"]  # a first request, so that all modules are there
    before, size = server.memory_mb(), big.stat().st_size
    begun = time.perf_counter()
    with watched(server) as memory:
        half = size // 2 // SLICE * SLICE
        browser.send(token, first, big, 0, half)
        browser.cut(token, first, big, half)
        time.sleep(1)
        kept = browser.received(token, first)
        again = browser.begin(token, big)
        answer = browser.send(token, again["upload"], big, kept)
    took = time.perf_counter() - begun
    with watched(server) as while_imported:
        taken, dataset_id = imported(token)
    with big.open("rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == answer["sha256"]
    changed = jobs.new_token()
    stale = browser.begin(changed, big)["upload"]
    browser.send(changed, stale, big, 0, SLICE * 4)
    fresh = browser.begin(changed, other)
    late = browser.late(changed, stale)
    browser.send(changed, fresh["upload"], other, 0)
    taken_of_other, other_id = imported(changed)
    left = sorted(path.name for path in jobs.upload_path(token).parent.iterdir())
    return {
        "megabytes": round(size / 1e6),
        "seconds": round(took, 1),
        "server_mb_before": round(before),
        "server_mb_most": round(memory.peak),
        "server_mb_most_while_imported": round(while_imported.peak),
        "cut_off_at": half,
        "kept_of_it": kept,
        "gone_on_with": again["upload"] == first and again["received"] == kept,
        "sha256_equal": same,
        "images": taken,
        "images_made": counts[0],
        "late_slice_of_a_file_given_up": late,
        "another_began_at": fresh["received"],
        "images_of_the_other": taken_of_other,
        "images_made_of_the_other": counts[1],
        "datasets": sorted(d.id for d in dataset.list_datasets() if not d.demo)
        == sorted([dataset_id, other_id]),
        "left_in_uploads": left,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mb", type=float, default=600)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workspace"
        os.environ["GMAUG_HOME"] = str(home)
        big, other = Path(folder) / "big.zip", Path(folder) / "other.zip"
        counts = make(big, args.mb, 0), make(other, 0, 1)
        with serving(home) as server:
            found = measure(server, big, other, counts)
    print(json.dumps(found, indent=1))
    write_bytes(args.out, json.dumps({**found, **machine()}, indent=1).encode())


if __name__ == "__main__":
    main()
