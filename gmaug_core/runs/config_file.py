"""What a run was started with: written once, before its worker begins, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import SerializeAsAny, ValidationInfo, field_validator

from gmaug_core.config import RunConfig
from gmaug_core.config.base import as_stored
from gmaug_core.config.documents import Document
from gmaug_core.errors import GMAugError
from gmaug_core.runs.kinds import KINDS

Settings = TypeVar("Settings", bound=RunConfig)


def _first_form(document: dict[str, Any]) -> dict[str, Any]:
    """Configs without a number say the device in their settings alone, as it was asked for."""
    return {"device": document["settings"].get("device", "cpu"), **document}


def _without_quantiles(document: dict[str, Any]) -> dict[str, Any]:
    """Configs from before modes and thresholds were checked together. A quantile of the images drawn became a
    share of real ones; a probability that none can exceed, or that all do, stays as good as that."""
    settings = document["settings"]
    rule = settings.get("selection")
    if not rule or rule["mode"] == "logit":
        return document
    share = rule["mode"] == "quantile"
    threshold = 1 - rule["threshold"] if share else rule["threshold"]
    least = 1e-6
    changed = {
        "mode": "real_share" if share else rule["mode"],
        "threshold": min(max(threshold, least), 1 - least),
    }
    return document | {"settings": settings | {"selection": rule | changed}}


class RunConfigFile(Document):
    """The settings of a run as they were resolved, and what they meant when it was submitted."""

    TITLE = "config of the run"
    FILE = "config.json"
    SCHEMA = 2
    MIGRATIONS = {0: _first_form, 1: _without_quantiles}

    run: str
    """The run: the name of its folder."""
    kind: str
    """The kind of run: a key of runs.kinds."""
    created: float
    """When it was submitted, in Unix seconds."""
    settings: SerializeAsAny[RunConfig]
    """All settings of its kind: nothing is left to a default that could change."""
    dataset_name: str
    """The dataset's name, as people see it."""
    dataset_version: str
    """Hash of the dataset's content; a run goes on with the same images alone."""
    grouping: dict[str, list[str]]
    """super-class -> its sub-classes, as the grouping was then, without empty ones."""
    grouping_revision: int
    """Revision of the grouping; 0: the import's proposal, never edited."""
    device: str
    """The device that it computes on: 'cpu', 'cuda:0', ...; heavy runs of one device wait for each other."""
    versions: dict[str, str]
    """Versions of this program, of Python and of the packages that a result depends on."""

    @field_validator("settings", mode="before")
    @classmethod
    def _of_its_kind(cls, given: Any, info: ValidationInfo) -> Any:
        kind = info.data.get("kind")
        if kind not in KINDS:
            raise ValueError(f"'{kind}' is not a kind of run")
        return as_stored(KINDS[kind].config, given) if isinstance(given, Mapping) else given

    def settings_as(self, settings: type[Settings]) -> Settings:
        """The settings of a run whose kind the caller knows. Raises GMAugError for a run of another kind."""
        if not isinstance(self.settings, settings):
            raise GMAugError(
                f"'{self.run}' is a run of another kind ({self.kind})", todo="choose another run"
            )
        return self.settings
