"""The same network with other lines unfolded, and the place in it that is the same."""

from collections.abc import Sequence

import msgspec

from engine.errors import GradstepError
from engine.experiment.dataset import in_lines
from engine.experiment.spec import Experiment, NetworkSpec
from engine.lines.line import Line
from engine.lines.unfold import unfolded
from engine.program.compiler import compile_program
from engine.program.line_network import LineNetwork
from engine.program.program import CAPTURED, Program
from engine.run.op import Op
from engine.run.run import Run
from engine.wording import nearest

LAYERS = "this network is a chain of layers: only lines can be unfolded"


def lines_of(run: Run) -> tuple[Program, tuple[Line, ...]]:
    """The program that a run is, and its lines; GradstepError where it has none."""
    if not isinstance(run, Program):
        raise GradstepError(CAPTURED)
    if not isinstance(run.network, LineNetwork):
        raise GradstepError(LAYERS)
    return run, run.network.graph.lines


def refolded(run: Run, names: Sequence[str]) -> Program:
    """The program with these lines unfolded and no others; raises GradstepError for layers.

    ExperimentError, which is one, says which name is none.
    """
    program, _ = lines_of(run)
    experiment = program.experiment
    known = experiment.network or NetworkSpec()  # layers alone may be lines, too
    network = msgspec.structs.replace(known, unfold=list(names))
    return compile_program(msgspec.structs.replace(experiment, network=network), program.data)


def unfolding(experiment: Experiment, names: Sequence[str]) -> Experiment:
    """The experiment with these lines unfolded beside those of the file.

    Raises GradstepError for a chain of layers.
    """
    if not in_lines(experiment):
        raise GradstepError(LAYERS)
    network = experiment.network or NetworkSpec()
    known = [network.unfold] if isinstance(network.unfold, str) else network.unfold
    wanted = msgspec.structs.replace(network, unfold=[*known, *names])
    return msgspec.structs.replace(experiment, network=wanted)


def unfolded_names(run: Run) -> list[str]:
    """The names in [network] unfold."""
    program, _ = lines_of(run)
    network = program.experiment.network
    if network is None:
        return []
    return [network.unfold] if isinstance(network.unfold, str) else list(network.unfold)


def wholes(run: Run) -> list[str]:
    """The names of the lines as they stand in the file."""
    _, lines = lines_of(run)
    return list(dict.fromkeys(line.whole or line.name for line in lines))


def is_apart(run: Run, name: str) -> bool:
    """Whether a line is unfolded."""
    _, lines = lines_of(run)
    return any(line.whole == name for line in lines)


def is_single(run: Run, name: str) -> bool:
    """Whether a line, or every line of a name such as h of h[0], is a single function."""
    _, lines = lines_of(run)
    mine = [line for line in lines if name in (line.name, line.name.partition("[")[0])]
    return bool(mine) and not any(may_unfold(line) for line in mine)


def foldable(run: Run, name: str) -> str:
    """The line that is meant by its name, by that of a piece, or by that of an op.

    Raises GradstepError for other names.
    """
    lines = {line.name: line for line in lines_of(run)[1]}
    found = lines.get(line_of(name)) or lines.get(name.removesuffix(".grad"))
    if found is not None:
        return found.whole or found.name
    known = wholes(run)
    if name in known or name in {whole.partition("[")[0] for whole in known}:
        return name
    raise GradstepError(f"no line {name!r}; {nearest(name, known)}")


def may_unfold(line: Line) -> bool:
    """Whether a line has more than one function, and so can give way to several lines."""
    return line.whole is None and len(unfolded(line)) > 1


def line_of(name: str) -> str:
    """The line that an op is about: its own name, or what stands behind the @ of a gradient."""
    return name.rpartition("@")[2]


def same_place(old: Run, event: int, new: Program) -> int:
    """The event of the new program at the place of an event of the old one.

    That is the op of the same key in the same iteration, else the first of the same line, else the
    one as far on in the same phase; beyond the end of a shorter run it is its end.
    """
    timeline = old.timeline
    end = new.timeline.end
    if event >= timeline.end:
        return end
    begin = new.timeline.begin(timeline.iteration(event))
    if begin >= end:
        return end
    op = timeline.op(event)
    places = {one.key: i for i, one in enumerate(new.ops)}
    if op.key in places:
        return begin + places[op.key]
    whole = whole_of(old, op)
    same = [i for i, one in enumerate(new.ops) if one.phase == op.phase]
    of_line = [i for i in same if whole_of(new, new.ops[i]) == whole]
    if of_line or not same:
        return begin + (of_line[0] if of_line else 0)
    first = next(e for e in range(event, -1, -1) if e == 0 or timeline.op(e - 1).phase != op.phase)
    return begin + same[min(event - first, len(same) - 1)]


def whole_of(run: Run, op: Op) -> str:
    """The folded line that an op belongs to, or the name that it is about."""
    name = line_of(op.name)
    network = run.network if isinstance(run, Program) else None
    for line in network.graph.lines if isinstance(network, LineNetwork) else ():
        if line.name == name:
            return line.whole or line.name
    return name
