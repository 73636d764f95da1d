"""A captured run for other programs: arrays, scalars, a report."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.arrays import Array
from engine.capture.captured import CapturedRun
from engine.errors import GradstepError
from engine.run.op import Op

NPZ_BYTES: Final = 2**28  # of parameters, which are kept after every k-th iteration


def arrays(run: CapturedRun) -> dict[str, Array]:
    """The losses, and the parameters after every k-th iteration after which all are whole.

    ``iterations`` (k,) says after which, 0 being the beginning; each parameter is (k, *shape).
    Raises GradstepError where no parameter was ever kept whole.
    """
    names = [one.name for one in run.tensors.values() if one.role == "parameter"]
    size = sum(run.tensors[name].nbytes for name in names)
    count = run.timeline.iterations
    spacing = max(1, -(-size * (count + 1) // NPZ_BYTES))
    wanted: list[int] = []
    stacks: dict[str, list[Array]] = {name: [] for name in names}
    for iteration in sorted({*range(0, count, spacing), count}):
        found = parameters(run, iteration, names)
        if found is not None:
            wanted.append(iteration)
            for name, array in found.items():
                stacks[name].append(array)
    if names and not wanted:
        raise GradstepError(
            "no iteration has all parameters in full: capture with --every N or --values full"
        )
    stacked: dict[str, Array] = {name: np.stack(stack) for name, stack in stacks.items()}
    losses = np.array([math.nan if row.loss is None else row.loss for row in run.stored.index])
    return stacked | {"loss": losses, "iterations": np.array(wanted)}


def parameters(run: CapturedRun, iteration: int, names: list[str]) -> dict[str, Array] | None:
    """The parameters after so many iterations; None where one is not whole."""
    places = run.places.before(iteration)
    found: dict[str, Array] = {}
    if iteration == 0:  # what they were given as
        found |= {name: array for name, array in run.source.initial().items() if name in names}
    for name in names:
        if name not in found:
            array = run.places.at(places.get(name))
            if array is None:
                return None
            found[name] = array
    return found


def report(run: CapturedRun) -> Iterator[tuple[str, list[str]]]:
    """The parts of a report: a heading and its lines, plain text of which nothing is escaped."""
    stored, timeline = run.stored, run.timeline
    process = stored.run
    yield (
        run.name,
        [
            f"- command: {' '.join(map(str, process.command.get('arguments', ())))}",
            f"- {timeline.end:,} events in {timeline.iterations:,} iterations",
            f"- python {process.process.get('python')}, torch {process.process.get('torch')}",
            f"- status: {process.status}",
        ],
    )
    losses = [(i, row.loss) for i, row in enumerate(stored.index, 1) if row.loss is not None]
    if losses:
        step = max(1, len(losses) // 12)
        rows = [*losses[::step], losses[-1]]
        lines = [f"| {i} | {loss:.6g} |" for i, loss in dict(rows).items()]
        yield "Loss", ["| iteration | loss |", "|---|---|", *lines]
    ops = timeline.listings[0].ops
    yield "Ops", ["| step | line | op |", "|---|---|---|", *(op_row(op) for op in ops)]


def op_row(op: Op) -> str:
    """An op as a row of a table."""
    return f"| {op.phase} | {op.source} | {cell(op.formula)} |"


def cell(text: str) -> str:
    """A text as a cell of a Markdown table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`").replace("<", "\\<")


def main_script(run: CapturedRun) -> str:
    """The text of the script that was captured.

    Raises GradstepError where it was not kept.
    """
    found = [text for path, text in run.source.scripts.items() if path.endswith(run.name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(run.source.scripts) or "none: --no-source, or the script could not be read"
    raise GradstepError(f"the text of {run.name} is not in the recording; files that are: {known}")
