"""The scalars of recordings as a table of CSV: loss, hyper-parameters, metrics by iteration."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.recording.recorded import Recording
from engine.recording.replay import open_debugger
from engine.recording.runs import RecordedBranch
from engine.run.timeline import completed
from engine.session.session import Session
from engine.strict_json import named
from engine.wording import guarded

PLACE = ("run", "branch", "iteration", "epoch")


@dataclass
class Scalars:
    """Of one branch of a run: for each iteration, counted from 1, its epoch and its scalars.

    Iteration 0 is what was measured before the first. A number is missing where there was none.
    """

    run: str
    branch: str
    epochs: dict[int, int] = field(default_factory=dict)
    values: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of the scalars, in the order in which they come."""
        return list(dict.fromkeys(name for row in self.values.values() for name in row))

    def put(self, iteration: int, name: str, value: float) -> None:
        """Note a scalar of an iteration."""
        self.values.setdefault(iteration, {})[name] = value


def scalars_of(recording: Recording, name: str, branch: str | None = None) -> list[Scalars]:
    """The scalars of all branches of a recording, or of one; ``name`` is that of the run.

    Those are the loss, the ``optimizer.`` numbers that the update of the iteration used, and what
    was measured on all the data, ``data.loss`` and so on. Raises Damaged.
    """
    session = open_debugger(recording)[0].session
    chosen = recording.branches if branch is None else {branch: recording.branches[branch]}
    return [of_branch(recording, session, name, one) for one in chosen.values()]


def of_branch(recording: Recording, session: Session, name: str, branch: RecordedBranch) -> Scalars:
    """The scalars of a branch."""
    found = Scalars(name, branch.name)
    timeline = session.timeline
    session.branches.switch(branch.name)
    for i, loss in enumerate(recording.losses(branch), 1):
        found.put(i, "loss", float(loss))
    for i, rates in hyperparameters(session, completed(timeline, branch.events)):
        for rate, value in rates.items():
            found.put(i, rate, value)
    for i, metric, measured in recording.metrics(branch):
        if measured is not None:
            found.put(i, f"data.{metric}", measured)
    for i in sorted(found.values):
        found.epochs[i] = 0 if i == 0 else timeline.position(timeline.begin(i - 1)).epoch
    return found


def hyperparameters(session: Session, count: int) -> Iterator[tuple[int, Mapping[str, float]]]:
    """The numbers of the optimizer in each of ``count`` iterations, before its last op.

    Where neither a schedule nor an edit moves them nothing is run.
    """
    program, timeline = session.program, session.timeline
    fixed = program.scalars
    edited = any(entry.target in fixed for entry in session.journal)
    if program.experiment.schedule is None and not edited:
        yield from ((i, fixed) for i in range(1, count + 1))
        return
    for i in range(1, count + 1):
        session.goto(timeline.begin(i) - 1)
        yield i, {name: float(session.tensors[name]) for name in fixed}


def csv_of(tables: Sequence[Scalars]) -> Iterator[str]:
    """The lines of a CSV file: a row for each iteration of each branch, a column for each scalar.

    Numbers have all their digits; NaN and infinities are words, and what is missing is empty.
    """
    names = list(dict.fromkeys(name for table in tables for name in table.names))
    yield line([*PLACE, *names])
    for table in tables:
        for i in sorted(table.values):
            row = table.values[i]
            cells = [str(named(row[name])) if name in row else "" for name in names]
            place = [guarded(table.run), guarded(table.branch), str(i), str(table.epochs[i])]
            yield line([*place, *cells])


def line(cells: Sequence[str]) -> str:
    """A line of CSV, with its end."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
