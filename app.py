"""GMAug's dashboard: streamlit run app.py. The gate outside, our routes, the frame inside."""

from __future__ import annotations

import asyncio
import os
import webbrowser
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config

from gmaug_core.data import dataset
from gmaug_core.intake import jobs
from gmaug_core.ui import ROOT
from gmaug_core.ui.gate import Door, Gate
from gmaug_core.ui.routes import ROUTES


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the terminal is where the link is handed over


async def say_address() -> None:
    """Once the port answers, say the one address that opens the dashboard; `make run` also opens it."""
    while True:
        port = int(config.get_option("server.port"))
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        say(door.invitation(port))
        if os.environ.get("GMAUG_OPEN") == "1":
            await asyncio.to_thread(webbrowser.open, door.link(port))
        return


@asynccontextmanager
async def lifespan(_: st.App):
    jobs.sweep()
    await asyncio.to_thread(dataset.make_demo)
    task = asyncio.create_task(say_address())
    yield None
    task.cancel()


door = Door(say)
app = st.App(
    ROOT / "gmaug_core" / "ui" / "frame.py",
    routes=ROUTES,
    middleware=[Middleware(Gate, door=door)],
    lifespan=lifespan,
)
