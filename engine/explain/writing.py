"""Elements as text: ``x[0,0]·W1[1,0]``, or with the values put in, ``0.5·(−1)``."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.explain.known import Slope, factors
from engine.explain.reading import AFTER
from engine.explain.sources import Element, fit, through
from engine.explain.values import Place, Values
from engine.formulas.symbols import subscript
from engine.formulas.tree import ATOM, POSTFIX, PRODUCT, SUM, Symbol, text_at
from engine.functions.function import Elementwise
from engine.lines import algebra
from engine.lines.elementwise import ABSOLUTE, WHERE, Activated, Comparison, Extreme, Pulled, Unary
from engine.lines.node import Call, Constant, Node, Tensor, formula, number, ordered

CLOSE = 1e-12  # relative: what is nearer is the same decimal, rounded to bits
BRIEF = 16  # characters of the formula of a slope, but for what it is a slope of
LONG = 32  # characters of a part beyond which it is called u₁, u₂ …
OF_ELEMENTS = (Unary, Slope, Comparison, Extreme)
PLAIN = (
    *(algebra.SUM, algebra.DIFFERENCE, algebra.NEGATIVE),
    *(algebra.PRODUCT, algebra.RATIO, algebra.POWER, WHERE),
)
Written = tuple[str, int]  # a text, and how tightly it holds together


def number_text(value: float) -> str:
    """A number with at most six significant digits and a minus sign of print."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value + 0.0:.6g}".replace("-", "−")  # −0 is 0 to a reader


def shown_whole(value: float) -> bool:
    """Whether the text of a number leaves out no more than its last bits."""
    return not np.isfinite(value) or bool(np.isclose(float(f"{value:.6g}"), value, CLOSE, 0))


def element_text(symbol: str, place: Place) -> str:
    """``z1[0,1]``; a single number by its symbol."""
    return f"{symbol}[{','.join(map(str, place))}]" if place else symbol


@dataclass(eq=False)
class Scene:
    """A tree with its values, the names of parts of it, and the divisors of its losses."""

    values: Values
    labels: dict[Node, str] = field(default_factory=dict)
    units: dict[Element, str] = field(default_factory=dict)

    def through(self, node: Node, place: Place) -> Element:
        """The element followed back to where it is made."""
        return (node, place) if node in self.labels else through(node, place, self.values)

    def factors(self, node: Node) -> Node | None:
        """A call as a product of better known ones, where it is one."""
        if not isinstance(node, Call) or node in self.labels:
            return None
        return factors(node, self.divisor(node))

    def divisor(self, node: Call) -> float:
        """What the reduction of a loss divides by; 1 for anything else."""
        loss = getattr(node.function, "loss", None)
        if loss is None:
            return 1.0
        yhat, y = (self.values(one) for one in node.operands)
        return float(loss.divisor(yhat, y))

    def unit(self, node: Node, place: Place) -> str:
        """The text of an element that is explained on its own."""
        if node in self.labels:
            return element_text(self.labels[node], place)
        if (node, place) not in self.units:
            text = element_text(text_at(formula(node), ATOM), place)
            if len(text) > LONG:
                text = f"u{subscript(1 + sum(t[0] == 'u' for t in self.units.values()))}"
            self.units[node, place] = text
        return self.units[node, place]


def operands(node: Call, place: Place) -> list[Element]:
    """The elements of the operands of a function of each element."""
    return [(one, fit(place, one.shape)) for one in node.operands]


def by_elements(node: Node) -> bool:
    """Whether a call is a function of each element alone that is written with its operands."""
    if not isinstance(node, Call):
        return False
    function = node.function
    if isinstance(function, Activated):
        return isinstance(function.function, Elementwise)
    return function in PLAIN or isinstance(function, OF_ELEMENTS)


@dataclass(frozen=True, eq=False)
class Writer:
    """Writes elements of a scene, with their values put in where ``numbers`` says so."""

    scene: Scene
    numbers: bool = False

    def at(self, element: Element, level: int) -> str:
        """An element in parentheses where its text holds together less than ``level``."""
        text, own = self.written(*element)
        return f"({text})" if own < level else text

    def written(self, node: Node, place: Place) -> Written:
        """An element, and how tightly its text holds together."""
        node, place = self.scene.through(node, place)
        if isinstance(node, Constant):
            return constant_text(node)
        if isinstance(node, Tensor):
            return self.valued(node, place, element_text(symbol_of(node), place))
        if (product := self.scene.factors(node)) is not None:
            return self.written(product, place)
        if isinstance(node, Call) and by_elements(node) and node not in self.scene.labels:
            return self.applied(node, operands(node, place))
        return self.valued(node, place, self.scene.unit(node, place))

    def valued(self, node: Node, place: Place, text: str) -> Written:
        """An element as its value where numbers are put in."""
        if not self.numbers:
            return text, ATOM
        value = self.scene.values.at(node, place)
        return number_text(value), SUM if value < 0 else ATOM

    def applied(self, node: Call, of: list[Element]) -> Written:
        """A function of each element with its operands."""
        match node.function:
            case algebra.SUM:
                return f"{self.at(of[0], SUM)} + {self.at(of[1], PRODUCT)}", SUM
            case algebra.DIFFERENCE:
                return f"{self.at(of[0], SUM)} − {self.at(of[1], PRODUCT)}", SUM
            case algebra.NEGATIVE:
                return f"−{self.at(of[0], PRODUCT)}", SUM
            case algebra.PRODUCT:
                return f"{self.at(of[0], PRODUCT)}·{self.at(of[1], PRODUCT)}", PRODUCT
            case algebra.RATIO:
                return f"{self.at(of[0], PRODUCT)}/{self.at(of[1], POSTFIX)}", PRODUCT
            case algebra.POWER:
                return self.raised(*of)
            case Comparison():
                sign = node.function.written
                return f"[{self.at(of[0], SUM)} {sign} {self.at(of[1], SUM)}]", ATOM
        if isinstance(node.function, Slope):
            return slope_text(node.function, self.at(of[0], ATOM))
        if node.function is ABSOLUTE:
            return f"|{self.at(of[0], SUM)}|", ATOM
        return f"{node.function.name}({', '.join(self.at(one, SUM) for one in of)})", ATOM

    def raised(self, base: Element, exponent: Element) -> Written:
        """A power; a root where the exponent is ½."""
        node = exponent[0]
        if isinstance(node, Constant) and node.value == 2:
            return f"{self.at(base, ATOM)}²", POSTFIX
        if isinstance(node, Constant) and node.value == 0.5:
            return f"√{self.at(base, ATOM)}", POSTFIX
        return f"{self.at(base, ATOM)}^{self.at(exponent, ATOM)}", POSTFIX


def slope_text(slope: Slope, of: str) -> Written:
    """The slope of an activation at an element as its formula, by its name where that is long."""
    if not brief(slope):
        return f"{slope.name}({of})", ATOM
    written = slope.formula(Symbol(of))
    return written.text(), written.precedence


def brief(slope: Slope) -> bool:
    """Whether the formula of a slope is written, and not its name."""
    return len(slope.formula(Symbol("z")).text()) <= BRIEF


def definitions(root: Node) -> Iterator[str]:
    """What the slopes of a tree are that are written by their names."""
    for node in ordered(root):
        if isinstance(node, Call) and isinstance(node.function, Pulled):
            function = node.function.function
            if isinstance(function, Elementwise) and not brief(slope := Slope(function)):
                letter = "a" if "output" in function.pulls else "z"
                yield f"{slope.name} = {slope.formula(Symbol(letter)).text()}"


def symbol_of(node: Tensor) -> str:
    """How a tensor is written."""
    return node.symbol.removesuffix(AFTER)


def constant_text(node: Constant) -> Written:
    """A number as it is written in a formula."""
    if node.below != 1 and node.above / node.below != node.value:
        return number_text(node.value), SUM if node.value < 0 else ATOM
    text = number(node).text() if np.isfinite(node.value) else number_text(node.value)
    if node.value < 0:
        return text, SUM
    return text, ATOM if node.below == 1 else PRODUCT
