"""Exported PyTorch scripts, run."""

import contextlib
import io

import pytest

from engine.pytorch.script import torch_script
from tests.engine.recording.recordings import opened, record

torch = pytest.importorskip("torch")


def script(path, program):
    record(path, program, "keyframes")
    with opened(path) as recording:
        return torch_script(recording, "main"), recording.losses(recording.branches["main"])


def printed(source):
    """The losses that a script prints."""
    out = io.StringIO()
    before = torch.get_default_dtype()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(source, "script.py", "exec"), {})
    finally:
        torch.set_default_dtype(before)
    return [float(line.split()[1]) for line in out.getvalue().splitlines()]
