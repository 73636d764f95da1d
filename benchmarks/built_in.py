"""Built-in networks of lines, a convolutional and a recurrent one, against the same by hand."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np

from benchmarks.effort import Effort
from benchmarks.iterations import Disagreement
from benchmarks.lines import convolved, session_of
from benchmarks.measure import Row, Run, interleave, versus
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.position import Granularity
from engine.session.session import Session

Array = np.ndarray[Any, Any]
ENDLESS = 10**8  # iterations
BOUND = 1.5
GATES = "ifog"
SMALL_BETA, LARGE_BETA, EPS = 0.9, 0.999, 1e-8


class Adam:
    """Adam that moves arrays in place."""

    def __init__(self, own: Mapping[str, Array], lr: float) -> None:
        self.own, self.lr, self.steps = own, lr, 0
        self.mean = {name: np.zeros_like(value) for name, value in own.items()}
        self.square = {name: np.zeros_like(value) for name, value in own.items()}

    def step(self, grads: Mapping[str, Array]) -> None:
        """Move every array by its gradient."""
        self.steps += 1
        rate = self.lr / (1 - SMALL_BETA**self.steps)
        root = (1 - LARGE_BETA**self.steps) ** 0.5
        for name, grad in grads.items():
            mean, square = self.mean[name], self.square[name]
            mean += (1 - SMALL_BETA) * (grad - mean)
            square *= LARGE_BETA
            square += (1 - LARGE_BETA) * grad * grad
            moved = self.own[name]
            moved -= rate * (mean / (np.sqrt(square) / root + EPS))


class ByHand:
    """A built-in network with its data, its batches and its first values, in plain NumPy."""

    def __init__(self, program: Program) -> None:
        self.program = program
        first = program.initial()
        self.own = {info.name: first[info.name].copy() for info in program.parameters}
        self.adam = Adam(self.own, float(first["optimizer.lr"]))
        self.iterations = count()

    def rows(self) -> tuple[Array, Array]:
        """The next batch, shuffled as ours is."""
        batches, data = self.program.batches, self.program.data
        part = batches.rows_of(*divmod(next(self.iterations), batches.count))
        return data.x[part], data.y[part]

    def iteration(self) -> float:
        """One iteration; its loss."""
        loss, grads = GRADIENTS[self.program.name](self.own, *self.rows())
        self.adam.step(grads)
        return loss


def digits(own: Mapping[str, Array], x: Array, y: Array) -> tuple[float, dict[str, Array]]:
    """The loss of cnn-digits and its gradients."""
    given = {"K": own["K1"], "k": own["k1"], "W": own["W"], "b": own["b"]}
    loss, grads = convolved(given, x.reshape(len(x), 1, 8, 8), y)
    return loss, {"K1": grads["K"], "k1": grads["k"], "W": grads["W"], "b": grads["b"]}


def sigmoid(z: Array) -> Array:
    """1/(1 + exp(−z)), as one writes it."""
    out: Array = 1 / (1 + np.exp(-z))
    return out


def recurrent(own: Mapping[str, Array], x: Array, y: Array) -> tuple[float, dict[str, Array]]:
    """The loss of lstm and its gradients, gate by gate, and back through time."""
    n, steps, width = len(x), x.shape[1], len(own["bi"])
    h, c = [np.zeros((n, width))], [np.zeros((n, width))]
    known: list[dict[str, Array]] = []
    for t in range(steps):
        given = x[:, t]
        sums = {k: given @ own["W" + k].T + h[-1] @ own["U" + k].T + own["b" + k] for k in GATES}
        gates = {k: np.tanh(z) if k == "g" else sigmoid(z) for k, z in sums.items()}
        c.append(gates["f"] * c[-1] + gates["i"] * gates["g"])
        gates["tanh"] = np.tanh(c[-1])
        h.append(gates["o"] * gates["tanh"])
        known.append(gates)
    d = h[-1] @ own["Wy"].T + own["by"] - y
    grads = {name: np.zeros_like(value) for name, value in own.items()}
    back = d * (2 / d.size)
    grads["Wy"] += back.T @ h[-1]
    grads["by"] += back.sum(axis=0)
    gh, gc = back @ own["Wy"], np.zeros((n, width))
    for t in range(steps - 1, -1, -1):
        gates, before = known[t], h[t]
        i, f, o, g, tanh = (gates[k] for k in (*GATES, "tanh"))
        gc = gc + gh * o * (1 - tanh * tanh)
        through = {
            "i": gc * g * i * (1 - i),
            "f": gc * c[t] * f * (1 - f),
            "o": gh * tanh * o * (1 - o),
            "g": gc * i * (1 - g * g),
        }
        gh = np.zeros((n, width))
        for k, gz in through.items():
            grads["W" + k] += gz.T @ x[:, t]
            grads["U" + k] += gz.T @ before
            grads["b" + k] += gz.sum(axis=0)
            gh += gz @ own["U" + k]
        gc = gc * f
    return float(np.mean(d * d)), grads


GRADIENTS = {"cnn-digits": digits, "lstm": recurrent}


def rivals(program: Program) -> dict[str, Run]:
    """Who else does this iteration."""
    found: dict[str, Run] = {"plain NumPy": ByHand(program).iteration}
    try:
        from benchmarks.eager import eager_built_in

        found["PyTorch eager"] = eager_built_in(program)
    except ImportError:
        pass  # the table then lacks PyTorch, and says so
    return found


def agree(program: Program, iterations: int = 3) -> None:
    """Raise a Disagreement unless all have the same losses, to within rounding."""
    session = Session(program)
    others = rivals(program)
    for _ in range(iterations):
        session.step(1, Granularity.ITERATION)
        for name, run in others.items():
            theirs = run()
            if session.loss is None or not abs(session.loss - theirs) <= 1e-4 * abs(theirs):  # type: ignore[operator, arg-type]
                raise Disagreement(f"{program.name} {name}: {session.loss} {theirs}")


def built_in(effort: Effort) -> Iterator[Row]:
    """Both networks as they are built in."""
    for name in GRADIENTS:
        program = compile_program(load_experiment(name)).lasting(ENDLESS)
        agree(program)
        others = rivals(program)
        samples = interleave([session_of(program), *others.values()], effort)
        for i, who in enumerate(others, 1):
            bound = BOUND if who == "plain NumPy" else None
            dtype = program.experiment.dtype
            yield versus(f"one iteration of {name}", dtype, samples, i, who, bound)
