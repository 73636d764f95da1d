"""Random lines that fit, from a seed."""

import random
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings

RELAXED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


SMOOTH = ("tanh", "sigmoid", "exp", "sin", "softplus", "square")


class Writer:
    """Writes lines that fit, from a seed: shapes, broadcasts, shared parameters, loops."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.n, self.d, self.k = (self.rng.randint(1, 4) for _ in range(3))
        self.arrays: dict[str, Any] = {"x": self.drawn(self.n, self.d)}
        self.shapes: dict[str, tuple[int, ...]] = {"x": (self.n, self.d)}
        self.parameter("b", self.d)
        self.parameter("row", 1, self.d)
        self.parameter("column", self.n, 1)
        self.parameter("W", self.k, self.d)
        self.parameter("V", self.d, self.k)
        self.parameter("s")

    def drawn(self, *shape: int) -> Any:
        """Numbers that keep functions tame."""
        return self.numbers.normal(size=shape) * 0.5

    def parameter(self, name: str, *shape: int) -> None:
        """A parameter by name."""
        self.arrays[name] = self.drawn(*shape)
        self.shapes[name] = shape

    def text(self) -> str:
        """Up to seven lines, perhaps a loop, and a loss that reads what no other line reads."""
        lines = []
        for i in range(self.rng.randint(1, 6)):
            expression, shape = self.expression(2)
            lines.append(f"z{i} = {expression}")
            self.shapes[f"z{i}"] = shape
        if self.rng.random() < 0.5:
            lines += self.loop()
        made = [name for name in self.shapes if name[0] in "zh"]
        terms = [f"mean({name}**2)" for name in made] + ["0.1*sum(W**2)"]
        return "\n".join([*lines, f"loss = {' + '.join(terms)}"])

    def loop(self) -> list[str]:
        """A recurrent loop with shared weights."""
        self.parameter("H", self.d, self.d)
        steps = self.rng.randint(1, 3)
        self.shapes[f"h[{steps - 1}]"] = (self.n, self.d)
        start = self.rng.choice(["x", f"zeros(N, {self.d})"])
        return [
            f"h[-1] = {start}",
            f"for t in range({steps}):",
            "    h[t] = tanh(h[t-1] @ H.T + x*s + b)",
        ]

    def expression(self, depth: int) -> tuple[str, tuple[int, ...]]:
        """An expression and its shape."""
        if depth == 0 or self.rng.random() < 0.15:
            name = self.rng.choice(list(self.shapes))
            return name, self.shapes[name]
        kind = self.rng.choice(["function", "binary", "binary", "product", "fold", "shape"])
        left, shape = self.expression(depth - 1)
        if kind == "function":
            return f"{self.rng.choice(SMOOTH)}({left})", shape
        if kind == "binary":
            right, other = self.expression(depth - 1)
            try:
                joined = np.broadcast_shapes(shape, other)
            except ValueError:
                return f"({left})*0.5", shape
            sign = self.rng.choice(["+", "-", "*"])
            return f"(({left}) {sign} ({right}))", tuple(joined)
        if kind == "product" and len(shape) == 2:
            for name in ("W.T", "V", "W", "V.T"):
                rows, cols = self.sizes(name)
                if shape[1] == rows:
                    return f"(({left}) @ {name})", (shape[0], cols)
        if kind == "fold" and shape:
            axis = self.rng.randrange(len(shape))
            fold = self.rng.choice(["sum", "mean", "softmax", "logsumexp"])
            if fold == "softmax":
                return f"softmax({left}, axis={axis})", shape
            kept = (*shape[:axis], 1, *shape[axis + 1 :])
            return f"{fold}({left}, axis={axis}, keepdims=True)", kept
        if kind == "shape" and len(shape) == 2:
            if self.rng.random() < 0.5:
                return f"transpose({left})", (shape[1], shape[0])
            return f"concat({left}, {left}, axis=0)[0:{shape[0]}]", shape
        return f"({left})*0.5", shape

    def sizes(self, name: str) -> tuple[int, int]:
        """The shape of a matrix, transposed or not."""
        rows, cols = self.shapes[name[0]]
        return (cols, rows) if name.endswith(".T") else (rows, cols)
