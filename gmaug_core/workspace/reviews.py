"""What people decided about the synthetic samples of a run: decisions are added, never erased.

The newest counts.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass

from gmaug_core.errors import Conflict, InputError
from gmaug_core.workspace import audit, database, people, roles

DECISIONS = ("keep", "reject")
NAMED = 5  # samples that a refusal names


@dataclass(frozen=True)
class Review:
    """One decision of one person. decision: keep, reject, or None: as the filter says.

    time: seconds since 1970.
    """

    sample: int
    decision: str | None
    person: str
    time: float


def check(sample: object, decision: object, *, count: int) -> tuple[int, str | None]:
    """Sample and decision as they are, checked.

    Raises InputError unless this can be decided about a sample of a run with `count` of them.
    """
    if not isinstance(sample, int) or isinstance(sample, bool) or not 0 <= sample < count:
        raise InputError(
            f"there is no sample {str(sample)[:20]} in this run", expected=f"a number from 0 to {count - 1}"
        )
    return sample, _word(decision)


def _word(decision: object) -> str | None:
    if decision is None or (isinstance(decision, str) and decision in DECISIONS):
        return decision
    raise InputError(f"'{str(decision)[:20]}' is not a decision", expected="keep or reject")


@roles.guarded("review samples")
def save(
    run: str,
    decisions: Mapping[int, str | None],
    *,
    seen: Mapping[int, int] | None = None,
    person: str | None = None,
) -> dict[int, int]:
    """Store what a person decided about samples of a run: keep, reject, or None to follow the filter again.
    Returns sample -> the number of its new decision.

    seen: what `numbers` said of each sample when the person looked at it, 0 or absent for none; None: they
    decide whatever was decided before. person: who decided, by default whoever acts. Raises InputError for
    another word, Conflict where somebody else has decided otherwise since; then nothing is stored.
    """
    for decision in decisions.values():
        _word(decision)
    who = person or people.name()
    with database.transaction() as connection:
        if seen is not None:
            _check(connection, run, decisions, seen)
        made: dict[int, int] = {}
        for sample, decision in decisions.items():
            cursor = connection.execute(
                "INSERT INTO reviews (run, sample, decision, person, time) VALUES (?, ?, ?, ?, ?)",
                (run, sample, decision, who, time.time()),
            )
            made[sample] = cursor.lastrowid or 0
            audit.add(connection, "sample reviewed", run, who, sample=sample, decision=decision)
    return made


def _check(
    connection: sqlite3.Connection, run: str, decisions: Mapping[int, str | None], seen: Mapping[int, int]
) -> None:
    """Raises Conflict where a sample was decided about otherwise after it was seen."""
    late = []
    for sample, decision in decisions.items():
        row = connection.execute(
            "SELECT id, decision, person FROM reviews WHERE run=? AND sample=? ORDER BY id DESC LIMIT 1",
            (run, sample),
        ).fetchone()
        if row and row[0] != seen.get(sample, 0) and row[1] != decision:
            late.append(f"{sample} ({row[2]}: {row[1] or 'as the filter says'})")
    if late:
        more = f" and {len(late) - NAMED} more" if len(late) > NAMED else ""
        raise Conflict(
            f"somebody else decided first about sample {', '.join(late[:NAMED])}{more}",
            expected="decisions about what you see",
            todo="look at the newer decision, and decide again where you disagree",
        )


def numbers(run: str) -> dict[int, int]:
    """sample -> the number of its newest decision: what `save` takes as `seen`."""
    with database.transaction() as connection:
        rows = connection.execute("SELECT sample, MAX(id) FROM reviews WHERE run=? GROUP BY sample", (run,))
        return dict(rows.fetchall())


def history(run: str) -> list[Review]:
    """Every decision about samples of a run, in the order in which they were made."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT sample, decision, person, time FROM reviews WHERE run=? ORDER BY id", (run,)
        ).fetchall()
    return [Review(*row) for row in rows]


def revision(run: str) -> int:
    """The number of the newest decision about a sample of the run; 0 where there is none."""
    with database.transaction() as connection:
        (found,) = connection.execute("SELECT MAX(id) FROM reviews WHERE run=?", (run,)).fetchone()
    return found or 0


def newest(run: str) -> dict[int, Review]:
    """sample -> the decision that counts, for the samples that a person decided about, by sample number."""
    last = {review.sample: review for review in history(run)}
    return {sample: last[sample] for sample in sorted(last) if last[sample].decision is not None}


def load(run: str) -> dict[int, str]:
    """sample -> keep | reject, for the samples that a person decided about."""
    return {sample: review.decision for sample, review in newest(run).items() if review.decision is not None}
