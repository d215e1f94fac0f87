"""Our SSIM checked by scikit-image on a dataset's own pairs, from the core and from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gmaug_core.cli import main as cli
from gmaug_core.config import Profile
from gmaug_core.errors import InputError
from gmaug_core.scoring import check
from gmaug_core.scoring.check import AGREE


@pytest.mark.parametrize("profile", ["paper", "paper-rgb", "uniform7"])
def test_both_agree_on_any_profile(profile):
    found = Profile.parse(profile)
    random = np.random.default_rng(0)
    shape = (6, 40, 40) if found.colour == "grey" else (6, 40, 40, 3)
    seen = check.check(random.integers(0, 256, shape, np.uint8), np.arange(6), found, 30, seed=1)
    assert seen.agree
    assert 0 <= seen.largest_difference <= AGREE
    assert seen.pairs == 30


def test_a_wrong_kernel_is_noticed(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32), np.uint8)
    right = check.ssim_pairs
    monkeypatch.setattr(check, "ssim_pairs", lambda *given, **kind: right(*given, **kind) + 2e-6)
    seen = check.check(images, np.arange(5), Profile.parse("paper"), 9)
    assert not seen.agree
    assert seen.largest_difference == pytest.approx(2e-6, rel=0.2)


def test_no_image_is_compared_with_itself():
    images = np.random.default_rng(0).integers(0, 256, (9, 32, 32), np.uint8)
    assert check.check(images, np.array([3, 7]), Profile.parse("paper"), 40).mean < 0.9


@pytest.mark.parametrize(("n", "pairs"), [(1, 5), (4, 0)])
def test_what_cannot_be_checked_is_said(n, pairs):
    with pytest.raises(InputError):
        check.check(np.zeros((n, 32, 32), np.uint8), np.arange(n), Profile.parse("paper"), pairs)


@pytest.mark.slow
def test_the_command_line_checks_this_dataset(demo, capsys, monkeypatch):
    capsys.readouterr()
    assert cli.main(["similarity", demo, "--check", "20", "--profile", "paper-64", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["agree"] is True
    assert (answer["pairs"], answer["profile"]) == (20, "paper-64")
    right = check.ssim_pairs
    monkeypatch.setattr(check, "ssim_pairs", lambda *given, **kind: right(*given, **kind) + 1e-3)
    assert cli.main(["similarity", demo, "--check", "20", "--profile", "paper-64"]) == 1
    assert "difference from scikit-image 1.00e-03" in capsys.readouterr().err
