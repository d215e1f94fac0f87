"""Networks on disk: what was written comes back, and a flipped bit is noticed wherever it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gmaug_core.errors import Damaged
from gmaug_core.models.checkpoint import check_tensors, load_state, save_state

STATE = {"step": 3, "moments": {0: torch.arange(12.0).reshape(3, 4)}, "names": ["a", "b"]}


def test_a_state_comes_back_and_no_flipped_bit_does(tmp_path):
    path = tmp_path / "a.safetensors"
    save_state(path, STATE)
    found = load_state(path)
    assert (found["step"], found["names"]) == (3, ["a", "b"])
    assert torch.equal(found["moments"][0], STATE["moments"][0])
    data = path.read_bytes()
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << (at % 8)
        path.write_bytes(flipped)
        with pytest.raises(Damaged, match="is damaged"):
            load_state(path)


def test_a_file_of_before_checksums_is_read(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"x": torch.ones(2)}, path)
    check_tensors(path)
    assert np.array_equal(load_file(path)["x"], np.ones(2))
