"""A flipped bit anywhere in a sealed file is noticed; a file of before seals is read as it was."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from gmaug_core import seals
from gmaug_core.errors import Damaged
from gmaug_core.files import decoded, encoded, read_json, write_json

DOCUMENT = {"name": "flowers \u00e9", "numbers": [1, 2.5, None], "nested": {"checksum": "its own"}}


@pytest.mark.parametrize("indent", [1, None])
def test_every_bit_of_a_json_file_is_watched(indent):
    data = encoded(DOCUMENT, indent)
    assert decoded(data, "a.json") == DOCUMENT
    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with pytest.raises(Damaged, match="is damaged"):
                decoded(bytes(flipped), "a.json")


def test_json_is_written_with_its_checksum_however_often(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, DOCUMENT)
    write_json(path, json.loads(path.read_text()) | {"name": "other"})
    assert read_json(path) == DOCUMENT | {"name": "other"}
    path.write_text(json.dumps(DOCUMENT))  # of before checksums
    assert read_json(path) == DOCUMENT
    write_json(path, {})
    assert read_json(path) == {}


def test_a_seal_behind_the_content_leaves_numpy_alone_and_notices_a_flip(tmp_path):
    path, array = tmp_path / "a.npy", np.arange(30, dtype=np.uint8)
    file = io.BytesIO()
    np.save(file, array)
    path.write_bytes(seals.sealed(file.getvalue()))
    assert seals.check(path)
    assert (np.load(path) == array).all()
    assert seals.content(path.read_bytes()) == file.getvalue()
    data = bytearray(path.read_bytes())
    data[140] ^= 1
    path.write_bytes(data)
    with pytest.raises(Damaged, match="is damaged"):
        seals.read(path)
    with pytest.raises(Damaged, match="is damaged"):
        seals.check(path)
    path.write_bytes(file.getvalue())
    assert not seals.check(path)
