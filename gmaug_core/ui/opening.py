"""What happens around the pages: a clean start, the demo dataset, the link that opens the dashboard."""

from __future__ import annotations

import asyncio
import os
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit import config

from gmaug_core.data.demo import make_demo
from gmaug_core.intake import jobs
from gmaug_core.runs import bin as bins
from gmaug_core.ui import visitor
from gmaug_core.ui.invitation import Door
from gmaug_core.workspace import people, sharing

POLL_S = 0.1


def say(line: str) -> None:
    """A line in the terminal, which is where the link is handed over."""
    print(line, flush=True)  # noqa: T201


door = Door(say)


async def say_address() -> None:
    """Once the port answers, say the link; `gmaug app` also opens it in a browser."""
    port = int(config.get_option("server.port"))
    address = config.get_option("server.address") or "127.0.0.1"
    while True:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            await asyncio.sleep(POLL_S)
        else:
            break
    writer.close()
    mode = sharing.load()
    if mode is not None:
        say(f"\n  GMAug is ready at {mode.public_url}. People sign in there.\n")
        return
    say(door.invitation(port))
    if os.environ.get("GMAUG_OPEN") == "1":
        await asyncio.to_thread(webbrowser.open, door.link(port))


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Before the first page: imports that broke off are swept away, what was in the bin for long enough
    leaves it, and the demo dataset is made."""
    jobs.sweep()
    await asyncio.to_thread(lambda: bins.empty(bins.expired()))
    await asyncio.to_thread(make_demo)
    task = asyncio.create_task(say_address())
    with people.asking(visitor.known):
        yield None
    task.cancel()
