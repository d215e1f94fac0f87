"""A whole run as one file, to a browser: made on disk and sent from there, so that memory stays flat."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from gmaug_core.errors import Forbidden, GMAugError
from gmaug_core.home import room
from gmaug_core.runs import packing
from gmaug_core.runs.backup import BLOCK

HEADERS = {"cache-control": "no-store"}


def url(run_id: str) -> str:
    """Where a run's file is."""
    return f"/runs/{quote(run_id)}/pack"


def packed(request: Request) -> Response:
    """The route: the file, or in words why there is none."""
    run_id = request.path_params["run"]
    file = tempfile.TemporaryFile(dir=room("uploads"))  # noqa: SIM115 - it has no name, and is closed below
    try:
        packing.pack_into(run_id, file)
    except GMAugError as error:
        file.close()
        status = 403 if isinstance(error, Forbidden) else 404
        return PlainTextResponse(str(error), status, HEADERS)
    except BaseException:
        file.close()
        raise
    about = {
        "content-length": str(file.tell()),
        "content-disposition": f'attachment; filename="{run_id}.tar"',
    }
    return StreamingResponse(_blocks(file), media_type="application/x-tar", headers=HEADERS | about)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """All of it; it is gone when it was sent, or nobody listens any more."""
    with file:
        file.seek(0)
        while block := file.read(BLOCK):
            yield block
