"""Workers without the seconds of an import each: one process has imported what a run needs, and forks them.

A forked worker fills a run folder as `python -m gmaug_core.worker` does. It may kill itself, as hard as the
system can, at an early report of one stage. What else needs a process like that is a program.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path

from gmaug_core import children
from gmaug_core.runs import RunPaths, RunWriter

ONCE = ("decode", "score", "quality")  # stages whose first report is their last


class Forks:
    """Use as a context manager, from one thread."""

    def __enter__(self) -> Forks:
        environment = children.environment(
            {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # others would end at a fork
        )
        environment.pop("COVERAGE_PROCESS_CONFIG", None)  # a killed process has no coverage to tell
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()  # its input ends, and so does it

    def work(self, paths: RunPaths, kill_at: str = "") -> int:
        """The exit status of a worker on a run folder: negative the number of the signal that ended it."""
        return self._ask(folder=str(paths.folder), kill_at=kill_at)

    def program(self, text: str, answer: Path) -> object:
        """What a program writes into `answer` as JSON, run in a fork of its own."""
        assert self._ask(program=text) == 0
        return json.loads(answer.read_text(encoding="utf-8"))

    def _ask(self, **question: str) -> int:
        assert self._server.stdin
        assert self._server.stdout
        print(json.dumps(question | {"home": os.environ["GMAUG_HOME"]}), file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())


def _kill_at(stage: str) -> None:
    reports, original = 0, RunWriter.progress

    def progress(self: RunWriter, name: str, step: int, total: int, **metrics: object) -> None:
        nonlocal reports
        original(self, name, step, total, **metrics)
        reports += name == stage
        if reports == 2 or (reports and stage in ONCE):
            os.kill(os.getpid(), signal.SIGKILL)

    RunWriter.progress = progress


def _serve() -> None:
    import torch

    from gmaug_core import worker
    from gmaug_core.work import augmentation  # noqa: F401 - what a run of this kind needs, before the forks

    torch.set_num_threads(1)
    os.fsync = os.sync = lambda *_: None  # as in conftest.py
    for line in sys.stdin:
        question = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 70
            try:
                os.environ["GMAUG_HOME"] = question["home"]
                os.dup2(2, 1)  # the answers of this server are no place for a log
                if "program" in question:
                    exec(question["program"], {})
                    status = 0
                else:
                    if question["kill_at"]:
                        _kill_at(question["kill_at"])
                    sys.argv = ["worker", question["folder"]]
                    status = worker.main()
            except BaseException:  # noqa: BLE001 - a child must never go on as a second server
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
