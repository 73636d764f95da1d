"""Layers that cannot take so many inputs, or such options, are refused before anything runs."""

from typing import Any

import pytest

from engine.errors import ExperimentError
from tests.engine.small_experiments import program

MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"type": "glu"}, "glu1: it halves its inputs, and takes an even number of them, not 3"),
    (
        {"type": "prelu", "num_parameters": 2},
        "prelu1: num_parameters must be 1 or 3, one for each input, not 2",
    ),
    (
        {"type": "hard_tanh", "min_val": 1.0},
        "hard_tanh1: min_val must be below max_val, but it is 1 and 1",
    ),
]


@pytest.mark.parametrize(("layer", "said"), MISFITS, ids=[layer["type"] for layer, _ in MISFITS])
def test_it_is_said_where_and_why(layer: dict[str, Any], said: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        program(layers=[{"type": "linear", "out": 3}, layer, {"type": "linear", "out": 1}])
    assert [(p.path, p.message) for p in caught.value.problems] == [("layers[1]", said)]


def test_a_single_input_leaves_one_number_of_parameters() -> None:
    with pytest.raises(ExperimentError, match="num_parameters must be 1, not 2"):
        program(layers=[{"type": "linear", "out": 1}, {"type": "prelu", "num_parameters": 2}])


def test_half_of_two_inputs_is_one_output() -> None:
    made = program(layers=[{"type": "glu"}])
    assert made.tensors["glu1.out"].shape == (7, 1)
