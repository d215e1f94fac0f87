"""Before the first request: a start that would let in somebody who does not belong is refused, in one
sentence.
"""

from __future__ import annotations

import os
import stat
import sys

from streamlit import config

from gmaug_core.errors import GMAugError, InputError
from gmaug_core.home import home
from gmaug_core.ui.invitation import VARIABLE
from gmaug_core.workspace import sharing
from gmaug_core.workspace.sharing import Sharing

LEAST_TOKEN = 16  # characters of a fixed one
NEEDED = {  # Streamlit's settings that the gate relies on, as .streamlit/config.toml has them
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.scriptHealthCheckEnabled": False,
    "server.baseUrlPath": "",
    "global.developmentMode": False,
}


def check(address: str | None, token: str | None, mode: Sharing | None) -> None:
    """Raises InputError where the start is unsafe.

    address: what the server would listen on, None for every address of this machine; token: the fixed one;
    mode: the shared mode's settings, None in local mode.
    """
    if mode is None and not sharing.loopback(address):
        raise InputError(
            f"the dashboard would listen on {address or 'every address'} and let in whoever has its link, "
            "unencrypted",
            expected=f"the address 127.0.0.1, or shared mode: {sharing.FILE} in the data root",
            todo="leave the address out and use an SSH tunnel, or set shared mode up (docs/deploy.md)",
        )
    if token is not None and (mode is not None or len(token) < LEAST_TOKEN):
        raise InputError(
            f"${VARIABLE} fixes the link that opens everything"
            + (", and in shared mode people sign in" if mode else ", and is short enough to be guessed"),
            expected="none" if mode else f"{LEAST_TOKEN} characters or more, or none",
            todo=f"unset {VARIABLE}",
        )
    for name, value in NEEDED.items():
        if (config.get_option(name) or value) != value or (value is True and not config.get_option(name)):
            raise InputError(
                f"the setting {name} is {config.get_option(name)}, which opens a way past the gate",
                expected=f"{name} = {str(value).lower()}",
                todo="take it off the command line, the environment and config.toml",
            )
    about = home().stat()
    if about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(
            f"others on this machine may write into the data root '{home().name}'",
            expected="a folder of your own with mode 0700",
            todo="chmod 700 it, or set GMAUG_HOME to another one",
        )
    if mode is not None:
        mode.oidc.secret()


def ready() -> None:
    """Check the start that Streamlit was asked for; end the process, with one line, where it is unsafe."""
    try:
        mode = sharing.load()
        check(config.get_option("server.address"), os.environ.get(VARIABLE), mode)
    except GMAugError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)  # noqa: T201
        raise SystemExit(error.exit_status) from None
    if mode is not None:  # Streamlit checks its websocket's host by itself
        config.set_option("server.allowedHosts", [mode.host.rsplit(":", 1)[0]])
