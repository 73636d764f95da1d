"""The loss of a program at other values of its parameters, in float64, by the program's own ops."""

from collections.abc import Mapping

import numpy as np

from engine.arrays import Array, frozen, scalar
from engine.errors import GradstepError
from engine.functions.losses.bce import BCE, BCE_EPSILON
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.drive import carry_out
from engine.run.op import CLOCK, ROWS
from engine.run.phases import Phase
from engine.run.run import loss_of

GIVEN = ("parameter", "constant", "buffer")  # roles of tensors that are there before forward
CHECKED = (Phase.FORWARD, Phase.LOSS, Phase.BACKWARD)


class Evaluator:
    """Runs the program's own ops on float64 copies of the tensors.

    Raises GradstepError where the experiment skips forward, loss or backward.
    """

    def __init__(self, program: Program, tensors: Mapping[str, Array]) -> None:
        self.program = program
        kept = [info.name for info in program.tensors.values() if info.role in GIVEN]
        self.given = {name: widened(tensors[name]) for name in (*program.batch_names, *kept)}
        entering = {CLOCK: scalar(1), ROWS: scalar(len(self.given["x"]))}
        for name in program.entering[2:]:
            self.given[name] = tensors.get(name, entering[name])
        network = program.network
        self.kinks = network.kinks(len(self.given["x"])) if isinstance(network, LineNetwork) else ()
        by_phase = {phase: [op for op in program.ops if op.phase == phase] for phase in CHECKED}
        for phase, ops in by_phase.items():
            if not ops and phase in program.experiment.training.skip:
                raise GradstepError(f"nothing to check: this experiment skips {phase}")
        self.ops = by_phase
        written = {name for op in by_phase[Phase.BACKWARD] for name in op.writes}
        infos = program.parameters
        self.unread = [i.name for i in infos if program.gradients[i.name] not in written]

    def run(self, replaced: Mapping[str, Array], *phases: Phase) -> dict[str, Array]:
        """Every tensor by name after these phases, with some parameters replaced."""
        tensors = {**self.given, **replaced}
        for phase in phases:
            carry_out(self.ops[phase], tensors)
        if Phase.BACKWARD in phases:  # a parameter that no line leads from to the loss has no op
            for name in self.unread:
                tensors[self.program.gradients[name]] = np.zeros_like(tensors[name])
        return tensors

    def gradients(self) -> dict[str, Array]:
        """Every tensor after backward, the loss and the gradients among them.

        No gradient is there before, so that none accumulates.
        """
        return self.run({}, Phase.FORWARD, Phase.LOSS, Phase.BACKWARD)

    def at(self, name: str, value: Array) -> tuple[float, Array]:
        """The loss with one parameter replaced, and its sides of all kinks, as in :meth:`sides`."""
        tensors = self.run({name: value}, Phase.FORWARD, Phase.LOSS)
        loss = loss_of(self.program, tensors)
        assert loss is not None
        return loss, self.sides(tensors)

    def sides(self, tensors: Mapping[str, Array]) -> Array:
        """The side of each kink, (k,): above or below it, of what relu, l1 and their like take."""
        network, found = self.program.network, [run(tensors)[0] for run in self.kinks]
        # Whole numbers say which of several elements was taken: the loss bends where that changes.
        found = [np.sign(side) if side.dtype.kind == "f" else side for side in found]
        for node in network.nodes:
            z = tensors[node.input]
            found += [np.sign(z - kink) for kink in node.layer.function.kinks]
        lines = isinstance(network, LineNetwork)  # whose loss is among their functions
        bends = None if lines else network.loss.kinks(tensors[network.output], tensors["y"])
        if bends is not None:
            found.append(np.sign(bends))
        return np.concatenate([side.reshape(-1) for side in found]) if found else np.zeros(0)

    def cut_off(self, tensors: Mapping[str, Array]) -> bool:
        """Whether the gradient is knowingly not the loss's derivative: bce clamps near 0 and 1."""
        yhat = tensors[self.program.network.output]
        cut = isinstance(self.program.network.loss, BCE)
        return cut and bool(np.any((1 - yhat) * yhat < BCE_EPSILON))


def widened(array: Array) -> Array:
    """A read-only float64 copy of a floating array; of class indices a copy in their own dtype."""
    return frozen(array.astype(np.float64) if array.dtype.kind == "f" else array.copy())
