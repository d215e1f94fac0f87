"""The decoding child: its answers, and that what kills it is named and nothing else suffers."""

from __future__ import annotations

import subprocess

import pytest
from corpus import encode, pixels, png
from PIL import Image

from gmaug_core.data import store
from gmaug_core.data.decode import MAX_PIXELS
from gmaug_core.intake import verify


@pytest.fixture
def staging(home):
    with store.staging_folder() as folder:
        yield folder


def test_answers_in_order(staging):
    with verify.Verifier(staging) as verifier:
        good, grey, bad, empty = verifier.check([png(1), encode(pixels(2, channels=1)), b"broken", b""])
        assert verifier.check([]) == []
    assert good["size"] == [12, 12]
    assert not good["grey"]
    assert grey["grey"]
    assert good["conversions"] == []
    assert (staging / "originals" / good["sha256"][:2] / good["sha256"]).read_bytes() == png(1)
    assert "not an image" in bad["reason"]
    assert "empty" in empty["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["os.abort()", "time.sleep(60)", "sum(iter(int, 1))", "bytearray(2**40)"])
def test_what_kills_or_hangs_the_child_is_named(staging, monkeypatch, fault):
    child = f"""
import os, sys, time, resource
from pathlib import Path
from gmaug_core.intake import verify
verify.SECONDS = verify.WAIT = 1
honest = verify._verify
def hostile(data, staging):
    if data == b"hostile":
        {fault}
    return honest(data, staging)
verify._verify = hostile
verify._serve(Path(sys.argv[-1]), sys.stdin.buffer, sys.stdout.buffer)
"""
    start = subprocess.Popen
    monkeypatch.setattr(
        verify.children.subprocess,
        "Popen",
        lambda command, **options: start([command[0], "-c", child, command[-1]], **options),
    )
    with verify.Verifier(staging) as verifier:
        answers = verifier.check([png(1), b"hostile", png(2)])
        assert ["reason" in answer for answer in answers] == [False, True, False]
        assert "crashed" in answers[1]["reason"]
        assert "sha256" in verifier.check([png(3)])[0]


@pytest.mark.slow
def test_the_largest_accepted_image_fits_the_limits(staging):
    """Four channels need the most: 1,060 MB; a CMYK JPEG 680, a 16-bit PNG 480, and each less time."""
    side = int(MAX_PIXELS**0.5)
    largest = encode(Image.new("RGBA", (side, side)), "PNG", compress_level=1)
    with verify.Verifier(staging) as verifier:
        assert all("sha256" in answer for answer in verifier.check([largest]))
