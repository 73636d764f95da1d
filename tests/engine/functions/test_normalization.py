"""Normalizations against PyTorch, and their derivatives against central differences."""

import numpy as np
import pytest

from engine.functions.batch_norm import (
    batch_norm,
    batch_norm_eval,
    batch_norm_eval_jvp_gamma,
    batch_norm_eval_vjp_gamma,
    batch_norm_eval_vjp_x,
    batch_norm_jvp_gamma,
    batch_norm_jvp_x,
    batch_norm_shape,
    batch_norm_vjp_beta,
    batch_norm_vjp_gamma,
    batch_norm_vjp_x,
    running_statistics,
)
from engine.functions.normalization import (
    group_norm,
    group_norm_jvp_gamma,
    group_norm_jvp_x,
    group_norm_shape,
    group_norm_vjp_beta,
    group_norm_vjp_gamma,
    group_norm_vjp_x,
    layer_norm,
    layer_norm_jvp_gamma,
    layer_norm_jvp_x,
    layer_norm_shape,
    layer_norm_vjp_beta,
    layer_norm_vjp_gamma,
    layer_norm_vjp_x,
)
from tests.engine.functions.second_opinion import along, close, near, normal, torch_gradients

# no axis of two: where these are nearly equal, x̂ is only known to fewer digits
SHAPES = [(6, 4), (3, 4, 5), (2, 4, 3, 5), (2, 4, 3, 2, 3)]
EPS = [1e-5, 0.1]
GIVEN = [(True, True), (True, False), (False, True), (False, False)]


def parameters(given, *shape):
    """γ and β, or None for what is not given."""
    return [normal(*shape, seed=11 + i) if there else None for i, there in enumerate(given)]


def operands(given, shape, *parameter):
    """An input whose mean is not 0, and γ and β, or None for what is not given."""
    made = [normal(*parameter, seed=11 + i) if there else None for i, there in enumerate(given)]
    return normal(*shape) * 2 + 3, *made


def agree(ours, theirs):
    """Hold gradients by x, γ and β against PyTorch's, which are None for what is not given."""
    for mine, other in zip(ours, theirs, strict=True):
        if other is not None:
            close(mine, other)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_is_that_of_torch(shape, eps, given):
    x, gamma, beta = operands(given, shape, 4)
    value, g, found = torch_gradients(
        lambda f, x, w, b: f.batch_norm(x, None, None, w, b, training=True, eps=eps),
        (x, gamma, beta),
    )
    close(batch_norm(x, gamma, beta, eps), value)
    ours = batch_norm_vjp_x(g, x, gamma, eps), batch_norm_vjp_gamma(g, x, eps)
    agree((*ours, batch_norm_vjp_beta(g)), found)


@pytest.mark.parametrize("momentum", [0.1, 0.75])
@pytest.mark.parametrize("shape", SHAPES)
def test_running_statistics_are_those_of_torch(shape, momentum):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    x, mean, var = normal(*shape) + 3, normal(4, seed=1), normal(4, seed=2) ** 2
    before = mean.copy(), var.copy()
    theirs = torch.tensor(mean), torch.tensor(var)
    torch.nn.functional.batch_norm(torch.tensor(x), *theirs, training=True, momentum=momentum)
    ours = running_statistics(x, mean, var, momentum)
    agree(ours, [array.numpy() for array in theirs])
    np.testing.assert_array_equal((mean, var), before)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_in_evaluation_is_that_of_torch(shape, eps, given):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    x, gamma, beta = operands(given, shape, 4)
    mean, var = normal(4, seed=1), normal(4, seed=2) ** 2
    known = torch.tensor(mean), torch.tensor(var)
    value, g, found = torch_gradients(
        lambda f, x, w, b: f.batch_norm(x, *known, w, b, training=False, eps=eps),
        (x, gamma, beta),
    )
    close(batch_norm_eval(x, mean, var, gamma, beta, eps), value)
    by_x = batch_norm_eval_vjp_x(g, var, gamma, eps)
    by_gamma = batch_norm_eval_vjp_gamma(g, x, mean, var, eps)
    agree((by_x, by_gamma, batch_norm_vjp_beta(g)), found)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_norm_is_that_of_torch(shape, axes, eps, given):
    x, gamma, beta = operands(given, shape, *shape[-axes:])
    value, g, found = torch_gradients(
        lambda f, x, w, b: f.layer_norm(x, shape[-axes:], w, b, eps), (x, gamma, beta)
    )
    close(layer_norm(x, axes, gamma, beta, eps), value)
    ours = layer_norm_vjp_x(g, x, axes, gamma, eps), layer_norm_vjp_gamma(g, x, axes, eps)
    agree((*ours, layer_norm_vjp_beta(g, axes)), found)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_group_norm_is_that_of_torch(shape, groups, eps, given):
    x, gamma, beta = operands(given, shape, 4)
    # PyTorch 2.13 has no backward for a bias without a weight; a weight of ones is the same
    weight = np.ones(4) if given == (False, True) else gamma
    value, g, found = torch_gradients(
        lambda f, x, w, b: f.group_norm(x, groups, w, b, eps), (x, weight, beta)
    )
    close(group_norm(x, groups, gamma, beta, eps), value)
    ours = group_norm_vjp_x(g, x, groups, gamma, eps), group_norm_vjp_gamma(g, x, groups, eps)
    agree((*ours, group_norm_vjp_beta(g)), found)


MEAN, VAR = normal(4, seed=1), normal(4, seed=2) ** 2
# value, derivatives along tangents of x and γ, their adjoints; the shape of γ for (3, 4, 5)
FORWARD = {
    "batch": (
        lambda x, w, b: batch_norm(x, w, b, 0.1),
        lambda t, x, w: batch_norm_jvp_x(t, x, w, 0.1),
        lambda t, x: batch_norm_jvp_gamma(t, x, 0.1),
        lambda g, x, w: batch_norm_vjp_x(g, x, w, 0.1),
        lambda g, x: batch_norm_vjp_gamma(g, x, 0.1),
        (4,),
    ),
    "evaluation": (
        lambda x, w, b: batch_norm_eval(x, MEAN, VAR, w, b, 0.1),
        lambda t, x, w: batch_norm_eval_vjp_x(t, VAR, w, 0.1),
        lambda t, x: batch_norm_eval_jvp_gamma(t, x, MEAN, VAR, 0.1),
        lambda g, x, w: batch_norm_eval_vjp_x(g, VAR, w, 0.1),
        lambda g, x: batch_norm_eval_vjp_gamma(g, x, MEAN, VAR, 0.1),
        (4,),
    ),
    "layer": (
        lambda x, w, b: layer_norm(x, 2, w, b, 0.1),
        lambda t, x, w: layer_norm_jvp_x(t, x, 2, w, 0.1),
        lambda t, x: layer_norm_jvp_gamma(t, x, 2, 0.1),
        lambda g, x, w: layer_norm_vjp_x(g, x, 2, w, 0.1),
        lambda g, x: layer_norm_vjp_gamma(g, x, 2, 0.1),
        (4, 5),
    ),
    "group": (
        lambda x, w, b: group_norm(x, 2, w, b, 0.1),
        lambda t, x, w: group_norm_jvp_x(t, x, 2, w, 0.1),
        lambda t, x: group_norm_jvp_gamma(t, x, 2, 0.1),
        lambda g, x, w: group_norm_vjp_x(g, x, 2, w, 0.1),
        lambda g, x: group_norm_vjp_gamma(g, x, 2, 0.1),
        (4,),
    ),
}


@pytest.mark.parametrize("with_gamma", [True, False])
@pytest.mark.parametrize("name", FORWARD)
def test_the_derivative_along_a_tangent_of_the_input_is_a_central_difference(name, with_gamma):
    value, jvp_x, _, vjp_x, _, shape = FORWARD[name]
    x, gamma, beta = operands((with_gamma, True), (3, 4, 5), *shape)
    t, g = normal(3, 4, 5, seed=2), normal(3, 4, 5, seed=3)
    forward = jvp_x(t, x, gamma)
    near(forward, along(lambda a: value(a, gamma, beta), x, t))
    near(np.sum(vjp_x(g, x, gamma) * t), np.sum(g * forward))


@pytest.mark.parametrize("name", FORWARD)
def test_the_derivative_along_a_tangent_of_gamma_is_a_central_difference(name):
    value, _, jvp_gamma, _, vjp_gamma, shape = FORWARD[name]
    x, gamma, beta = operands((True, True), (3, 4, 5), *shape)
    t, g = normal(*shape, seed=2), normal(3, 4, 5, seed=3)
    forward = jvp_gamma(t, x)
    near(forward, along(lambda a: value(x, a, beta), gamma, t))
    near(np.sum(vjp_gamma(g, x) * t), np.sum(g * forward))


@pytest.mark.parametrize("name", FORWARD)
def test_the_derivative_along_a_tangent_of_the_input_is_that_of_torch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    functional = torch.nn.functional
    x, gamma, beta = operands((True, True), (3, 4, 5), *FORWARD[name][-1])
    t = normal(3, 4, 5, seed=2)
    w, b, mean, var = (torch.tensor(a) for a in (gamma, beta, MEAN, VAR))
    theirs = {
        "batch": lambda x: functional.batch_norm(x, None, None, w, b, training=True, eps=0.1),
        "evaluation": lambda x: functional.batch_norm(x, mean, var, w, b, eps=0.1),
        "layer": lambda x: functional.layer_norm(x, (4, 5), w, b, 0.1),
        "group": lambda x: functional.group_norm(x, 2, w, b, 0.1),
    }
    _, forward = torch.autograd.functional.jvp(theirs[name], torch.tensor(x), torch.tensor(t))
    close(FORWARD[name][1](t, x, gamma), forward.numpy())


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_kept_and_the_input_too(name, dtype, monkeypatch):
    value, jvp_x, jvp_gamma, vjp_x, vjp_gamma, shape = FORWARD[name]
    for statistic in ("MEAN", "VAR"):
        monkeypatch.setitem(globals(), statistic, globals()[statistic].astype(dtype))
    x, gamma, beta = (a.astype(dtype) for a in operands((True, True), (3, 4, 5), *shape))
    before = x.copy()
    made = [
        value(x, gamma, beta),
        jvp_x(x, x, gamma),
        jvp_gamma(gamma, x),
        vjp_x(x, x, gamma),
        vjp_gamma(x, x),
        *running_statistics(x, MEAN, VAR),
    ]
    assert {str(array.dtype) for array in made} == {dtype}
    np.testing.assert_array_equal(x, before)


def test_a_channel_without_variance_becomes_beta():
    x = np.full((4, 2), 7.0)
    np.testing.assert_array_equal(batch_norm(x, None, np.array([1.0, 2.0])), [[1, 2]] * 4)
    np.testing.assert_array_equal(layer_norm(x, 1, None, None), np.zeros((4, 2)))


@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 1, 1)])
def test_a_single_value_a_channel_is_refused_as_in_torch_and_not_in_evaluation(shape):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    x = normal(*shape)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        torch.nn.functional.batch_norm(torch.tensor(x), None, None, training=True)
    with pytest.raises(ValueError, match=r"has 1 values a channel .* a batch of 2 or more"):
        batch_norm(x, None, None)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        torch.nn.functional.group_norm(torch.tensor(x), 4)
    with pytest.raises(ValueError, match="fewer groups would fit"):
        group_norm(x, 4, None, None)
    assert batch_norm_eval(x, MEAN, VAR, None, None).shape == shape


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (lambda: batch_norm_shape((3,), None, None), r"\(3,\): \(N, C\) or"),
        (lambda: batch_norm_shape((3, 4), (3,), None), r"gamma \(3,\) .* the shape \(4,\) would"),
        (lambda: batch_norm_shape((3, 4, 2), None, (4, 1)), r"beta \(4, 1\) does not fit"),
        (lambda: batch_norm_shape((1, 4), None, None, (4,), (5,)), r"var \(5,\) does not fit"),
        (lambda: layer_norm_shape((3, 4), 1, (3,), None), r"the shape \(4,\) would"),
        (lambda: layer_norm_shape((3, 4), 2, (3, 4), (4,)), r"the shape \(3, 4\) would"),
        (lambda: layer_norm_shape((3, 4), 3, None, None), "1 to 2 axes would"),
        (lambda: group_norm_shape((3, 4), 3, None, None), "multiple of the groups"),
        (lambda: group_norm_shape((3, 4), 2, (2,), None), r"the shape \(4,\) would"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(refused, said):
    with pytest.raises(ValueError, match=said):
        refused()
