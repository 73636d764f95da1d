"""Parameters from files of weights: .npz and .safetensors, and what is wrong with them."""

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.session.session import Session

save = pytest.importorskip("safetensors.numpy").save_file


def program(folder, file):
    raw = {
        "data": {"x": [[1.0, 2.0]]},
        "parameters": {"W": {"file": file}},
        "network": {"lines": "z = x @ W.T\nloss = sum(z)"},
    }
    return compile_program(read_experiment(raw, "t.toml", directory=str(folder)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_the_values_of_a_file(tmp_path, dtype):
    weights = np.array([[0.5, -1.0], [0.25, 2.0]], dtype)
    save({"fc.weight": weights, "other": np.zeros(3)}, tmp_path / "model.safetensors")
    np.savez(tmp_path / "model.npz", W=weights)
    for file in ("model.safetensors:fc.weight", "model.npz:W"):
        found = Session(program(tmp_path, file)).tensors["W"]
        assert found.dtype == np.float64
        assert found.tolist() == weights.tolist()


def test_what_is_wrong_with_a_file(tmp_path):
    save({"fc.weight": np.zeros((2, 2))}, tmp_path / "model.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 64)
    for file, said in (
        ("model.safetensors:weight", "no tensor 'weight'"),
        ("missing.safetensors:W", "No such file"),
        ("broken.safetensors:W", "not a readable .safetensors file"),
        ("model.safetensors", "write FILE.npz:NAME"),
    ):
        with pytest.raises(ExperimentError, match=said):
            program(tmp_path, file)
