"""Whatever stands in an experiment file, it is read or refused; nothing else happens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import GradstepError
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from tests.engine.small_experiments import document

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["linear", "relu", "mse", "cross_entropy", "sgd", "adam", "zero_grad", "sum"]),
    st.dates(),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)
FIELDS = {
    "": ["name", "description", "seed", "dtype", "data", "layers", "loss", "optimizer", "training"],
    "data": ["x", "y", "csv", "npz", "inputs", "targets", "one_hot", "batch_size", "shuffle"],
    "layers": ["type", "name", "out", "bias", "init", "weight", "frozen", "beta", "init_scale"],
    "loss": ["type", "reduction", "scale", "delta"],
    "optimizer": ["type", "lr", "momentum", "nesterov", "betas", "eps"],
    "training": ["epochs", "order", "skip", "input_gradient"],
}


@st.composite
def spoiled(draw):
    """A good document with some fields replaced by anything."""
    raw = document(data={"x": [[1.0, 2.0]], "y": [[1.0]]})
    for _ in range(draw(st.integers(1, 4))):
        table = draw(st.sampled_from(sorted(FIELDS)))
        field = draw(st.one_of(st.sampled_from(FIELDS[table]), st.text(max_size=4)))
        place = raw.get(table) if table else raw
        if isinstance(place, list) and place:
            place = place[0]
        if isinstance(place, dict):
            place[field] = draw(VALUES)
    return raw


@settings(max_examples=400, deadline=None)
@given(spoiled())
def test_whatever_stands_in_a_file_only_gradstep_errors_come_out(raw):
    said = complaint(raw)
    assert said is None or said.startswith("test.toml: ")
    assert said is None or all(line.isprintable() for line in said.split("\n"))


def complaint(raw):
    try:
        compile_program(read_experiment(raw, "test.toml"))
    except GradstepError as error:
        return str(error)
    return None


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS[""]), VALUES))
def test_a_document_of_anything_is_read_or_refused(raw):
    with pytest.raises(GradstepError):
        read_experiment(raw, "test.toml")
