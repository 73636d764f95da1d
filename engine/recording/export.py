"""A recording exported as the lines of a trace, or as arrays."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.recording.lane import BATCH
from engine.recording.recorded import Recording
from engine.recording.replay import open_debugger
from engine.recording.trace_json import Step, header, step_object
from engine.run.position import Granularity
from engine.run.run import loss_of
from engine.run.timeline import completed
from engine.session.session import Session

NPZ_BYTES = 2**28  # parameters of so many bytes are kept after every iteration


def recorded_lines(recording: Recording, branch: str, with_values: bool) -> Iterator[Any]:
    """The header, then a line for each event, just as a trace of the experiment prints them."""
    session = open_debugger(recording)[0].session
    session.branches.switch(branch)
    session.goto(0)
    yield header(session.program, with_values)
    known = session.known
    while session.event < known:
        yield step_object(next_step(session), with_values)


def next_step(session: Session) -> Step:
    """The next event of a session as a step of a trace."""
    program = session.program
    timeline = session.timeline
    # Before the step: behind the last op of an iteration the next batch is there already.
    begins = session.event == timeline.begin(timeline.iteration(session.event))
    names = [name for name in program.entering if program.tensors[name].role in BATCH]
    batch = {name: session.tensors[name] for name in names}
    session.step()
    event = session.last_event()
    assert event is not None
    return Step(
        (event,), Granularity.OP, loss_of(program, session.tensors), batch if begins else None
    )


def recorded_arrays(recording: Recording, branch: str) -> dict[str, Array]:
    """The data, the losses, and the parameters after every iteration (or every k-th).

    ``iterations`` (k,) says after which, 0 being the beginning; each parameter is (k, *shape), and
    ``loss`` has one number an iteration.
    """
    session = open_debugger(recording)[0].session
    session.branches.switch(branch)
    timeline, known = session.timeline, session.known
    session.goto(0)
    parameters = [info.name for info in session.program.parameters]
    size = sum(info.nbytes for info in session.program.parameters)
    count = completed(timeline, known)
    spacing = max(1, -(-size * (count + 1) // NPZ_BYTES))
    wanted = [*range(0, count, spacing), count]
    stacks: dict[str, list[Array]] = {name: [] for name in parameters}
    for iteration in wanted:
        session.goto(timeline.begin(iteration))
        for name in parameters:
            stacks[name].append(session.tensors[name])
    session.goto(known)
    arrays: dict[str, Any] = {name: np.stack(stack) for name, stack in stacks.items()}
    data = session.program.data
    return arrays | {
        "x": data.x,
        "y": data.y,
        "loss": session.losses,
        "iterations": np.array(wanted),
    }
