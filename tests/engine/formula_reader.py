"""Reads a printed formula as a person does, and evaluates it: what is written is all it knows.

What stands side by side is multiplied, after Σ, log and the like too; in a ``matrix`` reading that
is the product of matrices. Values are numbers, vectors (K,) or matrices; an index picks an element.
"""

import math
import re
from collections.abc import Callable, Mapping

import numpy as np

Value = np.ndarray | float
Names = Mapping[str, Value]
Node = Callable[[Names], Value]

FUNCTIONS = (
    "log softmax|softmax|LeakyReLU|ThReLU|SiLU|SELU|CELU|GELU|ELU|softplus|softsign|hardtanh|hardσ"
    "|HardSwish|Mish|left|right|tanh|exp|log|sign|clip|onehot|huber|smoothL1|diag|σ|Φ|φ"
)
TOKEN = re.compile(
    rf"(?:{FUNCTIONS})(?:\[(?:[\d.½−, ]+|tanh)\](?=\())?|∂ℓ/∂[a-zŷ]|if|and|else|random|w⁺|Σ[ᵢⱼₙ]?"
    r"|[xyqazmuwdWbKNI]|ŷ|[ij](?= [=])|[ᵢⱼₙ²³⁺ᵀ]|½|\d+(?:\.\d+)?(?:e−?\d+)?|\S"
)
NAME = re.compile(FUNCTIONS)
FOLLOWS = re.compile(rf"(?:{FUNCTIONS})|∂|w⁺|Σ|[xyqazmuwdWbKNIŷ(\[|‖½√π\d]")
COMPARE = {">": np.greater, "≤": np.less_equal, "<": np.less, "≥": np.greater_equal}


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum()


def phi(z: np.ndarray) -> np.ndarray:
    return np.vectorize(math.erf)(z / np.sqrt(2)) / 2 + 0.5


def called(name: str, settings: list[float], z: np.ndarray) -> Value:
    """A function by its name and the numbers in brackets after it, by default 1."""
    setting = settings[0] if settings else {"LeakyReLU": 0.01}.get(name, 1.0)
    match name:
        case "LeakyReLU":
            return np.where(z > 0, z, setting * z)
        case "ELU":
            return np.where(z > 0, z, setting * (np.exp(z) - 1))
        case "softplus":
            threshold = settings[1] if len(settings) > 1 else 20.0
            smooth = np.log(1 + np.exp(setting * z)) / setting
            return np.where(setting * z > threshold, z, smooth)
        case "Φ":
            return phi(z)
        case "φ":
            return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        case "σ":
            return 1 / (1 + np.exp(-z))
        case "softmax":
            return softmax(z)
        case "log softmax":
            return np.log(softmax(z))
        case "left" | "right":
            column = z.reshape(-1)
            half = column[: len(column) // 2] if name == "left" else column[len(column) // 2 :]
            return half if z.ndim == 1 else half[:, None]
        case "diag":
            return np.diag(np.ravel(z))
    if name in ("exp", "log", "tanh", "sign"):
        return getattr(np, name)(z)
    if name in ("huber", "smoothL1"):
        return of_difference(name, settings, z)
    return of_pieces(name, settings, z)


def of_pieces(name: str, settings: list[float], z: np.ndarray) -> Value:
    """The less usual activations, by name and settings as in :func:`called`."""
    setting = settings[0] if settings else 1.0
    match name:
        case "ThReLU":
            return np.where(z > setting, z, 0.0)
        case "hardtanh":
            low, high = settings or (-1.0, 1.0)
            return np.clip(z, low, high)
        case "hardσ":
            return np.clip(z + 3, 0, 6) / 6
        case "HardSwish":
            return z * np.clip(z + 3, 0, 6) / 6
        case "SELU":
            below = 1.6732632423543772 * (np.exp(z) - 1)
            return 1.0507009873554805 * np.where(z > 0, z, below)
        case "CELU":
            return np.where(z > 0, z, setting * (np.exp(z / setting) - 1))
        case "softsign":
            return z / (1 + abs(z))
        case "SiLU":
            return z / (1 + np.exp(-z))
        case "GELU":
            return z * phi(z)
        case "Mish":
            return z * np.tanh(np.log(1 + np.exp(z)))
        case "GELU by tanh":
            return z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    raise AssertionError(name)


def of_difference(name: str, settings: list[float], d: np.ndarray) -> Value:
    """huber and smoothL1, whose setting is by default 1."""
    setting = settings[0] if settings else 1.0
    near, far = d**2 / 2, setting * (abs(d) - setting / 2)
    return np.where(abs(d) < setting, near, far) / (setting if name == "smoothL1" else 1)


def picked(vector: Value, index: Value) -> Value:
    """An element; of a class that there is not 0, which an ignored row is multiplied with."""
    row, rows = int(index), np.asarray(vector)
    return rows[row] if 0 <= row < len(rows) else 0.0


def matrix_product(left: Value, right: Value) -> Value:
    """The product of two matrices, or of a number and a matrix."""
    scalar = np.ndim(left) == 0 or np.ndim(right) == 0
    return left * right if scalar else np.asarray(left) @ np.asarray(right)


class Reader:
    """Parses one text to a function of the values of its names."""

    def __init__(self, text: str, matrix: bool = False) -> None:
        self.tokens, self.at, self.matrix = TOKEN.findall(text), 0, matrix

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.next
        assert expected in ("", token), (expected, self.tokens, self.at)
        self.at += 1
        return token

    def whole(self) -> Node:
        found = self.rule()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return found

    def rule(self) -> Node:
        """``A if condition and condition, B if condition, else C``, or a sum."""
        first, cases = self.sum(), []
        while self.next == "if":
            self.take()
            conditions = [self.condition()]
            while self.next == "and":
                self.take()
                conditions.append(self.condition())
            cases.append((first, conditions))
            if self.next == ",":
                self.take(",")
            if self.next == "else":
                self.take()
                return self.cases(cases, self.sum())
            first = self.sum()
        return first

    def cases(self, cases: list[tuple[Node, list[Node]]], otherwise: Node) -> Node:
        def value(names: Names) -> Value:
            out = otherwise(names)
            for then, conditions in reversed(cases):
                holds = np.all([condition(names) for condition in conditions], axis=0)
                out = np.where(holds, then(names), out)
            return out

        return value

    def condition(self) -> Node:
        if self.next in ("i", "j"):
            left = self.take()
            self.take("=")
            if self.next in ("i", "j"):
                right = self.take()
                return lambda names: float(names[left] == names[right])
            index = self.sum()
            return lambda names: float(names[left] == index(names))
        above = self.sum()
        if self.next == "≠":
            self.take()
            below = self.sum()
            return lambda names: float(above(names) != below(names))
        sign = self.take()
        below = self.sum()
        if self.next != "<":
            return lambda names: COMPARE[sign](above(names), below(names))
        self.take()
        end = self.sum()  # −3 < z < 3
        return lambda names: (above(names) < below(names)) & (below(names) < end(names))

    def sum(self) -> Node:
        value = self.product()
        while self.next in ("+", "−"):
            value = self.added(value, self.take(), self.product())
        return value

    def added(self, left: Node, sign: str, right: Node) -> Node:
        factor = 1 if sign == "+" else -1
        return lambda names: left(names) + factor * right(names)

    def product(self) -> Node:
        value = self.factor()
        while FOLLOWS.match(self.next) or self.next in ("/", "⊙"):
            # a | that closes, or the bracket of a pick, is no factor
            if self.next in ("|", "‖") and self.inside == self.next:
                break
            sign = self.take() if self.next in ("/", "⊙") else ""
            value = self.multiplied(value, sign, self.factor())
        return value

    inside = ""

    def multiplied(self, left: Node, sign: str, right: Node) -> Node:
        if sign == "/":
            return lambda names: left(names) / right(names)
        if sign == "" and self.matrix:
            return lambda names: matrix_product(left(names), right(names))
        return lambda names: left(names) * right(names)

    def factor(self) -> Node:
        token = self.take()
        if token == "−":
            inner = self.product()
            return lambda names: -inner(names)
        if token in ("Σᵢ", "Σⱼ"):
            return self.total(token, self.product())
        if token == "Σₙ":
            rows = self.factor()
            return lambda names: np.sum(rows(names), axis=0)
        if token == "Σ":
            return self.product()  # over the rows, which whoever asks adds up
        if NAME.match(token):
            return self.postfixed(self.function(token))
        if token in ("(", "["):
            return self.postfixed(self.bracketed(token))
        if token in ("|", "‖"):
            before, self.inside = self.inside, token
            inner = self.sum()
            self.inside = before
            self.take(token)
            if token == "|":
                return lambda names: np.abs(inner(names))
            return self.postfixed(lambda names: np.sqrt(np.sum(np.asarray(inner(names)) ** 2)))
        if token == "√":
            radicand = self.factor()
            return lambda names: np.sqrt(radicand(names))
        if token in ("½", "π"):
            return lambda names: 0.5 if token == "½" else math.pi
        if token[0].isdigit():
            number = float(token.replace("−", "-"))
            return lambda names: number
        return self.postfixed(lambda names: names[token])

    def bracketed(self, opening: str) -> Node:
        """What stands in parentheses, or in brackets: a branch, a condition, or a sum."""
        before, self.inside = self.inside, ""
        signs = self.signs()
        compared = not signs.isdisjoint(("=", "≠", ">", "<", "≤", "≥"))
        inner = self.condition() if compared and "if" not in signs else self.rule()
        if self.next == ",":
            self.take()
            inner = self.joined(inner, self.rule())
        self.take(")" if opening == "(" else "]")
        self.inside = before
        return inner

    def joined(self, left: Node, right: Node) -> Node:
        """(left, right): rows one behind the other, matrices side by side."""
        return lambda names: np.concatenate([left(names), right(names)], axis=-1)

    def signs(self) -> set[str]:
        """The tokens from here to the closing bracket, without those in brackets of their own."""
        found, depth = set(), 0
        for token in self.tokens[self.at :]:
            depth += (token in ("(", "[")) - (token in (")", "]"))
            if depth < 0:
                break
            if depth == 0:
                found.add(token)
        return found

    def total(self, token: str, inner: Node) -> Node:
        index = {"Σᵢ": "i", "Σⱼ": "j"}[token]

        def value(names: Names) -> Value:
            size = int(names["K"])
            return sum(inner({**names, index: float(i)}) for i in range(size))

        return value

    def function(self, token: str) -> Node:
        name = NAME.match(token)[0]
        given = token[len(name) :].strip("[]").replace("½", "0.5").replace("−", "-")
        if given == "tanh":
            name, given = "GELU by tanh", ""
        settings = [float(part) for part in given.split(", ") if part]
        if self.next == "(":
            self.take()
            inner = self.rule()
            if name == "clip":  # clip(ŷ − y, ±1)
                self.take(",")
                self.take("±")
                bound = self.factor()
                self.take(")")
                return lambda names: np.clip(inner(names), -bound(names), bound(names))
            self.take(")")
        else:
            inner = self.factor()
        if name == "onehot":
            return lambda names: (np.arange(names["K"]) == inner(names)).astype(float)
        return lambda names: called(name, settings, np.asarray(inner(names)))

    def postfixed(self, value: Node) -> Node:
        while self.next in ("²", "³", "⁺", "ᵀ", "ᵢ", "ⱼ", "ₙ") or self.picks():
            value = self.postfix(value, self.take())
        return value

    def picks(self) -> bool:
        """Whether [y] follows, the element at the class."""
        return self.tokens[self.at : self.at + 3] == ["[", "y", "]"]

    def postfix(self, value: Node, token: str) -> Node:
        match token:
            case "²":
                return lambda names: np.asarray(value(names)) ** 2
            case "³":
                return lambda names: np.asarray(value(names)) ** 3
            case "⁺":
                return lambda names: np.maximum(value(names), 0)
            case "ᵀ":
                return lambda names: np.asarray(value(names)).T
            case "ₙ":
                return value
            case "[":
                self.take("y")
                self.take("]")
                return lambda names: picked(value(names), names["y"])
        index = {"ᵢ": "i", "ⱼ": "j"}[token]
        return lambda names: np.asarray(value(names))[int(names[index])]


def read(text: str, names: Names, matrix: bool = False) -> Value:
    """The value of a printed formula."""
    return Reader(text, matrix).whole()(names)
