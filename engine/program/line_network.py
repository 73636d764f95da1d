"""A network as lines: its parameters, its constants, and a graph for each size of batch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.arrays import Array, Shape
from engine.experiment.spec import Experiment
from engine.program.graph import Network
from engine.program.graph import Node as LayerNode
from engine.run.op import Compute

if TYPE_CHECKING:
    from engine.lines.line import Line


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter of lines: its first value, and whether the optimizer leaves it alone."""

    name: str
    value: Array
    frozen: bool
    layer: str | None = None
    lr: float | None = None
    weight_decay: float | None = None
    decay: bool | None = None


@dataclass(frozen=True)
class Frozen:
    """Which of its parameters the optimizer leaves alone."""

    frozen: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Holder:
    """What stands where a layer stands: a parameter of lines belongs to none, or to one by name."""

    name: str | None
    symbols: Mapping[str, str]
    spec: Frozen

    def tensor(self, role: str) -> str:
        """The name of a parameter."""
        return role


@dataclass(frozen=True, eq=False)
class Graph:
    """The lines of one size of batch in the order in which they run; the loss is the last."""

    lines: "tuple[Line, ...]"
    output: str

    @property
    def loss(self) -> "Line":
        """The line that makes the loss."""
        return self.lines[-1]


@dataclass(frozen=True, eq=False)
class LineNetwork(Network):
    """A network as lines: a graph for each number of rows that a batch has.

    It has no layers in a row, and its ``loss`` is a function of ŷ and y only where [loss] says so.
    ``buffers`` are what layers keep from one iteration to the next: the layer and the first value.
    """

    parameters_: tuple[Parameter, ...] = ()
    constants: Mapping[str, Array] = field(default_factory=dict)
    graphs: Mapping[int, Graph] = field(default_factory=dict)
    buffers: Mapping[str, tuple[str, Array]] = field(default_factory=dict)

    def parameters(self) -> Iterator[tuple[str, LayerNode, str, Shape]]:
        """Each parameter: its name, what stands for its layer, its role there, and its shape."""
        for one in self.parameters_:
            held: Any = Holder(one.layer, {one.name: one.name}, Frozen((one.name,) * one.frozen))
            yield one.name, held, one.name, one.value.shape

    def initial(self, experiment: Experiment) -> dict[str, Array]:
        """The parameters, constants and buffers before the first iteration, by name, read-only."""
        kept = {name: value for name, (_, value) in self.buffers.items()}
        return {one.name: one.value for one in self.parameters_} | dict(self.constants) | kept

    def kinks(self, rows_: int) -> tuple[Compute, ...]:
        """What changes its sign where the loss bends, of a batch of so many rows."""
        from engine.lines.derive import kinks
        from engine.lines.tape import Tape

        found = [kink for line in self.graphs[rows_].lines for kink in kinks(line.root)]
        tape = Tape(found, "float64")
        return tuple(tape.compute(kink) for kink in found)

    @property
    def graph(self) -> Graph:
        """The graph of a full batch."""
        return self.graphs[max(self.graphs)]

    @property
    def output(self) -> str:
        """The name of ŷ: the tensor of that name, or what the last line before the loss makes."""
        return self.graph.output

    def shape_of(self, name: str) -> Shape:
        """The shape of the tensor that a line makes of a full batch; () for any other name."""
        return next((line.root.shape for line in self.graph.lines if line.name == name), ())
