"""Recordings of networks of lines: what is written is verified, replayed and read again."""

import msgspec
import numpy as np
import pytest

from engine.diagnostics.one_batch import one_batch
from engine.errors import GradstepError
from engine.program.compiler import compile_program
from engine.recording.as_toml import experiment_toml, key, value
from engine.recording.canonical import experiment_text, parse_experiment, self_contained
from engine.recording.plausible import implausible
from engine.session.session import Session
from engine.toml_text import read_toml
from tests.engine.line_networks import KINDS, compiled, text
from tests.engine.recording.recordings import assert_same_tensors, opened, record, replayed, verdict
from tests.engine.small_experiments import built_in


@pytest.mark.parametrize("store", ["full", "keyframes"])
@pytest.mark.parametrize("name", KINDS)
def test_replayed_to_the_bit(tmp_path, name, store):
    program = compiled(text(name, batch=7, epochs=2))  # 24 rows: the last batch has three
    path = tmp_path / "run.gradstep"
    record(path, program, store)
    assert verdict(path).good
    with opened(path) as recording:
        session, _ = replayed(recording)
        lived = Session(program)
        for event in (session.timeline.end, session.timeline.begin(3) + 2, 0, 5):
            session.goto(event)
            lived.goto(event)
            assert_same_tensors(lived, session)


def test_parameters_are_drawn_in_their_own_order(tmp_path):
    written = text("mlp", epochs=1).replace("W1", "zz").replace("b1", "a")
    experiment = compiled(written).experiment
    again = parse_experiment(experiment_text(experiment))
    assert list(again.parameters) == ["zz", "a", "W2", "b2"]
    assert experiment_text(again) == experiment_text(experiment)


def test_values_from_a_file_are_written_down(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("weights.npz", W=np.array([[0.1, 1 / 3, -2.0], [1.0, 2.0, 3.0]]))
    written = text("linear", epochs=1).replace(
        'W = { shape = ["K", "n"] }', 'W = { file = "weights.npz:W", shape = ["K", "n"] }'
    )
    program = compiled(written)
    record(tmp_path / "run.gradstep", program, "full")
    (tmp_path / "weights.npz").unlink()
    assert verdict(tmp_path / "run.gradstep").good
    value = self_contained(program).parameters["W"].value
    assert value == [[0.1, 1 / 3, -2.0], [1.0, 2.0, 3.0]]


def test_an_iteration_too_large_for_the_file_is_not_compiled():
    program = compiled(text("linear"))
    assert implausible(program.experiment, program.data, 10_000) == ""
    for old, new in (
        ("yhat = x @ W.T + b", "yhat = x @ W.T + b\nbig = zeros(4000, 4000) + yhat[0, 0]"),
        ('b = { shape = ["K"] }', 'b = { shape = ["K"] }\nc = { shape = [4000, 4000] }'),
    ):
        larger = parse_experiment(
            experiment_text(compiled(text("linear").replace(old, new)).experiment)
        )
        assert "which a file of 10,000 cannot hold" in implausible(larger, program.data, 10_000)


def test_a_forged_table_is_refused():
    experiment = experiment_text(compiled(text("linear")).experiment)
    with pytest.raises(GradstepError, match="parameters is no list of names and values"):
        parse_experiment(experiment.replace('"parameters":[[', '"parameters":[7,['))


@pytest.mark.parametrize("name", ["classes", "embedding", "sample", "sample-unfolded"])
def test_some_rows_change_no_size(name):
    """One class fewer among the rows, columns instead of rows: the sizes stay what they were."""
    program = compiled(text(name))
    fewer = one_batch(program)
    assert fewer.experiment.sizes == program.experiment.sizes
    assert [p.shape for p in fewer.parameters] == [p.shape for p in program.parameters]
    assert compile_program(program.experiment, program.data).experiment == program.experiment


@pytest.mark.parametrize("name", KINDS)
def test_as_toml_it_is_the_same_run(tmp_path, name):
    path = tmp_path / "run.gradstep"
    record(path, compiled(text(name, batch=7, epochs=2)), "keyframes")
    with opened(path) as recording:
        program = recording.program
        again = compiled(experiment_toml(program))
        # The data are written as the lines take them: [data] alone differs.
        experiment = msgspec.structs.replace(again.experiment, data=program.experiment.data)
        assert experiment_text(experiment) == experiment_text(program.experiment)
        a, b = Session(program), Session(again)
        for event in (a.timeline.begin(4), a.timeline.end):
            a.goto(event)
            b.goto(event)
            assert_same_tensors(a, b)


def test_as_toml_of_layers(tmp_path):
    program = built_in("iris")
    again = compiled(experiment_toml(program))
    np.testing.assert_array_equal(again.data.x, program.data.x)
    assert [op.formula for op in again.ops] == [op.formula for op in program.ops]
    assert all(same for same in map(np.array_equal, *map(initial, (program, again))))


def initial(program):
    return list(program.initial().values())


def test_any_text_is_toml():
    for one in ('a"b\\', "tab\tand\x7f", "line\nline", "'''\n", "\x01\n", "ünïcode 😀"):
        assert read_toml(f"{key(one)} = {value(one)}") == {one: one}
