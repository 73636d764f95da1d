"""The check of a function that somebody writes: it finds each part that is wrong, and no other."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.arrays import Array
from engine.errors import ExperimentError
from engine.experiment.spec_tables import LAYER_SPECS, of_layer
from engine.formulas.batch import WHOLE, OverRows
from engine.formulas.named import Apply
from engine.formulas.tree import ONE, Add, Formula, Hadamard, Size, Square, Subtract, Unit
from engine.functions.elementwise.sigmoid import SIGMA, sigmoid
from engine.functions.elementwise.softplus import Softplus
from engine.functions.elementwise.tanh import Tanh
from engine.functions.function import gradient
from engine.functions.linear import Linear
from engine.jacobian.operator import Jacobian, Point
from engine.jacobian.structures import Diagonal
from engine.nn import LAYERS, Elementwise, Function, Layer, LayerRow, Terms, Vjp, check
from engine.nn.layer import Parameter
from engine.program.program import Program
from tests.engine.small_experiments import program

TANH = Tanh().named
SOFTPLUS = Softplus().named


class Mish(Elementwise):
    """z tanh(softplus(z)) (Misra 2019), as somebody would write it."""

    type = "mish"
    torch = "Mish"
    name = "Mish"

    def value(self, x: Array) -> Array:
        return x * np.tanh(np.logaddexp(x, 0))

    def pull(self, grad: Array, at: Array) -> Array:
        t = np.tanh(np.logaddexp(at, 0))
        return grad * (t + at * sigmoid(at) * (1 - t * t))

    def definition(self, z: Formula) -> Formula:
        return WHOLE.times(z, Apply(TANH, Apply(SOFTPLUS, z)))

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        hyperbolic = Apply(TANH, Apply(SOFTPLUS, z))
        inner = Hadamard(Hadamard(z, Apply(SIGMA, z)), Subtract(ONE, Square(hyperbolic)))
        return Add(hyperbolic, inner)


def mish(cls: type[Elementwise] = Mish) -> Layer:
    return Layer(cls(), 3, 3)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_layer_agrees_with_itself(kind: str, seed: int) -> None:
    row = LAYERS[kind]
    assert check(row(4, 2 if row.resizes else row.function.outputs(4)), seed) == ()


def test_a_new_one_that_is_right() -> None:
    assert check(mish()) == ()
    assert mish().formula({"input": "z", "output": "a"}) == "Mish(z)"
    assert Mish().named.definition == "Mish(z) = z tanh(softplus(z))"


class WrongPull(Mish):
    def pull(self, grad: Array, at: Array) -> Array:
        return grad * np.tanh(np.logaddexp(at, 0))


class WrongSlope(Mish):
    def slope(self, t: Terms) -> Formula:
        return Apply(TANH, t["input"])


class WrongDefinition(Mish):
    def definition(self, z: Formula) -> Formula:
        return WHOLE.times(z, Apply(SOFTPLUS, z))


class WrongJacobian(Mish):
    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        shape = at.shape("output")
        return Diagonal(shape, shape, at.dtype, lambda: np.ones_like(at.read("input")))


class WrongBias(Linear):
    def value(self, x: Array, weight: Array | None = None, bias: Array | None = None) -> Array:
        assert weight is not None
        assert bias is not None
        return x @ weight.T - bias


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (
            mish(WrongPull),
            [
                "∂ℓ/∂input by pull",
                "the formula of ∂ℓ/∂input",
                "the Jacobian of one sample",
            ],
        ),
        (mish(WrongSlope), ["the formula of ∂ℓ/∂input", "the Jacobian of one sample"]),
        (mish(WrongDefinition), ["the definition"]),
        (mish(WrongJacobian), ["∂ℓ/∂input by the Jacobian"]),
        (
            Layer(WrongBias(), 3, 2, {"weight": (2, 3), "bias": (2,)}),
            ["the formula", "∂ℓ/∂bias by pull", "the formula of one sample"],
        ),
    ],
    ids=["pull", "slope", "definition", "jacobian", "bias"],
)
def test_what_is_wrong_is_named(layer: Layer, expected: list[str]) -> None:
    assert [problem.partition(" is ")[0] for problem in check(layer)] == expected


class Shift(Function):
    """z + c, a parameter that a row of its own describes."""

    type = "shift"
    torch = "Shift"

    @property
    def operands(self) -> tuple[str, ...]:
        return ("input", "bias")

    def value(self, x: Array, bias: Array | None = None) -> Array:
        assert bias is not None
        return x + bias

    def formula(self, t: Terms) -> Formula:
        return Add(t["input"], t["bias"])

    def vjps(self, t: Terms) -> tuple[Vjp, ...]:
        g = gradient(t["output"])
        bias = Vjp("bias", (), lambda grad: np.add.reduce(grad, axis=0), OverRows(g))
        return bias, Vjp("input", (), lambda grad: grad, g)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        return Linear().jacobian(wrt, at)

    def derivative(self, t: Terms, size: Size) -> Formula:
        return Unit(size)


@pytest.fixture
def shift(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Program]:
    """Programs with a layer of a new kind, whose parameter begins as a whole number."""
    row = LayerRow(Shift, {"bias": Parameter("c", lambda inputs, outputs: (outputs,), 1)})
    monkeypatch.setitem(LAYERS, "shift", row)
    monkeypatch.setitem(LAYER_SPECS.makers, "shift", lambda: of_layer(row))

    def made(**fields: object) -> Program:
        linear = {"type": "linear", "out": 1}
        return program(layers=[{"type": "shift", **fields}, linear])

    return made


def test_a_parameter_begins_as_its_row_says(shift: Callable[..., Program]) -> None:
    made = shift()
    assert made.initial()["shift1.bias"].tolist() == [1.0, 1.0]
    assert made.tensors["shift1.bias"].symbol == "c⁽¹⁾"
    assert made.resolve("c1") == "shift1.bias"


def test_a_parameter_has_the_values_of_the_file(shift: Callable[..., Program]) -> None:
    assert shift(bias=[0.5, 2.0]).initial()["shift1.bias"].tolist() == [0.5, 2.0]
    with pytest.raises(ExperimentError, match=r"shift1 has bias \(3,\), but it takes \(2,\)"):
        shift(bias=[1.0, 2.0, 3.0])


def test_only_what_a_layer_has_can_be_frozen(shift: Callable[..., Program]) -> None:
    assert not [op for op in shift(frozen=["bias"]).ops if op.key == "update:shift1.bias"]
    with pytest.raises(ExperimentError, match=r"frozen.*bias"):
        shift(frozen=["nope"])
