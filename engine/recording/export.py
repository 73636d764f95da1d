"""A recording as trace lines and as arrays, for other programs."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.recording.recorded import Recording
from engine.recording.replay import open_session
from engine.recording.trace_json import Step, header, loss_of, step_object
from engine.run.position import Granularity
from engine.session.session import Session

NPZ_BYTES = 2**28  # parameters of so many bytes are kept after every iteration


def recorded_lines(recording: Recording, branch: str, with_values: bool) -> Iterator[Any]:
    """The header, then a line for each event, just as a trace of the experiment prints them."""
    session, _ = open_session(recording)
    session.branches.switch(branch)
    session.goto(0)
    yield header(session.program, with_values)
    known = session.known
    while session.event < known:
        yield step_object(next_step(session), with_values)


def next_step(session: Session) -> Step:
    """The next event of a session as a step of a trace."""
    program = session.program
    begins = session.event % len(program.ops) == 0
    names = program.batch(session.event // len(program.ops)) if begins else ()
    batch = {name: session.tensors[name] for name in names if name in ("x", "y")}
    session.step()
    event = session.last_event()
    assert event is not None
    return Step((event,), Granularity.OP, loss_of(session.tensors), batch if begins else None)


def recorded_arrays(recording: Recording, branch: str) -> dict[str, Array]:
    """The data, the losses, and the parameters after every iteration (or every k-th).

    ``iterations`` says after which; entry 0 is the beginning.
    """
    session, _ = open_session(recording)
    session.branches.switch(branch)
    ops, known = len(session.program.ops), session.known
    session.goto(0)
    parameters = [info.name for info in session.program.parameters]
    size = sum(info.nbytes for info in session.program.parameters)
    count = known // ops
    spacing = max(1, -(-size * (count + 1) // NPZ_BYTES))
    wanted = [*range(0, count, spacing), count]
    stacks: dict[str, list[Array]] = {name: [] for name in parameters}
    for iteration in wanted:
        session.goto(iteration * ops)
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
