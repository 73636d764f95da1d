"""The table of a program's tensors, as far as it is the same for layers and for lines."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.arrays import Array, Shape
from engine.experiment.domains import domain_of
from engine.experiment.spec import Experiment, LinesSpec
from engine.formulas.symbols import gradient
from engine.optim.optimizers import Optimizer
from engine.program.first_slots import first_slots
from engine.program.graph import GRADIENT, Network
from engine.program.learned import learned_parameters, optimizer_of
from engine.program.update import Updates
from engine.run.op import CLOCK, Compute, Domain, Op, TensorInfo
from engine.run.phases import Phase


class Declared:
    """The tensors of a program by name, in the order in which they are entered.

    ``scalars`` has the values of those of shape () that are there from the start.
    """

    def __init__(self, experiment: Experiment, network: Network, batches: int) -> None:
        self.experiment = experiment
        self.network = network
        self.dtype = experiment.dtype
        self.optimizer: Optimizer = optimizer_of(experiment.optimizer)
        learned = learned_parameters(experiment, network)
        self.updates = Updates.of(experiment, learned, self.optimizer, batches)
        self.slots = first_slots(experiment, self.optimizer, self.updates.moved)
        self.tensors: dict[str, TensorInfo] = {}
        self.scalars: dict[str, float] = {}

    def add(
        self,
        name: str,
        symbol: str,
        shape: Shape,
        role: str,
        layer: str | None = None,
        dtype: str | None = None,
        gradient_of: str | None = None,
        classes: int | None = None,
        slot_of: str | None = None,
        domain: Domain = (),
        rowless: bool = False,
    ) -> None:
        """Enter one tensor; without a dtype it has the experiment's."""
        own = dtype or self.dtype
        self.tensors[name] = TensorInfo(
            name, symbol, shape, own, role, layer, gradient_of, classes, slot_of, domain, rowless
        )

    def gradients(self, wanted: Iterable[TensorInfo]) -> None:
        """Enter the gradients of these tensors."""
        for info in wanted:
            self.add(
                info.name + GRADIENT,
                gradient(info.symbol),
                info.shape,
                "gradient",
                info.layer,
                gradient_of=info.name,
                rowless=info.rowless,
            )

    def state(self, ops: Sequence[Op]) -> None:
        """Enter what the optimizer keeps, the hyper-parameters, and the clock where it is read."""
        for one in self.updates.moved:
            for slot in self.optimizer.slots:
                name, shape = f"{one.name}.{slot}", self.optimizer.shape_of(slot, one.shape)
                symbol = f"{self.optimizer.letters.get(slot, slot)}({one.symbol})"
                self.add(name, symbol, shape, "slot", one.layer, slot_of=one.name)
        for name, symbol, value in self.updates.scalars():
            limits = self.domain(name)
            self.add(name, symbol, (), "hyper", dtype="float64", domain=limits)
            if value is not None:
                self.scalars[name] = value
        # Only where an op reads it: otherwise every iteration would bring a tensor for nothing.
        if any(CLOCK in op.reads for op in ops):
            self.add(CLOCK, "i", (), "hyper", dtype="float64")

    def domain(self, name: str) -> Domain:
        """The limits of a hyper-parameter, as a file has them; none where no file names it."""
        owner, _, field = name.rpartition(".")
        spec = self.experiment.optimizer
        if owner.partition(".")[0] != "optimizer" or isinstance(spec, LinesSpec):
            return ()
        return domain_of(type(spec), field.removeprefix("initial_"))


def zeroing(network: Network, zeros: Mapping[str, Array]) -> Iterator[Op]:
    """∇θ ← 0, one op for each parameter, frozen ones too."""
    for name, node, role, _ in network.parameters():
        text = f"{gradient(node.symbols[role])} ← 0"
        target = name + GRADIENT
        run = always(zeros[name])
        yield Op(0, Phase.ZERO_GRAD, target, node.name, text, text, (), (target,), run)


def always(value: Array) -> Compute:
    """An op that always writes the same read-only array."""
    result = (value,)
    return lambda tensors: result
