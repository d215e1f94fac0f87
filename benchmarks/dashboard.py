"""A dashboard of its own for a measurement, and visitors who talk with it as a browser does: over its
websocket, message by message, without drawing anything.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "a-token-for-measurements"
START_S = 90.0
ANSWER_S = 60.0  # a page that has not answered by then never will
FINISHED_BADLY = (ForwardMsg.FINISHED_WITH_COMPILE_ERROR,)


@dataclass(frozen=True)
class Server:
    """A dashboard that answers."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """What its process has computed so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """What it holds in memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cookie(self) -> str:
        """Of a visitor who came by the link."""
        answer = httpx2.get(f"{self.url}/?token={TOKEN}", follow_redirects=False)
        return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """Start a dashboard over a workspace; end it with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = home.parent / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {"GMAUG_HOME": str(home), "GMAUG_TOKEN": TOKEN},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        deadline = time.monotonic() + START_S
        while not _answers(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit(f"the dashboard did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
            return True
    except OSError:
        return False


@dataclass
class Visitor:
    """One tab. errors: what it met that is none of the product's words."""

    server: Server
    cookie: str
    query: str = ""
    errors: list[str] = field(default_factory=list)
    sent_bytes: int = 0  # by the server
    _page: str = ""  # hash of the page's script
    _part: str = ""  # of the page, that runs by itself: its fragment

    async def open(self, page: str, query: str) -> float:
        """Connect and open a page; seconds until it was whole."""
        self.query = query
        self._socket = await websockets.connect(
            f"ws://127.0.0.1:{self.server.port}/_stcore/stream",
            additional_headers={"Cookie": self.cookie},
            origin=self.server.url,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
        )
        return await self._run(ClientState(query_string=query, page_name=page))

    async def again(self) -> float:
        """The same page once more, as after a click; seconds."""
        return await self._run(ClientState(query_string=self.query, page_script_hash=self._page))

    async def turn(self, page: str) -> float:
        """Go to another page; seconds until it was whole."""
        return await self._run(ClientState(query_string=self.query, page_name=page))

    async def part(self) -> float:
        """The part of the page that was drawn last by itself, once more; seconds."""
        state = ClientState(query_string=self.query, page_script_hash=self._page, fragment_id=self._part)
        return await self._run(state)

    async def close(self) -> None:
        await self._socket.close()

    async def _run(self, state: ClientState) -> float:
        begun = time.perf_counter()
        await self._socket.send(BackMsg(rerun_script=state).SerializeToString())
        while True:
            message = ForwardMsg()
            data = await asyncio.wait_for(self._socket.recv(), ANSWER_S)
            self.sent_bytes += len(data)
            message.ParseFromString(data if isinstance(data, bytes) else data.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self._page = message.new_session.page_script_hash or self._page
            elif kind == "delta" and message.delta.fragment_id:
                self._part = message.delta.fragment_id
            if kind == "delta" and message.delta.new_element.HasField("exception"):
                self.errors.append(message.delta.new_element.exception.message)
            elif kind == "script_finished":
                if message.script_finished in FINISHED_BADLY:
                    self.errors.append("the page ended with an error")
                return time.perf_counter() - begun
