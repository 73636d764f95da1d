"""The program: the ordered ops of one iteration, compiled once, every shape known beforehand.

An op reads tensors by name and returns what it writes; it changes nothing. Whoever runs it decides
what becomes of the result: :func:`engine.run.event.advance` makes a new State, a Session its
history.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.arrays import Array, scalar
from engine.experiment.dataset import Batches, Dataset
from engine.experiment.spec import Experiment
from engine.optim.optimizers import Optimizer
from engine.program.graph import Network, initial_parameters
from engine.run.op import CLOCK, Op, TensorInfo
from engine.run.phases import Phase
from engine.run.position import Granularity, Position


@dataclass(frozen=True, eq=False)
class Program:
    """One iteration as a list of ops, and how often it is run.

    ``scalars`` has the values of the scalar tensors that are there from the start.
    """

    experiment: Experiment
    data: Dataset
    batches: Batches
    network: Network
    optimizer: Optimizer
    tensors: Mapping[str, TensorInfo]
    ops: tuple[Op, ...]
    scalars: Mapping[str, float]

    @property
    def parameters(self) -> list[TensorInfo]:
        """The parameters in the order of the layers."""
        return [info for info in self.tensors.values() if info.role == "parameter"]

    @cached_property
    def iterations(self) -> int:
        """Iterations of the whole run."""
        return self.experiment.training.epochs * self.batches.count

    @cached_property
    def events(self) -> int:
        """Events of the whole run."""
        return self.iterations * len(self.ops)

    @cached_property
    def phase_starts(self) -> tuple[int, ...]:
        """The index of the first op of each phase that has one."""
        ops = self.ops
        return tuple(i for i in range(len(ops)) if i == 0 or ops[i].phase != ops[i - 1].phase)

    def phases(self) -> list[Phase]:
        """The phases that have ops, in their order."""
        return [self.ops[i].phase for i in self.phase_starts]

    def resolve(self, name: str) -> str:
        """A tensor's own name for an alias, any other name as it is."""
        return self.aliases.get(name, name)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Short names, each with its gradient: ``yhat`` the last output, ``z1`` … the outputs in
        order, ``W1`` and ``b1`` … the parameters of the linear layers.
        """
        short = {f"z{i}": node.output for i, node in enumerate(self.network.nodes, 1)}
        linear = [node for node in self.network.nodes if "weight" in node.layer.parameters]
        for i, node in enumerate(linear, 1):
            letters = {"weight": "W", "bias": "b"}
            short |= {f"{letters[role]}{i}": node.tensor(role) for role in node.layer.parameters}
        short["yhat"] = self.network.output
        every = short | {f"{name}.grad": f"{own}.grad" for name, own in short.items()}
        return {name: own for name, own in every.items() if own in self.tensors}

    def position(self, event: int) -> Position:
        """The place of an event: its epoch, iteration, batch and op."""
        iteration, op = divmod(min(event, self.events), len(self.ops))
        if iteration == self.iterations:
            iteration, op = iteration - 1, len(self.ops)
        epoch, batch = divmod(iteration, self.batches.count)
        return Position(event, epoch + 1, iteration + 1, batch, op)

    def boundary(self, event: int, granularity: Granularity, count: int) -> int:
        """The event that ``count`` steps lead to; negative counts lead backwards.

        A step backwards from inside a phase, iteration or epoch leads to its own beginning;
        no steps lead nowhere.
        """
        if count == 0:
            return event
        starts, period = self._grid(granularity)
        per = len(starts)
        whole, rest = divmod(event, period)
        inside = bisect_right(starts, rest) - 1
        index = whole * per + inside
        if count < 0 and rest != starts[inside]:
            index += 1
        whole, inside = divmod(index + count, per)
        return max(0, min(self.events, whole * period + starts[inside]))

    def _grid(self, granularity: Granularity) -> tuple[tuple[int, ...], int]:
        """Where steps of a size begin, as offsets within a period of events."""
        ops = len(self.ops)
        match granularity:
            case Granularity.OP:
                return (0,), 1
            case Granularity.PHASE:
                return self.phase_starts, ops
            case Granularity.ITERATION:
                return (0,), ops
            case Granularity.EPOCH:
                return (0,), ops * self.batches.count

    @cached_property
    def entering(self) -> tuple[str, ...]:
        """The tensors that no op writes, and that every iteration begins with anew."""
        return ("x", "y", CLOCK) if CLOCK in self.tensors else ("x", "y")

    def batch(self, iteration: int) -> dict[str, Array]:
        """The tensors that an iteration, counted from 0, begins with."""
        epoch, k = divmod(iteration, self.batches.count)
        x, y = self.batches.batch(self.data, epoch, k)
        if len(self.entering) == 2:
            return {"x": x, "y": y}
        return {"x": x, "y": y, CLOCK: scalar(iteration + 1)}

    def initial(self) -> dict[str, Array]:
        """Every tensor that exists before the first op."""
        scalars = {name: scalar(value) for name, value in self.scalars.items()}
        return self.batch(0) | initial_parameters(self.experiment, self.network) | scalars

    @cached_property
    def live_in(self) -> frozenset[str]:
        """The tensors that one iteration reads before it writes them, or never writes."""
        written: set[str] = set()
        needed: set[str] = set()
        for op in self.ops:
            added = op.writes if op.phase == Phase.BACKWARD and op.name in self.gradients else ()
            needed.update(name for name in (*op.reads, *added) if name not in written)
            written.update(op.writes)
        return frozenset((needed | (self.tensors.keys() - written)).difference(self.entering))

    @cached_property
    def gradients(self) -> dict[str, str]:
        """The parameter behind each gradient that backward adds to."""
        return {f"{info.name}.grad": info.name for info in self.parameters}

    def nbytes(self, op: Op) -> int:
        """Bytes that one execution of an op leaves behind in a history."""
        if op.phase == Phase.ZERO_GRAD:
            return 0
        return sum(self.tensors[name].nbytes for name in op.writes)
