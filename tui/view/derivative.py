"""Which derivative is selected: ∂of/∂wrt, of one sample or the batch, in which layout."""

from dataclasses import dataclass, replace

from engine.jacobian.operator import Layout
from engine.program.program import Program
from engine.run.phases import Phase
from engine.run.run import Run

DIFFERENTIABLE = ("activation", "loss")
VARIABLES = ("input", "activation", "parameter", "target")
MOST_OPS = 20_000  # of an iteration of which a chain is sought while a key waits


@dataclass(frozen=True)
class Derivative:
    """A derivative; where ``of`` or ``wrt`` is not chosen it follows the selected tensor.

    ``sample`` is one row of the batch as columns, None the whole batch; ``factor`` is the place of
    the cursor in the chain.
    """

    of: str | None = None
    wrt: str | None = None
    sample: int | None = 0
    layout: Layout = Layout.NUMERATOR
    factor: int = 0

    def toggled_layout(self) -> "Derivative":
        """The same derivative in the other layout."""
        numerator = self.layout == Layout.NUMERATOR
        return replace(self, layout=Layout.GRADIENT if numerator else Layout.NUMERATOR)

    def toggled_view(self, sample: int) -> "Derivative":
        """The batch instead of one sample; ``sample`` instead of the batch."""
        return replace(self, sample=None if self.sample is not None else sample)


def pair(program: Program, tensor: str, derivative: Derivative) -> tuple[str, str]:
    """The numerator and the denominator that a derivative means while ``tensor`` is selected.

    A gradient, or what is not computed, means the loss by it; an activation means it by its input.
    """
    shown = program.tensors[tensor].gradient_of or tensor
    info = program.tensors[shown]
    of, wrt = program.loss or "", shown
    if info.role == "activation" and shown == tensor:
        of, wrt = shown, input_of(program, shown)
    elif info.slot_of is not None:
        wrt = info.slot_of
    elif info.role not in VARIABLES:
        wrt = program.network.output
    return derivative.of or of, derivative.wrt or wrt


def derives(run: Run) -> bool:
    """Whether derivatives of a run are known: of a program, or of a captured script."""
    if isinstance(run, Program):
        return True
    from engine.capture.captured import CapturedRun  # which a program does not need

    return isinstance(run, CapturedRun)


def captured_pair(run: Run, iteration: int, tensor: str, derivative: Derivative) -> tuple[str, str]:
    """The same of a captured run, in an iteration from 0; empty texts of any other run."""
    from engine.capture.captured import CapturedRun
    from engine.capture.graph import graph_of

    count = run.timeline.iterations
    if not isinstance(run, CapturedRun) or not count:
        return "", ""
    iteration = min(iteration, count - 1)
    of, wrt = derivative.of, derivative.wrt
    if (of is None or wrt is None) and len(run.timeline.listing(iteration)) <= MOST_OPS:
        by_tensor = graph_of(run, iteration).pair(run, tensor)
        of, wrt = of or by_tensor[0], wrt or by_tensor[1]
    return of or "", wrt or ""


def input_of(program: Program, output: str) -> str:
    """The input tensor of the layer with this output tensor; of a line the first that it reads."""
    for node in program.network.nodes:
        if node.output == output:
            return node.input
    ops = (op for op in program.ops if op.phase == Phase.FORWARD and output in op.writes)
    return next((name for op in ops for name in op.reads), "x")


def differentiable(run: Run, tensor: str) -> str | None:
    """The numerator that choosing a tensor means; None where it has no derivative."""
    of_loss = run.tensors[tensor].gradient_of is not None
    shown = run.loss or "" if of_loss else tensor
    info = run.tensors.get(shown)
    return shown if info is not None and info.role in DIFFERENTIABLE else None


def variable(run: Run, tensor: str) -> str | None:
    """The denominator that choosing a tensor means; None where nothing can depend on it."""
    shown = run.tensors[tensor].gradient_of or tensor
    info = run.tensors.get(shown)
    return shown if info is not None and info.role in VARIABLES else None
