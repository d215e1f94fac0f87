"""Settings of the acceptance rule."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gmaug_core.config.base import Config


class SelectionConfig(Config):
    """The acceptance rule of GM-augCls."""

    mode: Literal["logit", "probability", "quantile"] = "logit"
    threshold: float = Field(10.0, ge=-1000, le=1000)  # alpha; a raw logit in paper A (10-30 for ResNet18)
