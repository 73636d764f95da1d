"""Lines as trees: a tensor by its name, a number, a function of other nodes; each with its shape.

Nodes are interned: of equal ones there is one object. So a subexpression that occurs twice is
computed once, and "the same" is ``is``. A derivative is a tree of the same kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from weakref import WeakValueDictionary

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula, Number, Partial, Symbol
from engine.lines.writing import Applied, Name, Quotient

Kind = Literal["real", "whole", "truth"]
Options = tuple[tuple[str, Any], ...]


class Misfit(Exception):
    """Operands that a function does not take; the message names their shapes and what would fit."""


def misfit(shape: Callable[[], Shape]) -> Shape:
    """A shape; what a kernel says of operands that do not fit is a Misfit."""
    try:
        return shape()
    except ValueError as error:
        raise Misfit(str(error)) from None


@dataclass(frozen=True, eq=False)
class Node(ABC):
    """A value of this shape; ``kind`` is whether it holds real numbers, whole ones or truth."""

    shape: Shape
    kind: Kind

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)


@dataclass(frozen=True, eq=False)
class Tensor(Node):
    """A tensor by its name, written as ``symbol``."""

    name: str
    symbol: str


@dataclass(frozen=True, eq=False)
class Constant(Node):
    """A number, shape (); ``above`` / ``below`` where it is a fraction of whole numbers."""

    value: float
    above: float
    below: float


@dataclass(frozen=True, eq=False)
class Call(Node):
    """A function of operands; ``options`` are what it takes beside them, by name."""

    function: "Primitive"
    operands: tuple[Node, ...]
    options: Options

    def option(self, name: str, default: Any = None) -> Any:
        """An option by its name."""
        return dict(self.options).get(name, default)


Shapes = Sequence[Shape]


class Primitive(ABC):
    """A function of arrays: shape, value, what flows back to each operand, and how it is written.

    ``value`` takes the operands as arrays and the options by name. ``name`` is its word in a line.
    """

    name: str
    # Whether the result is in each operand a linear map: its derivative along t is itself at t.
    linear: ClassVar[bool] = False
    # Whether it makes an array out of numbers alone, and has to be told of which dtype.
    makes: ClassVar[bool] = False
    # NumPy's own function that does the same without options.
    ufunc: ClassVar[Any] = None

    @abstractmethod
    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        """The shape of the result; raises Misfit."""

    def kind(self, operands: Sequence[Node]) -> Kind:
        """Whether the result holds real numbers, whole ones or truth."""
        return "real"

    @abstractmethod
    def value(self, *arrays: Array, **options: Any) -> Array:
        """The result, an array of the inferred shape."""

    def pull(self, node: Call, i: int, grad: Node) -> Node | None:
        """The gradient of operand ``i``, from that of the result; None where there is none.

        Its shape is the operand's, or broadcasts to it.
        """
        return None

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        """The derivative of the result along a tangent of operand ``i``."""
        if self.linear:
            operands = tuple(tangent if k == i else one for k, one in enumerate(node.operands))
            return call(self, operands, node.options)
        raise NotImplementedError(self.name)

    @abstractmethod
    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        """The call as a formula, from the operands as formulas."""

    def turned(self, node: Call) -> "Node | None":
        """The call with its last two axes swapped, where that is another call of functions."""
        return None

    def definition(self, node: Call) -> Node | None:
        """The call in functions that are better known, as a lecture has it; None for most."""
        return None

    def kinks(self, node: Call) -> Sequence[Node]:
        """What changes its sign where the derivative jumps; nothing where it is continuous."""
        return ()


_interned: WeakValueDictionary[Any, Node] = WeakValueDictionary()


def _intern(key: Any, node: Node) -> Any:
    return _interned.setdefault(key, node)


def tensor(name: str, shape: Shape, kind: Kind = "real", symbol: str | None = None) -> Tensor:
    """The tensor of a name; ``symbol`` is how it is written, the name itself by default."""
    own = name if symbol is None else symbol
    found: Tensor = _intern((name, shape, kind, own), Tensor(shape, kind, name, own))
    return found


def constant(value: float, above: float | None = None, below: float = 1) -> Constant:
    """A number; one that is a fraction is written so."""
    kind: Kind = "truth" if isinstance(value, bool) else "real"
    if isinstance(value, int) and not isinstance(value, bool):
        kind = "whole"
    top = value if above is None else above
    key = ("constant", type(value), repr(value), top, below)
    found: Constant = _intern(key, Constant((), kind, value, top, below))
    return found


def call(function: Primitive, operands: Sequence[Node], options: Options = ()) -> Call:
    """A function of operands with its shape inferred; raises Misfit where they do not fit."""
    operands = tuple(operands)
    key = (function, operands, options)
    known = _interned.get(key)
    if known is not None:
        assert isinstance(known, Call)
        return known
    shape = function.infer(operands, dict(options))
    made = Call(shape, function.kind(operands), function, operands, options)
    found: Call = _intern(key, made)
    return found


def ordered(*roots: Node) -> list[Node]:
    """Every node below these, each once, operands before what is made of them."""
    # Without recursion: an unrolled network is as deep as it is long.
    done: set[Node] = set()
    out: list[Node] = []
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready or not isinstance(node, Call):
            done.add(node)
            out.append(node)
            continue
        stack.append((node, True))
        stack.extend((one, False) for one in reversed(node.operands) if one not in done)
    return out


def tensors(*roots: Node) -> Iterator[Tensor]:
    """The tensors that these read, each once, in order."""
    return (node for node in ordered(*roots) if isinstance(node, Tensor))


def rebuilt(root: Node, replaced: Mapping[Node, Node]) -> Node:
    """The tree with some of its nodes replaced."""
    made: dict[Node, Node] = dict(replaced)
    for node in walk_replacing(root, replaced):
        if node not in made:
            if isinstance(node, Call):
                operands = tuple(made[one] for one in node.operands)
                made[node] = (
                    node
                    if operands == node.operands
                    else call(node.function, operands, node.options)
                )
            else:
                made[node] = node
    return made[root]


def walk_replacing(root: Node, replaced: Mapping[Node, Node]) -> list[Node]:
    """As :func:`ordered`, but not below what is replaced."""
    done: set[Node] = set()
    out: list[Node] = []
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready or not isinstance(node, Call) or node in replaced:
            done.add(node)
            out.append(node)
            continue
        stack.append((node, True))
        stack.extend((one, False) for one in reversed(node.operands) if one not in done)
    return out


GRADIENT = "∂ℓ/∂"  # how the symbol of a gradient begins


MAX_WRITTEN = 2000  # parts of a formula: an unrolled layer in one tree has millions


def formula(root: Node) -> Formula:
    """A tree as a formula; one of more parts than MAX_WRITTEN is a function of what it reads."""
    made: dict[Node, Formula] = {}
    parts: dict[Node, int] = {}
    for node in ordered(root):
        if isinstance(node, Call):
            parts[node] = 1 + sum(parts[one] for one in node.operands)
            if parts[node] > MAX_WRITTEN:
                parts[node], made[node] = 1, unwritten(node)
                continue
            made[node] = node.function.write(node, [made[one] for one in node.operands])
            continue
        parts[node] = 1
        if isinstance(node, Constant):
            made[node] = number(node)
        elif isinstance(node, Tensor):
            made[node] = symbol(node.symbol)
    return made[root]


def unwritten(node: Node) -> Formula:
    """f(x, W, …), for a tree that is too large to be written."""

    def refuse(*arrays: Array) -> Array:
        raise NotImplementedError("a formula that is not written has no value")

    read = tuple(symbol(one.symbol) for one in tensors(node))
    return Applied("f", read, (), refuse)


def number(node: Constant) -> Formula:
    """A number as it is written."""
    return Number(node.value) if node.below == 1 else Quotient(node.above, node.below)


def symbol(written: str) -> Formula:
    """A tensor's symbol as a formula; that of a gradient is a fraction."""
    if written.startswith(GRADIENT):
        return Partial("ℓ", written.removeprefix(GRADIENT))
    return Name(written) if len(written) > 1 else Symbol(written)


MAX_DESCRIBED = 40


def extent(root: Node) -> int:
    """The nodes of a tree as it is written: one that is used twice counts twice."""
    sizes: dict[Node, int] = {}
    for node in ordered(root):
        inner = node.operands if isinstance(node, Call) else ()
        sizes[node] = 1 + sum(sizes[one] for one in inner)
    return sizes[root]


def described(node: Node) -> str:
    """An operand for an error: how it is written, and its shape."""
    text = formula(node).text() if extent(node) <= MAX_DESCRIBED else ""
    short = text if 0 < len(text) <= MAX_DESCRIBED else "this part"
    return f"{short} has shape {node.shape}" if node.shape else f"{short} is a single number"
