"""Our routes: pictures by id and nothing else, uploads that end as a dataset, nothing outside the
workspace.
"""

from __future__ import annotations

import hashlib
import io
import time
import zipfile

import numpy as np
import pytest
from nowhere import new_run
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gmaug_core.data import dataset, samples
from gmaug_core.intake import jobs
from gmaug_core.ui import routes


@pytest.fixture
def client(home):
    return TestClient(Starlette(routes=routes.ROUTES))


def picture(seed: int, size: int = 20) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def archive(classes=("rose", "tulip"), each: int = 4) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for c, name in enumerate(classes):
            for i in range(each):
                out.writestr(f"{name}/{i}.png", picture(100 * c + i))
    return file.getvalue()


def begin(client, token, body, *, total=None, ticket=None, name="flowers.zip", modified="1"):
    headers = {"x-ticket": ticket or routes.upload_ticket(token), "x-name": name, "x-modified": modified}
    headers["x-total"] = str(total or len(body))
    return client.post(f"/uploads/{token}", content=body[: routes.HEAD], headers=headers)


def put(client, token, body, *, upload, offset=0, ticket=None):
    headers = {"x-ticket": ticket or routes.upload_ticket(token), "x-offset": str(offset), "x-upload": upload}
    return client.put(f"/uploads/{token}", content=body, headers=headers)


def send(client, token, body, **about):
    """All of it in one slice, or the refusal."""
    answer = begin(client, token, body, **about)
    if answer.status_code != 200:
        return answer
    return put(client, token, body, upload=answer.json()["upload"])


def wait_for(token, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = jobs.status(token)
        if state and state["state"] in jobs.ENDED:
            return state
        time.sleep(0.05)
    raise AssertionError(f"the import did not end: {jobs.status(token)}")


def test_the_first_pages_own_name_leads_to_it(client):
    answer = client.get("/datasets?dataset=x", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "./?dataset=x")


def test_thumbnails_are_reencoded_small_and_kept_for_ever(client, demo):
    answer = client.get(f"{routes.images_url(demo)}3?size=96")
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert max(Image.open(io.BytesIO(answer.content)).size) <= 96


@pytest.mark.parametrize(
    "path",
    [
        "/images/dataset/{demo}/999999",
        "/images/dataset/{demo}/-1",
        "/images/dataset/{demo}/0?size=5000",
        "/images/dataset/{demo}/0?size=x",
        "/images/dataset/..%2f..%2fetc/0",
        "/images/dataset/nothing/0",
        "/images/run/..%2f..%2fsecret/strip.png?samples=0",
        "/images/run/nothing/strip.png?samples=0",
        "/images/run/nothing/grids/grid-00001.0.png",
        "/images/run/nothing/grids/..%2fgrid-00001.0.png",
        "/fonts/..%2fLICENSE-newsreader.txt",
        "/fonts/%2fetc%2fpasswd",
    ],
)
def test_what_is_not_there_is_404_and_says_nothing(client, demo, path):
    answer = client.get(path.format(demo=demo))
    assert answer.status_code == 404
    assert answer.text in ("not here", "Not Found")


def test_samples_of_a_run(client):
    import pandas as pd

    paths = new_run()
    pixels = np.random.default_rng(0).integers(0, 256, (5, 16, 16), np.uint8)
    rows = pd.DataFrame({name: [0] * 3 for name in samples.COLUMNS})
    samples.write_step(paths.samples, 1, pixels[:3], rows)
    samples.write_step(paths.samples, 2, pixels[3:], rows[:2])
    answer = client.get(f"{routes.samples_url(paths.id)}4,0,2")
    strip = np.array(Image.open(io.BytesIO(answer.content))).reshape(3, 16, 16)
    assert np.array_equal(strip, pixels[[4, 0, 2]])
    for bad in ("5", "0,5", "", "x", "0,", "-1", ",".join("0" * (routes.MOST_OF_A_STRIP + 1))):
        assert client.get(f"{routes.samples_url(paths.id)}{bad}").status_code == 404


def test_a_grid_of_a_training_is_enlarged(client):
    paths = new_run()
    grid = paths.checkpoints / "generator" / "grid-00001.5.png"
    grid.parent.mkdir(parents=True)
    grid.write_bytes(picture(1, 40))
    answer = client.get(routes.grid_url(paths.id, grid))
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).width >= 40 * 2
    assert client.get(routes.grid_url(paths.id, grid).replace("1.5", "2.5")).status_code == 404


def test_an_upload_in_slices_becomes_a_dataset(client):
    token, body = jobs.new_token(), archive()
    half = len(body) // 2
    upload = begin(client, token, body).json()["upload"]
    assert put(client, token, body[:half], upload=upload).json() == {"received": half, "done": False}
    again = put(client, token, body[:half], upload=upload)  # the browser did not hear the answer
    assert again.status_code == 409
    assert again.json()["received"] == half
    headers = {"x-ticket": routes.upload_ticket(token), "x-upload": upload}
    assert client.get(f"/uploads/{token}", headers=headers).json() == {"received": half, "done": False}
    assert begin(client, token, body).json() == {"upload": upload, "received": half, "done": False}
    answer = put(client, token, body[half:], upload=upload, offset=half)
    assert answer.json() == {"received": len(body), "done": True, "sha256": hashlib.sha256(body).hexdigest()}
    state = wait_for(token)
    assert state["state"] == "finished"
    assert state["report"]["counts"] == {"rose": 4, "tulip": 4}
    assert dataset.load(state["dataset"]).name == "flowers"
    assert [path.name for path in jobs.upload_path(token).parent.iterdir()] == []


@pytest.mark.parametrize("other", ["name", "total", "modified", "first bytes"])
def test_another_file_never_joins_what_came_of_the_one_before(client, other):
    """Cancelled half-way, then another zip chosen: nothing of the first may be in the second."""
    token, first, second = jobs.new_token(), archive(("rose", "tulip")), archive(("oak", "elm", "yew"), 7)
    about = {"name": "a.zip", "total": 10**6, "modified": "1"}
    stale = begin(client, token, first, **about).json()["upload"]
    put(client, token, first[:1000], upload=stale)
    if other == "first bytes":
        answer = begin(client, token, second, **about).json()
    else:
        new = {"name": "b.zip", "total": len(second), "modified": "2"}[other]
        answer = begin(client, token, first, **about | {other: new}).json()
    assert answer["received"] == 0
    assert answer["upload"] != stale
    assert put(client, token, first[1000:], upload=stale, offset=1000).status_code == 409  # a late slice


def test_the_second_of_two_uploads_is_imported_as_it_is(client):
    token, first, second = jobs.new_token(), archive(), archive(("oak", "elm", "yew"), 7)
    upload = begin(client, token, first).json()["upload"]
    put(client, token, first[:1000], upload=upload)
    assert send(client, token, second, name="trees.zip").json()["done"]
    assert wait_for(token)["report"]["counts"] == {"oak": 7, "elm": 7, "yew": 7}


def test_a_third_file_is_not_lost_while_the_second_is_imported(client):
    token = jobs.new_token()
    assert send(client, token, archive()).json()["done"]
    assert "being imported" in begin(client, token, archive(("oak", "elm"))).json()["error"]
    wait_for(token)


def test_an_upload_that_is_no_zip_fails_in_words_and_leaves_nothing(client, home):
    token = jobs.new_token()
    assert send(client, token, b"not a zip at all", name="../../etc/shells.zip").json()["done"]
    state = wait_for(token)
    assert "'shells'" in state["error"]["what"]
    assert token not in str(state["error"])
    assert state["state"] == "failed"
    assert state["error"]["what"]
    assert str(home) not in str(state["error"])
    assert dataset.list_datasets() == []
    assert not jobs.upload_path(token).exists()


def test_uploads_need_a_ticket_of_ours(client):
    token, body = jobs.new_token(), b"abc"
    other = routes.upload_ticket(jobs.new_token())
    late = routes.upload_ticket(token, now=time.time() - 24 * 3600)
    for ticket in ("nonsense", "1.2", other, late, "9" * 12 + "." + other.split(".")[1]):
        assert begin(client, token, body, ticket=ticket).status_code == 403
        assert put(client, token, body, upload="", ticket=ticket).status_code == 403
    assert client.put("/uploads/..%2f..%2fx", content=body, headers={"x-ticket": other}).status_code in (
        403,
        404,
    )
    assert not jobs.upload_path(token).exists()


def test_uploads_are_capped_by_what_was_said_and_by_the_limit(client, monkeypatch):
    token = jobs.new_token()
    assert (
        put(client, token, b"x" * 100, upload=begin(client, token, b"x" * 50).json()["upload"]).status_code
        == 413
    )
    too_much = {"x-ticket": routes.upload_ticket(token), "x-total": "9" * 6}
    beyond = b"x" * (routes.HEAD + 1)
    assert client.post(f"/uploads/{token}", content=beyond, headers=too_much).status_code == 413
    assert not jobs.upload_path(token).exists()
    monkeypatch.setattr(routes, "MAX_UPLOAD", 10)
    assert begin(client, token, b"x" * 11).status_code == 413
    assert begin(client, token, b"").status_code == 413


def test_an_upload_that_the_disk_has_no_room_for_is_refused(client, monkeypatch):
    monkeypatch.setattr(routes, "SPARE_DISK", 10**18)
    assert begin(client, jobs.new_token(), b"x").status_code == 507


def test_old_uploads_and_records_are_swept(home, monkeypatch):
    path = jobs.upload_path(jobs.new_token())
    path.write_bytes(b"half")
    jobs.sweep()
    assert path.exists()
    monkeypatch.setattr(jobs, "KEPT_S", -1)
    jobs.sweep()
    assert not path.exists()


def test_import_paths_stay_under_the_allowed_roots(home, tmp_path, monkeypatch):
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    allowed.mkdir()
    outside.mkdir()
    (allowed / "link").symlink_to(outside)
    (allowed / "a.zip").write_bytes(archive())
    monkeypatch.setenv("GMAUG_IMPORT_ROOTS", str(allowed))
    assert jobs.allowed_path(f"  {allowed}/a.zip ") == allowed / "a.zip"
    for text in (
        "  ",
        "\0",
        str(outside),
        f"{allowed}/../outside",
        f"{allowed}/link",
        f"{allowed}/missing.zip",
        "~nobody-of-this-name/x",
    ):
        with pytest.raises(jobs.InputError) as caught:
            jobs.allowed_path(text)
        assert str(tmp_path) not in str(caught.value)


def test_no_path_is_said_to_be_none(home):
    with pytest.raises(jobs.InputError, match="no path was given"):
        jobs.allowed_path("  ")


def test_a_killed_import_is_seen_as_lost(home, monkeypatch):
    monkeypatch.setattr(jobs.children, "start", lambda *_, **__: None)
    monkeypatch.setattr(jobs, "START_GRACE_S", 0.0)
    token = jobs.start(home / "x.zip", name="x")
    assert jobs.status(token)["state"] == "lost"
    assert jobs.recent()[0]["error"]["todo"]
