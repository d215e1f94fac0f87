"""The one way to start a child process, which always is a module of this package: detached, for one answer,
or to talk with.

A child imports the package that its parent runs, works in no folder of the person's, and finds the same
workspace.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gmaug_core.errors import GMAugError, InputError
from gmaug_core.home import home

ROOT = Path(__file__).resolve().parent.parent  # what holds the package
START_GRACE_S = 30.0  # a child that was just started needs this long to take its lock on a busy machine
COMPUTING = {
    # threads that wait for each other by spinning make a run ten times slower on a machine that does anything
    # else
    "GOMP_SPINCOUNT": "20000",
    # memory that training frees is taken again at once: a C library that gives it back in between costs a
    # tenth of the time
    "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
    "MALLOC_MMAP_THRESHOLD_": str(8 << 30),
}


class NoAnswer(GMAugError):
    """A child ended without an answer, or took too long. said: the end of what it wrote to its error
    output.
    """

    def __init__(self, what: str, *, said: str = "") -> None:
        super().__init__(what, expected="an answer of the child process", todo="try again")
        self.said = said


def computing() -> dict[str, str]:
    """What is added to the environment of a child that computes; what a person has set already stays."""
    return {name: os.environ.get(name, value) for name, value in COMPUTING.items()}


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, the way to the package, and more."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **(more or {})}


def start(module: str, *args: str, log: Path, env: Mapping[str, str] | None = None) -> None:
    """Start `python -m module` in a session of its own, so that it outlives this process; its words are
    added to `log`.
    """
    more = {"GMAUG_HOME": str(home()), "PYTHONUNBUFFERED": "1", **(env or {})}
    with log.open("ab") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *args],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=ROOT,
            env=environment(more),
            start_new_session=True,
        )
    threading.Thread(target=child.wait, daemon=True).start()  # so that no zombie stays when it ends first


def talk(module: str, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start `python -m module` with pipes to its input and from its output; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment(env),
    )


def ask(module: str, question: object, *, seconds: float, env: Mapping[str, str] | None = None) -> Any:
    """What `python -m module` answers to a question; both are JSON values. The module's side is `answer`.

    Raises the child's own GMAugError or InputError; NoAnswer where it broke, or took longer than `seconds`.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            cwd=ROOT,
            env=environment(env),
        )
    except subprocess.TimeoutExpired as error:
        raise NoAnswer(f"there was no answer within {seconds:g} seconds") from error
    return answered(done.stdout, done.stderr)


def answered(out: str, said: str) -> Any:
    """What a child answered, from all that it wrote. said: its other words. Raises as `ask` does."""
    try:
        found = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise NoAnswer("the child process broke", said=said[-20_000:]) from error
    if "error" in found:
        kind = InputError if found["input"] else GMAugError
        raise kind(found["error"]["what"], expected=found["error"]["expected"], todo=found["error"]["todo"])
    return found["answer"]


def answer(work: Callable[[Any], object]) -> None:
    """In the child: read the question, write what `work` makes of it, or the error in its three parts."""
    question = json.load(sys.stdin)
    try:
        found: dict[str, object] = {"answer": work(question)}
    except GMAugError as error:
        found = {"error": error.to_dict(), "input": isinstance(error, InputError)}
    sys.stdout.write("\n" + json.dumps(found) + "\n")
