"""Where a run was sent to: written at every submission beyond this machine; a run without it is here."""

from __future__ import annotations

from typing import Literal

from gmaug_core.config.documents import Document


class Place(Document):
    """Who works at the run, where that is not this machine."""

    TITLE = "place of the run"
    FILE = "place.json"
    SCHEMA = 1

    backend: Literal["ray"]
    """The kind of machine."""
    address: str
    """Of the cluster's job interface: http://HOST:PORT. The token is in no file of ours."""
    submission: str
    """The job's name there; a new one for every attempt."""
    submitted: float
    """When it was sent there, in Unix seconds; a heartbeat from before is of an earlier attempt."""
