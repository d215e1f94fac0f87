"""The verb app: the dashboard, from any folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import FrameType

from gmaug_core.cli.output import say
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.errors import GMAugError
from gmaug_core.home import home
from gmaug_core.ui import ROOT

DEFAULT_PORT = 8501


def register(verbs: Verbs) -> None:
    p = verbs.add("app", app, "open the dashboard in the browser, from any folder")
    p.add_argument("--port", type=int, default=DEFAULT_PORT, metavar="N", help=f"default: {DEFAULT_PORT}")
    p.add_argument(
        "--address",
        metavar="IP",
        help="where to listen, in shared mode; default: this machine alone, 127.0.0.1",
    )
    p.add_argument("--no-open", action="store_true", help="say the link, but open no browser")


def app(args: Arguments) -> object:
    """Serve until Ctrl-C or SIGTERM. Streamlit reads its settings beside app.py, wherever we are."""
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    command += ["--server.port", str(args.port)]
    if args.address:
        command += ["--server.address", args.address]
    environment = os.environ | {"GMAUG_HOME": str(home()), "GMAUG_OPEN": "0" if args.no_open else "1"}
    say(f"Starting the dashboard; its workspace is {home()}")
    # on stderr the server's lines never mix with the one JSON document
    server = subprocess.Popen(command, env=environment, stdout=sys.stderr if args.json else None)

    asked: list[int] = []

    def to_end(number: int, _: FrameType | None) -> None:
        asked.append(number)
        if number == signal.SIGTERM:  # Ctrl-C reaches the server by itself: a terminal tells the whole group
            server.terminate()

    before = {number: signal.signal(number, to_end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        status = server.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if status != 0 and not asked:
        raise GMAugError(
            f"the dashboard ended with status {status}",
            expected=f"a server on port {args.port}",
            todo="read its last lines above; if the port is taken, choose another with --port",
        )
    return {"port": args.port, "home": str(home())}
