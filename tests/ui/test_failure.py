"""A page that breaks says so in our own words: no traceback and no link on screen, the details in a log."""

from __future__ import annotations

import errno
import re
import stat

import pytest
from streamlit.testing.v1 import AppTest

from gmaug_core import home as workspace_home
from gmaug_core.errors import InputError
from gmaug_core.ui import failure


def broken(error: Exception) -> None:
    from gmaug_core.ui import failure

    failure.told(error)


def said(error: Exception) -> str:
    app = AppTest.from_function(broken, kwargs={"error": error}, default_timeout=30).run()
    assert not app.exception
    (box,) = app.error
    return str(box.value)


def test_an_error_that_nobody_foresaw_is_told_without_its_details(home):
    words = said(ValueError("the secret of /etc/here"))
    assert "nobody foresaw" in words
    assert "secret" not in words
    assert "http" not in words
    (number,) = re.findall(r"number ([0-9a-f]{6})", words)
    log = workspace_home.home() / failure.LOG
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    written = log.read_text()
    assert f"number {number}" in written
    assert "ValueError: the secret of /etc/here" in written


@pytest.mark.parametrize(
    ("error", "words"),
    [(InputError("no such class", expected="one"), "No such class"), (OSError(errno.ENOSPC, "x"), "is full")],
)
def test_an_error_that_has_words_says_them_and_writes_no_log(home, error, words):
    assert words in said(error)
    assert not (workspace_home.home() / failure.LOG).exists()


def test_the_log_does_not_grow_for_ever_and_a_full_disk_hides_no_error(home, monkeypatch):
    log = workspace_home.home() / failure.LOG
    log.write_bytes(b"x" * (failure.LONGEST_LOG + 1))
    said(ValueError("again"))
    assert failure.LONGEST_LOG / 2 < log.stat().st_size < failure.LONGEST_LOG * 0.6
    log.unlink()
    log.mkdir()  # cannot be written
    assert "the terminal" in said(ValueError("once more"))
