"""What a run finds on the machine that it is sent to: `python -m gmaug_core.runs.site` answers it there."""

from __future__ import annotations

from typing import Any

from gmaug_core import __version__, children
from gmaug_core.config.classifiers.common import Precision
from gmaug_core.config.documents import Part
from gmaug_core.runs import devices
from gmaug_core.runs.devices import Devices


class Site(Part):
    """One machine as its own process sees it."""

    version: str
    """Of this program there."""
    device: str
    """What was asked for, made concrete there."""
    precision: Precision
    """The arithmetic that a classifier trains fastest with on it."""
    devices: Devices
    """Everything that it has."""


def found(question: dict[str, str]) -> dict[str, Any]:
    """question: {"device": as in a setting}. Raises InputError where that device is not there."""
    device = devices.resolve(question["device"])
    site = Site(
        version=__version__,
        device=device,
        precision=devices.precision(device),
        devices=devices.ask(device),
    )
    return site.to_dict()


if __name__ == "__main__":
    children.answer(found)
