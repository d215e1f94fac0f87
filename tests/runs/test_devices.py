"""Which device a run will use: known without torch where it can be, asked once where it cannot."""

from __future__ import annotations

import io
import json
import runpy
import subprocess
import sys
import time

import pytest

from gmaug_core import children
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs import devices
from gmaug_core.runs.devices import Devices

GPU = {"name": "a GPU", "memory_gb": 80.0}


@pytest.fixture
def gpus(monkeypatch):
    """A machine with two GPUs, as the child would tell it. Gives the questions that the child was asked."""
    asked = []

    def answer(module, question, **_):
        asked.append(question["device"])
        concrete = {"auto": "cuda:0", "cuda": "cuda:0", "cuda:1": "cuda:1"}
        if question["device"] not in concrete:
            raise InputError(f"device '{question['device']}' is not available")
        return {"torch": "2", "cpu_threads": 4, "cuda": [GPU, GPU], "device": concrete[question["device"]]}

    monkeypatch.setattr(children, "ask", answer)
    monkeypatch.setattr(devices, "has_cuda_driver", lambda: True)
    devices.ask.cache_clear()
    yield asked
    devices.ask.cache_clear()


def test_a_machine_with_gpus_is_asked_once_a_name(gpus):
    assert [devices.resolve(name) for name in ("auto", "cuda", "cuda:1", "auto", "cpu")] == [
        "cuda:0",
        "cuda:0",
        "cuda:1",
        "cuda:0",
        "cpu",
    ]
    assert gpus == ["auto", "cuda", "cuda:1"]
    with pytest.raises(InputError, match="cuda:77"):
        devices.resolve("cuda:77")


@pytest.mark.parametrize("name", ["cuda", "cuda:77", "banana", "cpu;ls", "", "CPU"])
def test_without_a_driver_nobody_is_asked(monkeypatch, name):
    monkeypatch.setattr(devices, "has_cuda_driver", lambda: False)
    monkeypatch.setattr(children, "ask", lambda *_, **__: pytest.fail("asked a child"))
    assert devices.resolve("auto") == devices.resolve("cpu") == "cpu"
    with pytest.raises(InputError, match="device"):
        devices.resolve(name)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx2"}, "float32"),
        ({"avx2", "avx512_bf16"}, "bfloat16"),
        ({"amx_bf16"}, "bfloat16"),
        (set(), "float32"),
    ],
)
def test_a_cpu_trains_in_bfloat16_where_it_has_it(monkeypatch, flags, expected):
    monkeypatch.setattr(devices, "cpu_flags", lambda: frozenset(flags))
    monkeypatch.setattr(children, "ask", lambda *_, **__: pytest.fail("asked a child"))
    assert devices.precision("cpu") == expected


def test_a_gpu_trains_in_bfloat16_where_torch_says_that_it_has_it(gpus, monkeypatch):
    assert devices.precision("cuda:1") == "float32"
    said = devices.ask("cuda:1").model_copy(update={"bfloat16": True})
    with monkeypatch.context() as patch:
        patch.setattr(devices, "ask", lambda _: said)
        assert devices.precision("cuda:1") == "bfloat16"


def test_a_broken_torch_is_said(monkeypatch):
    def broke(*_, **__):
        raise children.NoAnswer("the child process broke")

    monkeypatch.setattr(children, "ask", broke)
    devices.ask.cache_clear()
    with pytest.raises(GMAugError, match="torch could not be asked"):
        devices.ask()


@pytest.mark.slow
def test_the_child_answers(monkeypatch, capsys):
    """Its side of the question, without the seconds that torch takes to come up in a process of its own."""
    from gmaug_core.models import devices as with_torch

    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"device": "cpu"})))
    runpy.run_path(with_torch.__file__, run_name="__main__")
    found = Devices.model_validate(json.loads(capsys.readouterr().out)["answer"])
    assert found.device == "cpu"
    assert found.cpu_threads >= 1
    with pytest.raises(InputError, match="cuda:77"):
        with_torch.found({"device": "cuda:77"})


def test_resolving_needs_no_torch_and_no_time(monkeypatch):
    """In a fresh process: what every submit pays on a machine without a GPU."""
    code = (
        "import sys, time; from gmaug_core.runs import devices; devices.DRIVERS = ()\n"
        "began = time.process_time(); device = devices.resolve('cpu'); took = time.process_time() - began\n"
        "print(device, took, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    device, took, torch = done.stdout.split()
    assert (device, torch) == ("cpu", "False")
    assert float(took) < 0.05
    monkeypatch.setattr(devices, "DRIVERS", ())
    devices.has_cuda_driver.cache_clear()
    began = time.process_time()
    devices.has_cuda_driver()
    assert time.process_time() - began < 2
