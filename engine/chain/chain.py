"""The chain rule between any two tensors: a product of Jacobians, each with its tensors and sizes.

In a sequence of layers one path leads from a tensor to another, and a derivative is one product.
In a network of lines it is a sum over paths: :mod:`engine.chain.sums`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from engine.chain.primals import Primals
from engine.errors import GradstepError
from engine.jacobian.association import Association
from engine.jacobian.operator import Jacobian
from engine.jacobian.product import product
from engine.jacobian.structures import Identity, Zero
from engine.program.graph import Node
from engine.program.program import Program
from engine.wording import nearest


@dataclass(frozen=True, eq=False)
class Factor:
    """One Jacobian ``∂of/∂wrt`` of a chain, in numerator layout, with the names of both tensors.

    Over several paths, ``count``, it is a sum in brackets; ``expand`` makes its ``terms`` where
    they are not many.
    """

    symbol: str
    of: str
    wrt: str
    jacobian: Jacobian
    expand: Callable[[], tuple["Chain", ...]] | None = None
    count: int = 1

    @cached_property
    def terms(self) -> tuple["Chain", ...]:
        """The chains that it is a sum of; made where somebody looks at them."""
        return () if self.expand is None else self.expand()

    @property
    def dims(self) -> tuple[int, int]:
        """(rows, columns): the sizes of ``of`` and of ``wrt``."""
        return self.jacobian.dims

    @property
    def structure(self) -> str:
        """The sparsity structure of the Jacobian: ``diagonal``, ``kronecker`` …"""
        return self.jacobian.structure


@dataclass(frozen=True)
class Gap:
    """Something wrong with a chain after its factor number ``index``, counted from 0.

    ``kind``: ``dims`` (neighbours do not conform), ``names`` (the tensors of neighbours do not
    meet), ``twice`` (a factor has been counted before), ``end`` (the chain is about another pair).
    """

    kind: str
    index: int
    message: str


@dataclass(frozen=True, eq=False)
class Chain:
    """The factors of ``∂of/∂wrt`` from left to right; ``reason`` says why a derivative is zero.

    A sum of chains has them as ``paths``, and itself as its only factor. ``whole`` is the Jacobian
    over all paths where it is more than the product of the factors.
    """

    of: str
    wrt: str
    factors: tuple[Factor, ...]
    reason: str = ""
    paths: tuple["Chain", ...] = ()
    whole: Jacobian | None = None

    @property
    def sums(self) -> tuple[tuple[Factor | None, tuple["Chain", ...]], ...]:
        """What is a sum: of the whole, None, or of a factor in brackets; with its chains."""
        if self.paths:
            return ((None, self.paths),)
        return tuple((one, one.terms) for one in self.factors if one.expand is not None)

    @property
    def dims(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of every factor."""
        return tuple(factor.dims for factor in self.factors)

    def conforms(self) -> bool:
        """Whether the columns of every factor are as many as the rows of the next one."""
        return all(a[1] == b[0] for a, b in pairwise(self.dims))

    def gaps(self) -> list[Gap]:
        """Everything wrong with this chain; empty for one that is complete."""
        return [*self.bad_ends(), *self.bad_neighbours(), *self.repetitions()]

    def bad_ends(self) -> Iterator[Gap]:
        """A first or last factor that is about another tensor."""
        if not self.factors:
            yield Gap("end", 0, "no factor is left")
            return
        first, last = self.factors[0], self.factors[-1]
        if first.of != self.of:
            yield Gap("end", 0, f"begins with {first.symbol}, of {first.of} and not of {self.of}")
        if last.wrt != self.wrt:
            index = len(self.factors) - 1
            yield Gap("end", index, f"ends with {last.symbol}, by {last.wrt} and not by {self.wrt}")

    def bad_neighbours(self) -> Iterator[Gap]:
        """Neighbours that do not conform, or whose tensors do not meet."""
        for i, (a, b) in enumerate(pairwise(self.factors)):
            if a.dims[1] != b.dims[0]:
                sizes = f"({a.dims[0]}×{a.dims[1]})({b.dims[0]}×{b.dims[1]})"
                yield Gap("dims", i, f"{a.symbol} and {b.symbol} do not conform: {sizes}")
            if a.wrt != b.of:
                missing = f"∂({a.wrt})/∂({b.of})"
                yield Gap(
                    "names", i, f"{a.symbol} ends at {a.wrt}, but {b.symbol} begins at {b.of}: "
                    f"{missing} is not there"
                )  # fmt: skip

    def repetitions(self) -> Iterator[Gap]:
        """Factors that have been counted before."""
        seen: set[tuple[str, str]] = set()
        for i, factor in enumerate(self.factors):
            if (factor.of, factor.wrt) in seen:
                yield Gap("twice", i, f"{factor.symbol} is counted twice")
            seen.add((factor.of, factor.wrt))

    def jacobian(self) -> Jacobian:
        """The whole, or else the lazy product of the factors.

        Raises GradstepError where neighbours do not conform.
        """
        if self.whole is not None:
            return self.whole
        return product([factor.jacobian for factor in self.factors])

    def partial(self, symbols: Program, index: int) -> Factor:
        """The product of the factors up to number ``index``, counted from 0, from the left.

        ∂ℓ/∂ŷ, ∂ℓ/∂z₃, …, as reverse mode makes them, of which the last is the whole chain;
        ``symbols`` gives the symbols of the tensors.
        """
        wrt = self.factors[index].wrt
        symbol = f"∂{symbols.tensors[self.of].symbol}/∂{symbols.tensors[wrt].symbol}"
        factors = [one.jacobian for one in self.factors[: index + 1]]
        return Factor(symbol, self.of, wrt, product(factors))

    @cached_property
    def association(self) -> Association:
        """The order of multiplication with the fewest multiply-adds."""
        return Association([factor.jacobian.pattern for factor in self.factors])

    def order(self) -> str:
        """The cheapest order: ``cheapest order: (∂ℓ/∂ŷ ∂ŷ/∂z₃) ∂z₃/∂z₂``, or from which side."""
        return self.association.order([factor.symbol for factor in self.factors])

    def without(self, index: int) -> "Chain":
        """The same chain with one factor forgotten."""
        kept = self.factors[:index] + self.factors[index + 1 :]
        return replace(self, factors=kept, whole=None)

    def doubled(self, index: int) -> "Chain":
        """The same chain with one factor counted twice."""
        twice = self.factors[: index + 1] + self.factors[index:]
        return replace(self, factors=twice, whole=None)


def chain(primals: Primals, of: str, wrt: str) -> Chain:
    """The factors of ``∂of/∂wrt``; the shapes of all of them are known without values.

    Tensors are ``x``, ``y``, ``loss``, ``yhat``, ``LAYER.out``, ``LAYER.weight``, ``LAYER.bias``.
    Raises GradstepError for other names, and for derivatives by class indices.
    """
    program = primals.program
    of, wrt = tensor(program, of), tensor(program, wrt)
    if of == wrt:
        shape = primals.shape(of)
        return Chain(of, wrt, (factor(primals, of, wrt, Identity(shape, shape, primals.dtype)),))
    if program.tensors[wrt].role == "target" and program.data.y.ndim == 1:
        raise GradstepError("y holds class indices, and nothing has a derivative by these")
    reason = independent(program, of, wrt)
    if reason:
        zero = Zero(primals.shape(of), primals.shape(wrt), primals.dtype)
        return Chain(of, wrt, (factor(primals, of, wrt, zero),), reason)
    return Chain(of, wrt, tuple(factors(primals, of, wrt)))


def tensor(program: Program, name: str) -> str:
    """The own name of a tensor that can stand in a Jacobian; ``yhat`` is the last output.

    Raises GradstepError for an unknown name, and for gradients, masks and optimizer state.
    """
    known = program.resolve(name)
    info = program.tensors.get(known)
    roles = ("input", "target", "activation", "parameter", "constant", "loss")
    if info is not None and info.role in roles:
        return known
    allowed = [info.name for info in program.tensors.values() if info.role in roles] + ["yhat"]
    if info is not None and info.gradient_of is not None:
        first = f"{name} is a gradient, ∂ℓ/∂{program.tensors[info.gradient_of].symbol}"
        raise GradstepError(f"{first}: ask for --of loss --wrt {info.gradient_of}")
    if info is not None and info.role == "mask":
        raise GradstepError(f"{name} is drawn at random; {nearest('', allowed)}")
    if info is not None:
        raise GradstepError(f"{name} takes no part in forward; {nearest('', allowed)}")
    raise GradstepError(f"no tensor {name!r}; {nearest(name, allowed)}")


def stage(program: Program, name: str) -> int:
    """How far along the network a tensor is computed or enters: x at 0, the loss last."""
    info = program.tensors[name]
    if info.role == "input":
        return 0
    if info.role in ("loss", "target"):
        return len(program.network.nodes) + 1
    places = {node.name: i + 1 for i, node in enumerate(program.network.nodes)}
    return places[info.layer or ""]


def independent(program: Program, of: str, wrt: str) -> str:
    """Why one tensor does not depend on another one; empty when it does."""
    info, other = program.tensors[of], program.tensors[wrt]
    if info.role not in ("activation", "loss"):
        return f"{info.symbol} is given, not computed: it depends on no other tensor"
    if other.role == "target" and info.role != "loss":
        return f"{info.symbol} does not depend on y: only the loss reads it"
    if other.role == "loss" or stage(program, wrt) > stage(program, of):
        return f"{info.symbol} is computed before {other.symbol} comes in: the other way round?"
    return ""


def factors(primals: Primals, of: str, wrt: str) -> Iterator[Factor]:
    """The factors from the numerator back through the layers to the denominator, in this order.

    ``of`` depends on ``wrt``, and differs from it.
    """
    network, tensors = primals.program.network, primals.program.tensors
    if tensors[of].role == "loss":
        role = "y" if tensors[wrt].role == "target" else "yhat"
        by = wrt if role == "y" else network.output
        yield factor(primals, of, by, network.loss.jacobian(role, primals.loss_point()))
        of = by
    for node in reversed(network.nodes[: stage(primals.program, of)]):
        if of == wrt:
            return
        role = role_of(node, wrt)
        by = node.tensor(role)
        yield factor(primals, of, by, node.layer.jacobian(role, primals.layer_point(node)))
        if role != "input":
            return  # a parameter depends on nothing further back
        of = by


def role_of(node: Node, wrt: str) -> str:
    """The role in this layer to differentiate by: the wanted parameter, else the input."""
    return next((role for role in node.layer.parameters if node.tensor(role) == wrt), "input")


def factor(primals: Primals, of: str, wrt: str, jacobian: Jacobian) -> Factor:
    """The Jacobian of two tensors as a factor, with the symbol ``∂z₂/∂z₁``."""
    return Factor(f"∂{primals.symbol(of)}/∂{primals.symbol(wrt)}", of, wrt, jacobian)
