"""The status document: older ones are read, newer and damaged ones are refused in words, changes are
checked.
"""

from __future__ import annotations

import pytest
from nowhere import new_run
from pydantic import ValidationError

from gmaug_core import runs
from gmaug_core.errors import GMAugError
from gmaug_core.files import read_json, write_json
from gmaug_core.runs import RunWriter, Status

FIRST_FORM = {
    "state": "failed",
    "stage": "generator",
    "step": 3,
    "total": 60,
    "eta_s": None,
    "attempt": 2,
    "created": 1.5,
    "started": 2.5,
    "ended": 9.0,
    "progress_at": 8.5,
    "stages": {"decode": 0.25},
    "error": {"what": "the loss became infinite", "expected": "finite losses", "todo": "a smaller lr"},
}


@pytest.fixture
def paths(home):
    return new_run()


def test_what_is_written_is_read(paths):
    writer = RunWriter(paths)
    writer.progress("decode", 1, 2)
    writer.progress("score", 2, 2)
    writer.end("failed", GMAugError("it broke", expected="that it holds", todo="mend it"))
    status = runs.read_status(paths)
    assert Status.parse(read_json(paths.status)) == status == writer.status
    assert read_json(paths.status)["schema"] == Status.SCHEMA
    assert status.error is not None
    assert str(status.error.raised()) == "it broke. Expected: that it holds. Next: mend it."


def test_a_status_of_the_first_form_is_read(paths):
    write_json(paths.status, FIRST_FORM)
    status = runs.read_status(paths)
    assert {key: status.to_dict()[key] for key in FIRST_FORM} == FIRST_FORM
    assert status.resumable
    RunWriter(paths).end("cancelled")
    assert runs.read_status(paths).attempt == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": Status.SCHEMA + 1}, "newer version"),
        ({"state": "asleep"}, "damaged: state"),
        ({"step": "many"}, "damaged: step"),
        ({"colour": "red"}, "damaged: colour"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(paths, change, words):
    write_json(paths.status, FIRST_FORM | change)
    with pytest.raises(GMAugError, match=words):
        Status.read(paths.status)


def test_a_change_is_checked():
    with pytest.raises(ValidationError):
        Status.new().but(state="asleep")


def test_a_run_killed_between_its_result_and_its_last_word_is_finished(finished_run):
    writer = RunWriter(finished_run)
    writer.progress("quality", 1, 1)
    status = runs.read_status(finished_run)
    assert (status.state, status.ended) == ("finished", status.progress_at)
    finished_run.result.unlink()
    assert runs.read_status(finished_run).state == "lost"
