"""docs/formats.md: current, and no field of any document without words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from gmaug_core.cli import formats
from gmaug_core.config.base import Config
from gmaug_core.config.documents import Part

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "formats.md"


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == formats.formats(), "make docs"


@pytest.mark.parametrize("model", formats.known_parts(), ids=lambda model: model.__name__)
def test_every_field_says_what_it_is(model):
    assert not formats.undescribed(model)


def test_a_field_without_words_would_be_noticed():
    class Row(Part):
        told: int
        """Said."""
        untold: int

    assert formats.undescribed(Row) == ["untold"]


def test_comments_beside_and_above_settings_are_their_reasons():
    found = formats.comments(Example)
    assert found == {"beside": "the reason", "above": "over two lines, and beside"}
    assert "| `beside` | integer | `3` | ≥ 0, < 9 | the reason |" in formats._config(Example)


class Example(Config):
    """Settings."""

    plain: int = 1
    beside: int = Field(3, ge=0, lt=9)  # the reason
    # over two lines,
    above: int = 2  # and beside
