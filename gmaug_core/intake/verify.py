"""Decoding of files nobody has looked at yet, in a child process with limits: what crashes or hangs is the
child.

Parent to child: a frame a batch, "<I" count, then "<I" length and bytes of each file. Child to parent: a line
of JSON a file.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from gmaug_core import children, disk
from gmaug_core.data import originals
from gmaug_core.data.decode import decode, deep_range, is_grey, remark
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.intake.near import look

SECONDS = 10  # of processor time for one image; the largest accepted one takes about one
WAIT = 60  # seconds on the clock for one: on a busy machine it is given less of the processor
MEMORY = (
    2**31
)  # bytes of address space of a child: the interpreter and the largest accepted image, several times over


class Verifier:
    """One child that decodes files, and keeps the good ones under `staging`.

    Use as a context manager, from one thread.
    """

    def __init__(self, staging: Path) -> None:
        self._staging = staging
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Verifier:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def check(self, files: Sequence[bytes]) -> list[dict[str, Any]]:
        """For each file {sha256, size, grey, conversions, remark, deep, look}, or {reason} when it is no
        usable image."""
        try:
            return self._ask(files)
        except (OSError, EOFError):  # the child died: once more, one by one, to find the file that did it
            self._end()
        answers = []
        for data in files:
            try:
                answers += self._ask([data])
            except (OSError, EOFError):
                self._end()
                answers.append(
                    {"reason": f"the decoder crashed on it, or took longer than {SECONDS} seconds"}
                )
        return answers

    def _ask(self, files: Sequence[bytes]) -> list[dict[str, Any]]:
        if self._child is None:
            self._child = children.talk(
                "gmaug_core.intake.verify", str(self._staging), env={"OPENBLAS_NUM_THREADS": "1"}
            )
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.write(struct.pack("<I", len(files)))
        for data in files:
            self._child.stdin.write(struct.pack("<I", len(data)) + data)
        self._child.stdin.flush()
        lines = [self._child.stdout.readline() for _ in files]
        if not all(line.endswith(b"\n") for line in lines):
            raise EOFError
        answers = [json.loads(line) for line in lines]
        for found in answers:
            if "errno" in found:
                problem = OSError(found["errno"], "an image could not be stored")
                raise disk.explained(problem, needed=sum(map(len, files))) or GMAugError(
                    f"an image could not be stored ({os.strerror(found['errno']).lower()})",
                    todo="look at the disk that holds the workspace, then import again",
                )
        return answers

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            originals.part_file(self._staging, self._child.pid).unlink(missing_ok=True)
            self._child = None


def _verify(data: bytes, staging: Path) -> dict[str, Any]:
    try:
        image, conversions = decode(data)
    except InputError as error:
        return {"reason": error.what}
    try:
        digest = originals.store_original(staging, data)
    except OSError as error:  # not the image's fault: the import as a whole must end
        return {"errno": error.errno}
    deep = deep_range(data) if any("rescaled" in words for words in conversions) else None
    return {
        "sha256": digest,
        "size": image.size,
        "grey": is_grey(image),
        "conversions": conversions,
        "remark": remark(image, deep),
        "deep": deep,
        "look": base64.b64encode(look(_lit(image, data, deep))).decode(),
    }


def _lit(image: Image.Image, data: bytes, deep: tuple[str, float, float] | None) -> Image.Image:
    """The image by its own range: a deep one may be nearly black until the range of all is known."""
    return image if deep is None else decode(data, {deep[0]: (deep[1], max(deep[2], deep[1] + 1.0))}).image


def _serve(staging: Path, source: BinaryIO, answers: BinaryIO) -> None:
    while header := source.read(4):
        files = [
            source.read(struct.unpack("<I", source.read(4))[0]) for _ in range(struct.unpack("<I", header)[0])
        ]
        for data in files:
            signal.setitimer(
                signal.ITIMER_PROF, SECONDS
            )  # no handler: the system ends the child, even in C code
            signal.alarm(WAIT)
            answers.write(json.dumps(_verify(data, staging)).encode() + b"\n")
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        answers.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    _serve(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
