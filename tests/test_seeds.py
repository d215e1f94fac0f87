"""Seeds from names and counters: every purpose has its own, and none is another's by accident."""

from __future__ import annotations

from gmaug_core.seeds import derive


def test_seeds_are_derived_independently():
    assert derive(1, "step", 2) == derive(1, "step", 2)
    paths = [("step", 1), ("step", 11), ("step1", 1), ()]
    assert len({derive(seed, *path) for seed in range(50) for path in paths}) == 200
    assert 0 <= derive(2**31 - 1, "x") < 2**63


def test_a_name_with_a_slash_is_no_path():
    assert derive(1, "a/b") != derive(1, "a", "b")


def test_the_numbers_stay():
    """Runs of different versions can be compared only while these do."""
    assert derive("generator", 0) == 3547941080471524526
    assert derive(7, "step", 3) == 6449023221254889580
