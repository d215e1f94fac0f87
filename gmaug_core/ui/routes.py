"""Our own HTTP routes: pictures, fonts, and uploads that go to disk as they come. The gate stands before all
of them.

Ids are matched by a pattern and looked up; no path ever comes from a request. Pictures are encoded anew, and
cached for ever: a dataset's id holds its content's hash, and a run's samples never change.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import shutil
import time
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gmaug_core import runs
from gmaug_core.data import dataset, pictures, samples
from gmaug_core.errors import GMAugError
from gmaug_core.home import home
from gmaug_core.intake import jobs
from gmaug_core.ui import ASSETS, items, packed, printable, pulse, secret, signing

FIRST_PAGE = "/datasets"
IMMUTABLE = {"cache-control": "private, max-age=31536000, immutable"}
SIZES = (48, 96, 160, 320)  # px; few, so that browsers and tests share them
DEFAULT_SIZE = 96
SHEET_IMAGES = 24  # of one sub-class, shown in large
ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,120}")
GRID = re.compile(r"grid-\d{1,9}\.\d\.png")
NUMBER = re.compile(r"\d{1,9}")
NUMBERS = re.compile(r"\d{1,9}(,\d{1,9})*")
MOST_OF_A_STRIP = 64  # images
FONTS = ("instrument-sans.woff2", "instrument-sans-ext.woff2", "newsreader.woff2")
UPLOAD_HOURS = 12  # how long a page's upload token is good for
SPARE_DISK = 200 * 10**6  # bytes that an upload leaves free
HEAD = 65_536  # first bytes of a file, by which an upload that goes on is known
LONGEST_NAME = 1000
MAX_UPLOAD = int(os.environ.get("GMAUG_MAX_UPLOAD_MB", 20_000)) * 10**6  # bytes


# --- addresses, for the pages ---


def images_url(dataset_id: str) -> str:
    """Where a dataset's thumbnails are: a script appends the image's index, and ?size= one of SIZES."""
    return f"/images/dataset/{quote(dataset_id)}/"


def samples_url(run_id: str) -> str:
    """Where a run's synthetic images are, in their own size, below one another: a script adds their numbers,
    with commas, MOST_OF_A_STRIP at most."""
    return f"/images/run/{quote(run_id)}/strip.png?samples="


def grid_url(run_id: str, grid: Path) -> str:
    """Where a sample grid of a generator's training is, enlarged; another address when it is written anew."""
    return f"/images/run/{quote(run_id)}/grids/{quote(grid.name)}?at={grid.stat().st_mtime_ns}"


def upload_ticket(token: str, *, now: float | None = None) -> str:
    """What the page hands to its uploader: until when, and a signature over that and the token."""
    until = int((now or time.time()) + UPLOAD_HOURS * 3600)
    return f"{until}.{secret.sign(f'upload {token} {until}')}"


# --- pictures ---


@lru_cache(maxsize=16)
def _dataset(_home: Path, dataset_id: str) -> dataset.Dataset:
    return dataset.load(dataset_id)


def open_dataset(dataset_id: str) -> dataset.Dataset:
    """A dataset, kept open between requests and reruns. Raises InputError for an unknown id."""
    return _dataset(home(), dataset_id)


def forget_datasets() -> None:
    """Open every dataset anew: what people see of one has changed."""
    _dataset.cache_clear()


def thumbnail(request: Request) -> Response:
    dataset_id, index = request.path_params["dataset"], request.path_params["index"]
    size = request.query_params.get("size", str(DEFAULT_SIZE))
    if (
        not ID.fullmatch(dataset_id)
        or not NUMBER.fullmatch(index)
        or not NUMBER.fullmatch(size)
        or int(size) not in SIZES
    ):
        return _missing()
    try:
        data = open_dataset(dataset_id)
        if int(index) >= len(data):
            return _missing()
        return Response(
            pictures.thumbnail(data.decoded(int(index)).image, int(size)),
            media_type="image/webp",
            headers=IMMUTABLE,
        )
    except GMAugError:
        return _missing()


def class_images(request: Request) -> Response:
    """Indices of some images of a sub-class, evenly spread over it, as JSON: a sheet of it in large."""
    dataset_id, number = request.path_params["dataset"], request.path_params["number"]
    if not ID.fullmatch(dataset_id) or not NUMBER.fullmatch(number):
        return _missing()
    try:
        data = open_dataset(dataset_id)
        if int(number) >= len(data.class_names):
            return _missing()
        return JSONResponse(pictures.shots(data, SHEET_IMAGES)[data.class_names[int(number)]])
    except GMAugError:
        return _missing()


def strip(request: Request) -> Response:
    """Samples of a run below one another, as ?samples=4,8,15 says: one answer for a screen of them."""
    run_id, asked = request.path_params["run"], request.query_params.get("samples", "")
    if not ID.fullmatch(run_id) or not NUMBERS.fullmatch(asked) or asked.count(",") >= MOST_OF_A_STRIP:
        return _missing()
    try:
        found = samples.some_images(runs.find(run_id).samples, [int(number) for number in asked.split(",")])
    except (GMAugError, KeyError):
        return _missing()
    below = found.reshape(-1, *found.shape[2:])
    return Response(pictures.png(below), media_type="image/png", headers=IMMUTABLE)


def grid(request: Request) -> Response:
    run_id, name = request.path_params["run"], request.path_params["name"]
    if not ID.fullmatch(run_id) or not GRID.fullmatch(name):
        return _missing()
    try:
        picture = pictures.enlarged(runs.find(run_id).checkpoints / "generator" / name)
    except (GMAugError, OSError):
        return _missing()
    return Response(picture, media_type="image/png", headers=IMMUTABLE)


def font(request: Request) -> Response:
    name = request.path_params["name"]
    return (
        FileResponse(ASSETS / "fonts" / name, media_type="font/woff2", headers=IMMUTABLE)
        if name in FONTS
        else _missing()
    )


def _missing() -> Response:
    return Response(
        "not here", status_code=404, media_type="text/plain", headers={"cache-control": "no-store"}
    )


# --- uploads ---

_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # one slice of an upload at a time


def _ticket_holds(token: str, ticket: str) -> bool:
    until, _, signature = ticket.partition(".")
    right = secret.sign(f"upload {token} {until}")
    return (
        until.isdigit()
        and int(until) > time.time()
        and hmac.compare_digest(signature.encode(), right.encode())
    )


async def upload(request: Request) -> Response:
    """An upload in three kinds of requests, each with the header x-ticket.

    POST begins it, or goes on with it: x-name, x-total, x-modified, and the file's first HEAD bytes as body.
    Answers {upload, received}: what was received counts only where all of these are the same; any other file
    begins at nought. PUT brings a slice: x-upload, x-offset. GET, with x-upload: how many
    bytes are here, to go on after a break. The last slice starts the import by itself, so a page that went
    away meanwhile loses nothing.
    """
    token = request.path_params["token"]
    if not jobs.TOKEN.fullmatch(token) or not _ticket_holds(token, request.headers.get("x-ticket", "")):
        return _refuse("this upload was not started by a page of this dashboard, or it is too old", 403)
    async with _turns.setdefault(token, asyncio.Lock()):  # a slice that broke off may still be on its way
        if jobs.status(token):  # all of it came: its import has begun
            if request.method == "POST":
                return _refuse("the file before it is being imported; wait a moment and choose it again", 423)
            return JSONResponse({"received": 0, "done": True})
        begin = request.method == "POST"
        return await (_begin(request, token) if begin else _take_slice(request, token))


async def _begin(request: Request, token: str) -> Response:
    total = _number(request, "x-total")
    if total is None or not 0 < total <= MAX_UPLOAD:
        return _refuse(f"the file is empty or larger than {MAX_UPLOAD // 10**6:,} MB", 413)
    head = b""
    try:
        async for chunk in request.stream():
            head += chunk
            if len(head) > HEAD:
                return _refuse("more came than the first bytes of a file", 413)
    except ClientDisconnect:
        return _refuse("the connection broke off", 400)
    name = unquote(request.headers.get("x-name", "dataset"))[:LONGEST_NAME]
    modified = request.headers.get("x-modified", "")[:20]
    begun = await run_in_threadpool(
        jobs.begin_upload, token, name=name, total=total, modified=modified, head=head
    )
    if shutil.disk_usage(jobs.upload_path(token).parent).free < total - begun.received + SPARE_DISK:
        return _refuse("the disk that holds the workspace has too little room for it", 507)
    return JSONResponse({"upload": begun.id, "received": begun.received, "done": False})


async def _take_slice(request: Request, token: str) -> Response:
    begun = await run_in_threadpool(jobs.upload_of, token)
    if begun is None or request.headers.get("x-upload") != begun.id:
        return _refuse("another file was chosen meanwhile, or this upload never began", 409)
    received, path = begun.received, jobs.upload_path(token)
    if request.method == "GET":
        return JSONResponse({"received": received, "done": False})
    offset = _number(request, "x-offset")
    if offset is None:
        return _refuse("the upload does not say where its slice belongs", 400)
    if offset != received:
        return JSONResponse({"received": received, "done": False}, status_code=409)
    try:
        whole = await _append(request, path, begun.total)
    except ClientDisconnect:  # what came is kept, and the browser goes on from there
        return _refuse("the connection broke off", 400)
    if not whole:
        return _refuse("more came than the file was said to hold", 413)
    received = path.stat().st_size
    if received < begun.total:
        return JSONResponse({"received": received, "done": False})
    digest = await run_in_threadpool(_sha256, path)
    await run_in_threadpool(jobs.start, path, name=Path(begun.name).stem[:200], token=token)
    return JSONResponse({"received": received, "done": True, "sha256": digest})


def _number(request: Request, header: str) -> int | None:
    found = request.headers.get(header, "")
    return int(found) if re.fullmatch(r"\d{1,15}", found) else None


async def _append(request: Request, path: Path, total: int) -> bool:
    """Stream the body to the end of the file; False (and the file gone) when it grows beyond `total`."""
    with path.open("ab") as file:
        path.chmod(0o600)
        size = file.tell()
        async for chunk in request.stream():
            size += len(chunk)
            if size > total:
                path.unlink()
                return False
            await run_in_threadpool(file.write, chunk)
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse(reason: str, status: int) -> Response:
    return JSONResponse({"error": reason}, status_code=status, headers={"cache-control": "no-store"})


def first_page(request: Request) -> Response:
    """The first page has no name of its own in Streamlit, which says of its file's name that it is not there:
    that address, kept or guessed, leads to it."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"./{query}", status_code=307)


ROUTES = [
    *signing.ROUTES,
    Route(FIRST_PAGE, first_page),
    Route("/images/dataset/{dataset}/{index}", thumbnail),
    Route("/images/dataset/{dataset}/class/{number}", class_images),
    Route("/images/run/{run}/strip.png", strip),
    Route("/images/run/{run}/grids/{name}", grid),
    Route("/runs/{run}/items", items.items),
    Route("/runs/{run}/map", items.places),
    Route("/runs/{run}/pack", packed.packed),
    pulse.ROUTE,
    printable.ROUTE,
    Route("/fonts/{name}", font),
    Route("/uploads/{token}", upload, methods=["GET", "POST", "PUT"]),
]
