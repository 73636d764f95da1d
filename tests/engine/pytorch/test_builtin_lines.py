"""The built-in networks of lines as PyTorch scripts: the same losses."""

import numpy as np
import pytest

from engine.experiment.builtins import builtin_names
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from tests.engine.pytorch.scripts import printed, script

pytest.importorskip("torch")
LINES = [name for name in builtin_names() if load_experiment(name).network is not None]


@pytest.mark.parametrize("name", LINES)
def test_a_built_in_of_lines_is_the_same_in_pytorch(tmp_path, name):
    program = compile_program(load_experiment(name))
    tolerance = 1e-4 if program.experiment.dtype == "float32" else 1e-10
    source, losses = script(tmp_path / "run.gradstep", program)
    np.testing.assert_allclose(printed(source)[:20], losses[:20], rtol=tolerance)
