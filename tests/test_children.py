"""Starting children: answers come back as values, errors as errors, and what breaks or hangs is said."""

from __future__ import annotations

import os
import time

import pytest

from gmaug_core import children
from gmaug_core.errors import GMAugError, InputError

MODULE = """
import sys, time
from gmaug_core import children
from gmaug_core.errors import GMAugError, InputError

def work(question):
    if question == "input": raise InputError("no such thing", expected="a thing", todo="give one")
    if question == "fail": raise GMAugError("it broke", todo="mend it")
    if question == "crash": raise RuntimeError("not enough memory")
    if question == "hang": time.sleep(60)
    print("a library talks on stdout")
    return {"question": question, "torch": "torch" in sys.modules}

children.answer(work)
"""


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    """A module that a child can run."""
    (tmp_path / "asked.py").write_text(MODULE)
    inherited = children.environment
    monkeypatch.setattr(
        children,
        "environment",
        lambda more=None: inherited({"PYTHONPATH": f"{children.ROOT}{os.pathsep}{tmp_path}", **(more or {})}),
    )
    return "asked"


def test_an_answer_is_a_value(module):
    question = {"a": [1, None, "ä"]}
    assert children.ask(module, question, seconds=30) == {"question": question, "torch": False}


def test_errors_of_the_child_are_errors_here(module):
    with pytest.raises(InputError, match="no such thing") as caught:
        children.ask(module, "input", seconds=30)
    assert (caught.value.expected, caught.value.todo) == ("a thing", "give one")
    with pytest.raises(GMAugError, match="it broke") as failed:
        children.ask(module, "fail", seconds=30)
    assert not isinstance(failed.value, InputError)


def test_no_answer_is_said(module):
    with pytest.raises(children.NoAnswer) as caught:
        children.ask(module, "crash", seconds=30)
    assert "not enough memory" in caught.value.said
    began = time.monotonic()
    with pytest.raises(children.NoAnswer, match="within 1 seconds"):
        children.ask(module, "hang", seconds=1)
    assert time.monotonic() - began < 10


def test_a_detached_child_leads_its_own_session_and_leaves_no_zombie(home, tmp_path):
    (tmp_path / "detached.py").write_text(
        "import os; print(os.getpid(), os.getsid(0), os.environ['GMAUG_HOME'])"
    )
    log = tmp_path / "log"
    children.start("detached", log=log, env={"PYTHONPATH": str(tmp_path)})
    deadline = time.monotonic() + 20
    while not log.read_text().endswith("\n") and time.monotonic() < deadline:
        time.sleep(0.02)
    pid, session, where = log.read_text().split()
    assert pid == session != str(os.getsid(0))
    assert where == str(home)
    while time.monotonic() < deadline:
        try:
            os.kill(int(pid), 0)  # a zombie would still answer
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("the child was not waited for")


def test_what_a_person_has_set_stays(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    assert children.computing()["GOMP_SPINCOUNT"] == "7"
    assert set(children.computing()) == set(children.COMPUTING)
