"""Where the numbers of a network of lines come from: a line, or a parameter, by its name."""

from collections.abc import Iterator

from engine.diagnostics.layer_stats import Gauge, activity, gradient, updated, watched
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.phases import Phase

ACTIVITY = ("mean", "spread", "zeros")


def line_gauges(program: Program) -> dict[str, list[Gauge]]:
    """The gauges of each line but the loss, in their order, then of each parameter."""
    network = program.network
    assert isinstance(network, LineNetwork)
    names = [line.name for line in network.graph.lines[:-1]]
    names += [one.name for one in network.parameters_]
    return {name: list(gauges_of(program, name)) for name in names}


def gauges_of(program: Program, name: str) -> Iterator[Gauge]:
    """The gauges of a tensor: its values where a line makes them, its gradient once it is whole.

    A gradient is written by an op for each use of the tensor: the last of them makes it whole.
    """
    grad = program.gradients.get(name)
    whole = None
    written = program.timeline.listing(0).by_written
    places = (*written.get(name, ()), *written.get(grad or "", ()))
    for op in (program.ops[place] for place in sorted(places)):
        if op.phase == Phase.FORWARD and name in op.writes:
            yield watched(op, ACTIVITY, lambda array: activity("", array))
        elif op.phase == Phase.BACKWARD and grad in op.writes:
            whole = op
        elif op.phase == Phase.UPDATE and name in op.writes:
            yield Gauge(op, ("update",), updated, None)
    if whole is not None:
        yield watched(whole, ("gradient",), gradient)
