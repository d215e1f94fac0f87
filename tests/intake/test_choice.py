"""Labels that can be read in several ways: what was sent stays until a person has said which one is meant."""

from __future__ import annotations

import pytest
from corpus import files, make_zip

from gmaug_core import children
from gmaug_core.data import cautions, dataset, splits
from gmaug_core.errors import InputError
from gmaug_core.intake import import_path, jobs

NEAR = files(*(f"{c}/{k}.png" for c in ("fungi/0", "fungi/1", "mammals/2", "mammals/3") for k in range(2)))


@pytest.fixture(autouse=True)
def at_once(home, monkeypatch):
    """An import runs in this process, before `start` returns."""
    monkeypatch.setattr(children, "start", lambda module, token, log: jobs.work(token))


def test_a_doubt_keeps_the_upload_until_one_reading_is_chosen(tmp_path):
    token = jobs.new_token()
    upload = jobs.upload_path(token)
    make_zip(upload, NEAR)
    jobs.start(upload, name="pets.zip", token=token)
    state = jobs.status(token)
    assert state["state"] == "failed"
    assert "'pets.zip' can be read in 2 ways" in state["error"]["what"]
    assert [way["options"]["level"] for way in state["readings"]] == ["1", "2"]
    assert upload.exists()
    with pytest.raises(InputError, match="nothing to choose"):
        jobs.choose(token, 2)
    chosen = jobs.status(jobs.choose(token, 0))
    assert chosen["report"]["counts"] == {"fungi": 4, "mammals": 4}
    assert not upload.exists()
    with pytest.raises(InputError, match="nothing to choose"):
        jobs.choose(token, 1)


def test_any_other_refusal_leaves_no_upload():
    token = jobs.new_token()
    upload = jobs.upload_path(token)
    make_zip(upload, files("1.png", "2.png"))
    jobs.start(upload, name="flat.zip", token=token)
    assert jobs.status(token)["state"] == "failed"
    assert not upload.exists()


def test_a_published_test_part_that_is_halved_is_said(tmp_path):
    names = [f"{s}/{c}/{k}.png" for s in ("train", "test") for c in "ab" for k in range(4)]
    data = dataset.load(import_path(make_zip(tmp_path / "x.zip", files(*names))).dataset_id)
    assert cautions.of(data) == []
    (said,) = cautions.of(data, splits.made(data, 0))
    assert "of its 8 images 4 choose and 4 test" in said
