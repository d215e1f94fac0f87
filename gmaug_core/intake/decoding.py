"""Each file is read, verified by decoding in limited children, and kept."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from gmaug_core.data.manifest import Refused
from gmaug_core.data.store import Accepted
from gmaug_core.errors import Stopped
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.intake.listing import Unreadable
from gmaug_core.intake.sources import Source
from gmaug_core.intake.verify import Verifier

CHUNK = 256  # files a worker between two reports: how long a stop takes
BATCH, BATCH_BYTES = 32, 4 * 2**20  # files, or bytes, handed to a child at once: bounds memory


def store_images(
    source: Source, files: list[tuple[str, Any]], staging: Path, report: Report, should_stop: ShouldStop
) -> tuple[list[Accepted], list[Refused]]:
    """Read, verify by decoding, and keep each file: a thread to read and a child process to decode for
    each core.
    """
    images: list[Accepted] = []
    refused: list[Refused] = []
    workers = min(os.cpu_count() or 1, 1 + len(files) // CHUNK)
    with ExitStack() as stack:
        verifiers = [stack.enter_context(Verifier(staging)) for _ in range(workers)]
        pool = stack.enter_context(ThreadPoolExecutor(workers))
        for start in range(0, len(files), CHUNK * workers):
            if should_stop():
                raise Stopped("import")
            chunk = files[start : start + CHUNK * workers]
            shares = [chunk[k::workers] for k in range(workers)]
            for result in chain.from_iterable(
                pool.map(lambda verifier, share: _verify(source, share, verifier), verifiers, shares)
            ):
                if isinstance(result, Accepted):
                    images.append(result)
                else:
                    refused.append(result)
            report("import", start + len(chunk), len(files), accepted=len(images), refused=len(refused))
    return images, refused


def _verify(source: Source, files: list[tuple[str, Any]], verifier: Verifier) -> list[Accepted | Refused]:
    """What became of each file."""
    results: list[Accepted | Refused] = []
    waiting: list[tuple[str, bytes]] = []

    def flush() -> None:
        answers = verifier.check([data for _, data in waiting])
        results.extend(_answer(file, answer) for (file, _), answer in zip(waiting, answers, strict=True))
        waiting.clear()

    for file, handle in files:
        try:
            waiting.append((file, source.read(handle)))
        except Unreadable as error:
            results.append(Refused(file=file, reason=str(error)))
        if len(waiting) == BATCH or sum(len(data) for _, data in waiting) > BATCH_BYTES:
            flush()
    if waiting:
        flush()
    return results


def _answer(file: str, answer: Mapping[str, Any]) -> Accepted | Refused:
    """A verifier's answer, as one of the two things that it can be."""
    if "reason" in answer:
        return Refused(file=file, reason=answer["reason"])
    width, height = answer["size"]
    return Accepted(
        file,
        answer["sha256"],
        (width, height),
        answer["grey"],
        tuple(answer["conversions"]),
        remark=answer["remark"],
        look=base64.b64decode(answer["look"]),
        deep=tuple(answer["deep"]) if answer["deep"] else None,
    )
