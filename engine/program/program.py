"""The program: the ordered ops of one iteration, compiled once, every shape known beforehand.

An op reads tensors by name and returns what it writes; it changes nothing. Whoever runs it decides
what becomes of the result: :func:`engine.run.drive.advance` makes a new State, a Session its
history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import msgspec

from engine.arrays import Array, scalar
from engine.experiment.dataset import Batches, Dataset
from engine.experiment.spec import Experiment
from engine.nn.table import LAYERS
from engine.optim.optimizers import Optimizer
from engine.program.graph import Network
from engine.run.op import CLOCK, ROWS, Op, TensorInfo
from engine.run.phases import Phase
from engine.run.source import Executed
from engine.run.timeline import Periodic

MOST_CUT = 4096  # batches that are known by their number
CAPTURED = "this run was captured: it has no program of layers"


@dataclass(frozen=True, eq=False)
class Program:
    """One iteration as a list of ops, and how often it is run.

    ``scalars`` has the values of the tensors of shape () that are there from the start, such as
    ``optimizer.lr``: hyper-parameters are tensors, so that an edit of one is nothing special.
    ``slots`` has those of the optimizer that are there before its first update.
    """

    experiment: Experiment
    data: Dataset
    batches: Batches
    network: Network
    optimizer: Optimizer
    tensors: Mapping[str, TensorInfo]
    ops: tuple[Op, ...]
    scalars: Mapping[str, float]
    slots: Mapping[str, Array] = field(default_factory=dict)

    def __repr__(self) -> str:
        shapes = [str(self.tensors[name].shape) for name in self.batch_names[:1]]
        shapes += [str(self.tensors[node.output].shape) for node in self.network.nodes] or [
            f"{sum(op.phase == Phase.FORWARD for op in self.ops)} lines"
        ]
        return (
            f"<Program {self.name!r}: {' → '.join(shapes)}, {len(self.ops)} ops, "
            f"{self.timeline.iterations:,} iterations>"
        )

    @property
    def parameters(self) -> list[TensorInfo]:
        """The parameters in the order of the layers."""
        return [info for info in self.tensors.values() if info.role == "parameter"]

    @cached_property
    def name(self) -> str:
        """The name of the experiment."""
        return self.experiment.name

    @cached_property
    def order(self) -> tuple[Phase, ...]:
        """The phases in their order, the skipped ones too."""
        return tuple(self.experiment.training.order)

    @cached_property
    def timeline(self) -> Periodic:
        """The ops of the whole run by event."""
        return Periodic(self.ops, self.experiment.training.epochs, self.batches.count)

    def lasting(self, iterations: int) -> "Program":
        """The same program with epochs enough for so many iterations; itself where it has enough.

        Batches and initial values do not depend on the number of epochs, so every event that both
        have is the same.
        """
        if iterations <= self.timeline.iterations:
            return self
        epochs = -(-iterations // self.batches.count)
        training = msgspec.structs.replace(self.experiment.training, epochs=epochs)
        return replace(self, experiment=msgspec.structs.replace(self.experiment, training=training))

    @cached_property
    def source(self) -> Executed:
        """The results of the ops: they are executed."""
        return Executed(self.initial, self.batch)

    @cached_property
    def loss(self) -> str | None:
        """The name of the loss."""
        return next((info.name for info in self.tensors.values() if info.role == "loss"), None)

    @property
    def loss_op(self) -> str | None:
        """The name of the op that computes the loss: that of the loss."""
        return self.loss

    def resolve(self, name: str) -> str:
        """A tensor's own name for an alias, any other name as it is."""
        return self.aliases.get(name, name)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Short names, each with its gradient: ``yhat`` the last output, ``z1`` … the outputs in
        order, ``W1`` and ``b1`` … the parameters of the layers that have some.
        """
        short = {f"z{i}": node.output for i, node in enumerate(self.network.nodes, 1)}
        learning = [node for node in self.network.nodes if node.layer.parameters]
        for i, node in enumerate(learning, 1):
            rows = LAYERS[node.layer.type].parameters
            roles = node.layer.parameters
            short |= {f"{rows[role].letter}{i}": node.tensor(role) for role in roles}
        short["yhat"] = self.network.output
        short = {name: own for name, own in short.items() if own in self.tensors and name != own}
        derived = {
            f"{n}.grad": self.gradients[own] for n, own in short.items() if own in self.gradients
        }
        return short | derived

    @cached_property
    def entering(self) -> tuple[str, ...]:
        """The tensors that no op writes, and that every iteration begins with anew."""
        more = (name for name in (CLOCK, ROWS) if name in self.tensors)
        return ("x", "y", *more)

    @cached_property
    def batch_names(self) -> tuple[str, ...]:
        """The inputs and the targets: what a batch brings."""
        return tuple(i.name for i in self.tensors.values() if i.role in ("input", "target"))

    @cached_property
    def _per_epoch(self) -> int:
        """The batches of an epoch."""
        return self.batches.count

    @cached_property
    def _cut(self) -> dict[int, tuple[Array, Array]]:
        """The first batches of an epoch, which are the same views of the data in each."""
        return {}

    def batch(self, iteration: int) -> dict[str, Array]:
        """The tensors that an iteration, counted from 0, begins with: x, y and the clock, if any.

        x is (N, n), y (N, K) or (N,), with fewer rows in the last batch of an epoch.
        """
        epoch, k = divmod(iteration, self._per_epoch)
        cut = self._cut.get(k)
        if cut is None:
            cut = self.batches.batch(self.data, epoch, k)
            if not self.batches.shuffle and k < MOST_CUT:
                self._cut[k] = cut
        found = {"x": cut[0], "y": cut[1]}
        if len(self.entering) > 2:
            known = {CLOCK: scalar(iteration + 1), ROWS: scalar(len(cut[0]))}
            found |= {name: known[name] for name in self.entering[2:]}
        return found

    def initial(self) -> dict[str, Array]:
        """Every tensor that exists before the first op."""
        scalars = {name: scalar(value) for name, value in self.scalars.items()}
        first = self.network.initial(self.experiment)
        return self.batch(0) | first | scalars | dict(self.slots)

    @cached_property
    def live_in(self) -> frozenset[str]:
        """The tensors that one iteration reads before it writes them, or never writes."""
        written: set[str] = set()
        needed: set[str] = set()
        for op in self.ops:
            # What is added to is read as well, though not named among the reads.
            added = op.writes if op.adds else ()
            needed.update(name for name in (*op.reads, *added) if name not in written)
            written.update(op.writes)
        return frozenset((needed | (self.tensors.keys() - written)).difference(self.entering))

    @cached_property
    def gradients(self) -> dict[str, str]:
        """Each tensor that has a gradient, with the name of its gradient."""
        infos = self.tensors.values()
        return {info.gradient_of: info.name for info in infos if info.gradient_of is not None}

    def nbytes(self, op: Op) -> int:
        """Bytes that one execution of an op leaves behind in a history."""
        if op.phase == Phase.ZERO_GRAD:  # the same array of zeros every time
            return 0
        return sum(self.tensors[name].nbytes for name in op.writes)
