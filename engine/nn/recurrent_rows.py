"""Recurrent layers, unrolled over the steps of a sequence (N, T, D), with PyTorch's gates.

The output is (N, T, H), twice as wide in both directions. The state before the first step is 0.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.functions.options import Count, Few
from engine.lines.node import Node, described
from engine.nn.line_row import LineRow, Unfit, Weight, Within, Written


@dataclass(frozen=True)
class Pass:
    """One layer in one direction: what it reads, what its parameters and its states end in."""

    reads: str
    suffix: str
    mark: str
    steps: int
    backward: bool
    bias: bool

    @property
    def before(self) -> str:
        """The step before step t, in its direction."""
        return "t+1" if self.backward else "t-1"

    @property
    def loop(self) -> str:
        """The head of its loop."""
        steps = f"{self.steps - 1}, -1, -1" if self.backward else str(self.steps)
        return f"for t in range({steps}):"

    @property
    def start(self) -> int:
        """The number of the step before the first."""
        return self.steps if self.backward else -1

    def of(self, source: Literal["ih", "hh"]) -> str:
        """The step's input, or the state before, times its weight."""
        given = self.reads if source == "ih" else f"h{self.mark}[{self.before}]"
        bias = f" + bias_{source}{self.suffix}" if self.bias else ""
        return f"{given} @ weight_{source}{self.suffix}.T{bias}"


@dataclass(frozen=True)
class Recurrent(LineRow):
    """What recurrent layers have in common."""

    roles: ClassVar[str] = r"(weight|bias)_(ih|hh)_l\d+(_reverse)?"
    gates: ClassVar[int] = 1
    hidden: Count
    layers: Few = 1
    bidirectional: bool = False
    bias: bool = True

    @abstractmethod
    def step(self, one: Pass) -> Iterator[str]:
        """The lines of step t, which make ``h[t]``."""

    def first(self, one: Pass, rows: int) -> Iterator[str]:
        """The lines before the first step."""
        yield f"h{one.mark}[{one.start}] = zeros({rows}, {self.hidden})"

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        if z.rank != 3 or not z.shape[1]:
            raise Unfit(f"{described(z)}; {self.type} takes sequences (N, T, D)")
        rows, steps, size = z.shape
        text: list[str] = []
        parameters: dict[str, Weight] = {}
        ways = ("", "_reverse") if self.bidirectional else ("",)
        many = len(ways) > 1 or self.layers > 1
        reads = "z[:, t]"
        for layer in range(self.layers):
            marks = [f"_l{layer}{way}" for way in ways]
            for way, suffix in zip(ways, marks, strict=True):
                mark = suffix if many else ""
                one = Pass(reads, suffix, mark, steps, bool(way), self.bias)
                parameters |= self.weights(suffix, size)
                text += [*self.first(one, rows), one.loop, *(f"    {s}" for s in self.step(one))]
            if len(ways) > 1:
                text.append(f"for t in range({steps}):")
                states = ", ".join(f"h{mark}[t]" for mark in marks)
                text.append(f"    hs_l{layer}[t] = concat({states}, axis=-1)")
            name = f"hs_l{layer}" if len(ways) > 1 else f"h_l{layer}" if many else "h"
            reads, size = f"{name}[t]", self.hidden * len(ways)
        states = ", ".join(f"{name}[{t}]" for t in range(steps))
        text.append(f"out = stack({states}, axis=1)")
        return Written("\n".join(text), parameters)

    def weights(self, suffix: str, size: int) -> Mapping[str, Weight]:
        """The parameters of one layer in one direction."""
        wide, begins = self.gates * self.hidden, Within(self.hidden)
        found = {
            f"weight_ih{suffix}": Weight((wide, size), begins),
            f"weight_hh{suffix}": Weight((wide, self.hidden), begins),
        }
        if self.bias:
            found |= {f"bias_{source}{suffix}": Weight((wide,), begins) for source in ("ih", "hh")}
        return found

    def gate(self, of: str, k: int) -> str:
        """The part of gate k in what all gates have in one tensor."""
        return f"{of}[:, {k * self.hidden}:{(k + 1) * self.hidden}]"


@dataclass(frozen=True)
class RNNRow(Recurrent):
    """h(t) = tanh(W x(t) + b + V h(t−1) + c), or with relu (Elman 1990)."""

    type: ClassVar[str] = "rnn"
    nonlinearity: Literal["tanh", "relu"] = "tanh"

    def step(self, one: Pass) -> Iterator[str]:
        yield f"h{one.mark}[t] = {self.nonlinearity}({one.of('ih')} + {one.of('hh')})"


@dataclass(frozen=True)
class LSTMRow(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), gates i, f, g, o."""

    type: ClassVar[str] = "lstm"
    gates: ClassVar[int] = 4

    def first(self, one: Pass, rows: int) -> Iterator[str]:
        yield from super().first(one, rows)
        yield f"c{one.mark}[{one.start}] = zeros({rows}, {self.hidden})"

    def step(self, one: Pass) -> Iterator[str]:
        m, a = one.mark, f"a{one.mark}[t]"
        yield f"{a} = {one.of('ih')} + {one.of('hh')}"
        yield f"i{m}[t] = sigmoid({self.gate(a, 0)})"
        yield f"f{m}[t] = sigmoid({self.gate(a, 1)})"
        yield f"g{m}[t] = tanh({self.gate(a, 2)})"
        yield f"o{m}[t] = sigmoid({self.gate(a, 3)})"
        yield f"c{m}[t] = f{m}[t] * c{m}[{one.before}] + i{m}[t] * g{m}[t]"
        yield f"h{m}[t] = o{m}[t] * tanh(c{m}[t])"


@dataclass(frozen=True)
class GRURow(Recurrent):
    """Gated recurrent unit (Cho et al. 2014), gates r, z, n; z is ``u`` in the lines."""

    type: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3

    def step(self, one: Pass) -> Iterator[str]:
        m, a, b = one.mark, f"a{one.mark}[t]", f"b{one.mark}[t]"
        yield f"{a} = {one.of('ih')}"
        yield f"{b} = {one.of('hh')}"
        yield f"r{m}[t] = sigmoid({self.gate(a, 0)} + {self.gate(b, 0)})"
        yield f"u{m}[t] = sigmoid({self.gate(a, 1)} + {self.gate(b, 1)})"
        yield f"n{m}[t] = tanh({self.gate(a, 2)} + r{m}[t] * {self.gate(b, 2)})"
        yield f"h{m}[t] = (1 - u{m}[t]) * n{m}[t] + u{m}[t] * h{m}[{one.before}]"
