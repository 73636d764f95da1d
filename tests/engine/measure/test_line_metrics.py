"""Metrics of networks of lines, against the numbers written out in NumPy."""

import numpy as np
import pytest

from engine.measure.costs import layer_costs
from engine.measure.metrics import confusion, evaluate
from engine.measure.regions import has_regions
from engine.measure.series import has_accuracy
from engine.program import line_pass
from tests.engine.line_networks import compiled, text


def test_numbers():
    program = compiled(text("linear", batch=7))
    start = program.initial()
    yhat = program.data.x @ start["W"].T + start["b"]
    found = evaluate(program, start)
    assert found["loss"] == pytest.approx(np.mean((yhat - program.data.y) ** 2))
    assert found["mae"] == pytest.approx(np.mean(np.abs(yhat - program.data.y)))
    some = evaluate(program, start, np.array([3, 1, 4]))
    assert some["loss"] == pytest.approx(np.mean((yhat - program.data.y)[[3, 1, 4]] ** 2))


@pytest.mark.parametrize("name", ["classes", "classes-table", "embedding"])
def test_classes(name):
    program = compiled(text(name, batch=7))
    found, table = evaluate(program, program.initial()), confusion(program, program.initial())
    assert table.sum() == 24
    assert found["accuracy"] == pytest.approx(np.trace(table) / 24)
    assert has_accuracy(program)


def test_columns_of_a_sample_are_rows_of_the_batch():
    program = compiled(text("sample", batch=7))
    start = program.initial()
    z = program.data.x[..., 0] @ start["W1"].T + start["b1"][:, 0]
    yhat = 2 * np.tanh(z) @ start["W2"].T + start["b2"][:, 0]
    found = evaluate(program, start)
    assert found["loss"] == pytest.approx(np.sum((yhat - program.data.y[..., 0]) ** 2, 1).mean())
    assert found["mae"] == pytest.approx(np.mean(np.abs(yhat - program.data.y[..., 0])))


def test_a_loss_without_an_answer_has_no_accuracy():
    program = compiled(text("autoencoder"))
    assert set(evaluate(program, program.initial())) == {"loss"}
    assert not has_accuracy(program)
    assert not has_regions(program)


def test_rows_set_aside():
    program = compiled(text("classes").replace("[parameters]", "validation = 0.25\n[parameters]"))
    aside = program.data.validation
    found = evaluate(program, program.initial(), data=aside)
    assert len(aside) == 6
    assert 0 <= found["accuracy"] <= 1
    assert found["loss"] > 0


def test_in_pieces_it_is_the_mean_by_rows(monkeypatch):
    program = compiled(text("mlp", batch=7))
    whole = evaluate(program, program.initial())
    monkeypatch.setattr(line_pass, "MOST_BYTES", 0)
    assert evaluate(program, program.initial()) == pytest.approx(whole)


def test_a_size_that_is_written_in_the_lines():
    written = text("recurrent", batch=8).replace("zeros(N, 6)", "zeros(8, 6)")
    program = compiled(written)
    whole = evaluate(compiled(text("recurrent", batch=8)), program.initial())
    assert evaluate(program, program.initial())["loss"] == pytest.approx(whole["loss"])


def test_costs_of_lines():
    costs = {one.name: one for one in layer_costs(compiled(text("mlp")))}
    # x (24, 3) @ W1.T (3, 8), then (24, 8) @ (8, 2); backward W1 alone, then W2 and the input
    assert (costs["z1"].forward, costs["z1"].backward) == (24 * 3 * 8, 24 * 3 * 8)
    assert (costs["yhat"].forward, costs["yhat"].backward) == (24 * 8 * 2, 2 * 24 * 8 * 2)
    assert (costs["z1"].parameters, costs["yhat"].parameters) == (3 * 8 + 8, 8 * 2 + 2)
