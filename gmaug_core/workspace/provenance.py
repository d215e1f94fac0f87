"""Where a grouping came from, and which of the paper's three steps its person is at: kept in the trail.

The paper groups by looking three times: by species, then by habitat or background, then by details.
"""

from __future__ import annotations

from dataclasses import dataclass

from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError
from gmaug_core.workspace import audit, database, groupings, roles
from gmaug_core.workspace.grouping import Grouping

STARTED, STEPPED = "grouping started", "grouping step"
GUIDED = "Grouped in the paper's three steps"


@dataclass(frozen=True)
class Step:
    """One look at the sub-classes. asks: what to do in it, as a sentence."""

    key: str
    title: str
    asks: str


STEPS = (
    Step("species", "Species", "Put sub-classes of one kind together: what would a layman call the same?"),
    Step(
        "habitat",
        "Habitat",
        "Go through each super-class: split it where background, light or surroundings differ.",
    ),
    Step(
        "details",
        "Details",
        "Go through each once more: split it where size, shape or colour differ at a glance.",
    ),
)


@dataclass(frozen=True)
class Origin:
    """how: a sentence, empty where nobody noted one. person, time (seconds since 1970): of its beginning.

    steps: (key of the step, revision when it began) in the order in which they were taken.
    """

    how: str = ""
    person: str = ""
    time: float = 0.0
    steps: tuple[tuple[str, int], ...] = ()

    @property
    def step(self) -> Step | None:
        """The step that its person is at; None where nobody is guided."""
        now = self.steps[-1][0] if self.steps else None
        return next((step for step in STEPS if step.key == now), None)


def start(data: Dataset, name: str, groups: Grouping, how: str, *, guided: bool = False) -> str:
    """Store a new grouping, and note where it came from; returns the name as it was stored. Raises
    InputError."""
    clean = groupings.add(data, name, groups)
    note(data.id, clean, how)
    if guided:
        take_step(data.id, clean, STEPS[0].key, revision=1)
    return clean


@roles.guarded("edit grouping")
def note(dataset: str, name: str, how: str) -> None:
    """Note where a grouping that was just stored came from, as a sentence."""
    audit.record(STARTED, dataset, name=name, how=how)


@roles.guarded("edit grouping")
def take_step(dataset: str, name: str, key: str, *, revision: int) -> None:
    """Note that a person goes on to a step of the guide. Raises InputError for one that is none."""
    if key not in {step.key for step in STEPS}:
        raise InputError(f"'{key}' is not a step", expected=" or ".join(step.key for step in STEPS))
    audit.record(STEPPED, dataset, name=name, step=key, revision=revision)


def origin(dataset: str, name: str) -> Origin:
    """Where a stored grouping came from; nothing noted where it has no beginning in the trail."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT action, person, time, json_extract(detail, '$.how'), json_extract(detail, '$.step'),"
            " json_extract(detail, '$.revision') FROM audit WHERE subject=? AND action IN (?, ?)"
            " AND json_extract(detail, '$.name')=? ORDER BY id",
            (dataset, STARTED, STEPPED, name),
        ).fetchall()
    found = Origin()
    for action, person, time, how, step, revision in rows:
        if action == STARTED:
            found = Origin(how, person, time)
        else:
            found = Origin(found.how, found.person, found.time, (*found.steps, (step, revision)))
    return found
