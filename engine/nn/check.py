"""Whether the parts of a function agree: value, derivative, Jacobian, formulas, definition.

For whoever writes one. Everything is held against the value: derivatives by central differences,
(ℓ(x + h) − ℓ(x − h)) / 2h with h = 1e-6, formulas by evaluating their trees.
"""

from collections.abc import Callable, Iterator

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import columns
from engine.formulas.tree import Formula, Rows, Size, Symbol
from engine.functions.function import Activation, gradient, terms
from engine.jacobian.operator import Point
from engine.nn.layer import Layer
from engine.streams import stream

SYMBOLS = {"input": "z", "output": "a", "weight": "W", "bias": "b", "mask": "m"}
STEP, RELATIVE = 1e-6, 1e-5
EXACT = 1e-9
ROWS = 4


def check(layer: Layer, seed: int = 0) -> tuple[str, ...]:
    """Where the parts of a layer's function disagree, a line each; empty where they agree.

    They are tried on a random batch of four rows in float64. A function that reads a mask, such as
    dropout, is taken with the mask that keeps all.
    """
    return tuple(Check(layer, seed).problems())


class Check:
    """One layer at one random point: its tensors by role, and what is said of them."""

    def __init__(self, layer: Layer, seed: int) -> None:
        self.layer, self.function = layer, layer.function
        rng = stream(seed)
        shapes = {"input": (ROWS, layer.inputs), **layer.parameters}
        symbols = {role: SYMBOLS.get(role, role) for role in (*shapes, "output", "mask")}
        self.terms = terms(symbols)
        self.given: dict[str, Array] = {
            role: rng.normal(size=shape) * 1.5 for role, shape in shapes.items()
        }
        self.given["output"] = self.forward({})
        self.given["mask"] = np.ones_like(self.given["output"])
        self.grad = rng.normal(size=self.given["output"].shape)

    def forward(self, moved: dict[str, Array]) -> Array:
        """The output with some operands replaced."""
        return self.layer.forward(*((self.given | moved)[role] for role in self.layer.reads))

    def problems(self) -> Iterator[str]:
        """Everything that disagrees."""
        formula = self.function.formula(self.terms)
        yield from self.compared("the formula", self.value_of(formula), self.given["output"])
        for vjp in self.function.vjps(self.terms):
            pulled = vjp.pull(self.grad, *(self.given[role] for role in vjp.reads))
            found, of = self.differences(vjp.wrt), f"∂ℓ/∂{vjp.wrt}"
            yield from self.compared(f"{of} by pull", pulled, found, RELATIVE)
            yield from self.compared(f"the formula of {of}", self.value_of(vjp.formula), pulled)
            jacobian = self.function.jacobian(vjp.wrt, self.point())
            product = jacobian.vjp(self.grad)
            yield from self.compared(f"{of} by the Jacobian", product, pulled)
        yield from self.of_one_sample(formula)
        if isinstance(self.function, Activation):
            yield from self.defined(self.function)

    def point(self) -> Point:
        """The point at which the Jacobian is taken, of the whole batch."""
        read: Callable[[str], Array] = self.given.__getitem__
        return Point(ROWS, np.dtype(np.float64), read, lambda role: self.given[role].shape)

    def differences(self, wrt: str) -> Array:
        """The gradient of Σ grad ⊙ output by a role, element by element."""
        at = self.given[wrt]
        out = np.empty_like(at)
        for index in np.ndindex(at.shape):
            ends = []
            for sign in (1, -1):
                moved = at.copy()
                moved[index] += sign * STEP
                ends.append(float(np.sum(self.grad * self.forward({wrt: moved}))))
            out[index] = (ends[0] - ends[1]) / (2 * STEP)
        return out

    def value_of(self, formula: Formula) -> Array:
        """A formula of the batch evaluated."""
        named = {term.text(): np.atleast_2d(self.given[role]) for role, term in self.named()}
        return formula.value(Rows({**named, gradient(self.terms["output"]).text(): self.grad}))

    def named(self) -> Iterator[tuple[str, Formula]]:
        """The roles that have a value, with their symbols."""
        return ((role, term) for role, term in self.terms.items() if role in self.given)

    def of_one_sample(self, formula: Formula) -> Iterator[str]:
        """The formula and the Jacobian of the first row, a column."""
        batched = ("input", "output", "mask")
        values: dict[str, Array] = {
            term.text(): self.given[role][:1].T if role in batched else column(self.given[role])
            for role, term in self.named()
        }
        size = Size("K")
        values[size.text()] = np.array([[float(self.layer.outputs)]])
        out = self.given["output"][:1].T
        yield from self.compared("the formula of one sample", columns(formula).value(values), out)
        matrix = self.function.derivative(self.terms, size).value(values)
        (back,) = (vjp for vjp in self.function.vjps(self.terms) if vjp.wrt == "input")
        reads = [self.given[r][:1] if r in batched else self.given[r] for r in back.reads]
        units = np.eye(self.layer.outputs)
        rows = np.vstack([back.pull(unit[None, :], *reads) for unit in units])
        yield from self.compared("the Jacobian of one sample", matrix, rows)

    def defined(self, function: Activation) -> Iterator[str]:
        """The definition of the function's name."""
        definition = function.definition(Symbol("z"))
        if definition is not None:
            value = definition.value(Rows({"z": self.given["input"]}))
            yield from self.compared("the definition", value, self.given["output"])

    def compared(
        self, what: str, found: Array, expected: Array, tolerance: float = EXACT
    ) -> Iterator[str]:
        """What to say of two arrays that should be equal; nothing where they are."""
        if found.size != expected.size:
            yield f"{what} has shape {found.shape}, not {expected.shape}"
            return
        apart = np.abs(found.reshape(expected.shape) - expected)
        allowed = tolerance * max(1.0, float(np.abs(expected).max(initial=0)))
        if not (apart <= allowed).all():  # NaN is a disagreement
            index = np.unravel_index(int(np.argmax(np.nan_to_num(apart, nan=np.inf))), apart.shape)
            place = ", ".join(str(int(i)) for i in index)
            here, there = found.reshape(expected.shape)[index], expected[index]
            yield f"{what} is {here:.6g} at [{place}], not {there:.6g}"


def column(parameter: Array) -> Array:
    """A parameter of one sample's formula: a vector stands as a column."""
    return parameter[:, None] if parameter.ndim == 1 else parameter
