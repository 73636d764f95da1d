"""The PyTorch script of a network of lines: the same losses, to the last digits."""

import numpy as np
import pytest

from engine.errors import GradstepError
from engine.pytorch.code import training_code
from engine.pytorch.line_script import Names
from tests.engine.line_networks import KINDS, compiled, text
from tests.engine.pytorch.scripts import printed, script


@pytest.mark.parametrize("name", KINDS)
def test_the_losses_of_ten_iterations(tmp_path, name):
    program = compiled(text(name, batch=10, epochs=4))  # batches of 10, 10 and 4 rows
    source, losses = script(tmp_path / "run.gradstep", program)
    assert len(losses) == 12
    np.testing.assert_allclose(printed(source), losses, rtol=1e-12, atol=1e-12)


MORE = """
q = where(x > 0.5, x, 0.1*x)
r = maximum(minimum(x, 1.0), -0.5) + clip(x, -1.0, 0.25)
s = concat(q, r, axis=1) @ W
t = stack(s, 2*s, axis=1)
u = sum(transpose(t, 1, 0, 2)[1], axis=0)
v = logsumexp(s, axis=1) + norm(s, axis=1) + std(s, axis=1, correction=1) + prod(s, axis=1)
w = pad(s, 1)[:, 1:] + log_softmax(s, axis=0)[0, 0]
z = repeat(s, 2, axis=1)/(2 + abs(repeat(s, 2, axis=1)))
d = s[0:3, 0] + softplus(s)[0:3, 1] + elu(s, alpha=0.5)[0:3, 2] + gelu(s)[0:3, 0]
k = -sum(s**2, axis=(0, 1), keepdims=True)
loss = mean(u) + mean(v) + mean(w**2) + mean(z) + mean(d) + sum(k)/100 + mse(s, y3)
"""


def test_every_function(tmp_path):
    written = text("linear", epochs=10, lr=0.01).replace(
        'W = { shape = ["K", "n"] }\nb = { shape = ["K"] }', "W = { shape = [6, 3], fan = 0 }"
    )
    written = written.replace("\nyhat = x @ W.T + b\nloss = mean((yhat - y)**2)\n", MORE)
    written = written.replace("mse(s, y3)", 'mse(s, x, reduction="batch_mean")')
    source, losses = script(tmp_path / "run.gradstep", compiled(written))
    np.testing.assert_allclose(printed(source), losses, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "more",
    [
        "momentum = 0.9\nnesterov = true\nweight_decay = 0.01\n",
        "[clip]\nnorm = 0.1\n",
        '[schedule]\ntype = "step"\nstep_size = 1\n',
    ],
)
def test_optimizer_schedule_and_clipping(tmp_path, more):
    program = compiled(text("recurrent", epochs=10, more=more))
    source, losses = script(tmp_path / "run.gradstep", program)
    np.testing.assert_allclose(printed(source), losses, rtol=1e-12, atol=1e-12)


def test_a_frozen_parameter_stays(tmp_path):
    program = compiled(text("linear", epochs=10).replace('["K"] }', '["K"], frozen = true }'))
    source, losses = script(tmp_path / "run.gradstep", program)
    assert 'frozen = {"b"}' in source
    np.testing.assert_allclose(printed(source), losses, rtol=1e-12, atol=1e-12)


def test_names_that_a_script_has_itself(tmp_path):
    written = text("linear", epochs=2).replace("yhat = x @ W.T + b", "k = x @ W.T\nyhat = k + b")
    written = written.replace("W", "np").replace("b = {", "rows = {").replace("k + b", "k + rows")
    program = compiled(written)
    names = Names(program)
    assert (names.of("np"), names.of("rows"), names.of("k")) == ("np_", "rows_", "k_")
    source, losses = script(tmp_path / "run.gradstep", program)
    np.testing.assert_allclose(printed(source), losses, rtol=1e-12, atol=1e-12)


def test_what_has_no_form_is_said(tmp_path):
    written = text("linear", epochs=2).replace("x @ W.T + b", "x[:, ::-1] @ W.T + b")
    with pytest.raises(GradstepError, match="negative step"):
        script(tmp_path / "run.gradstep", compiled(written))


def test_the_code_beside_the_program():
    code = [line.text for line in training_code(compiled(text("recurrent")))]
    assert "        h[-1] = torch.zeros((24, 6))" in code
    assert "        loss = torch.mean(((yhat - y) ** 2))" in code
    assert "trained = [Wx, Wh, Wy, b]" in code
