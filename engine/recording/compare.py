"""Two runs side by side: the first event and tensor that differ, why, and how it grows."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.errors import LAYER
from engine.program.program import Program
from engine.recording.canonical import (
    ORDERED,
    experiment_text,
    journal_texts,
    parse,
    self_contained,
    table_of,
)
from engine.recording.ulps import ulps_between
from engine.run.position import Granularity
from engine.run.position_text import format_position
from engine.session.changes import first_difference
from engine.session.journal import Journal
from engine.session.session import Session

COLUMNS = 6
MOST_REASONS = 12  # fields that are told one by one
KINDS = {"seed": "seed", "dtype": "dtype", "data": "data", "layers": "layer", "loss": "loss"}
HYPER = ("optimizer", "schedule", "clip")


@dataclass(frozen=True)
class Difference:
    """The first place where the runs differ; ``event`` is None before the first event.

    ``values`` are None where the shapes or dtypes differ, or only one run has the tensor.
    """

    event: int | None
    position: str
    tensor: str
    index: tuple[int, ...] | None = None
    values: tuple[float, float] | None = None
    ulps: int | None = None
    about: str = ""


@dataclass
class Outcome:
    """What a comparison found; ``table`` has the largest |Δ| of each tensor after ``columns``.

    ``columns`` are iterations, counted from 1. |Δ| is None where the tensors cannot be compared.
    """

    iterations: int
    compared: int = 0
    first: Difference | None = None
    reasons: list[str] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    table: dict[str, list[float | None]] = field(default_factory=dict)


class Comparison:
    """Two sessions at their first events, run in step for so many iterations.

    ``tolerance`` is relative beyond 1 and absolute below; 0 compares bit by bit.
    """

    def __init__(self, a: Session, b: Session, iterations: int, tolerance: float = 0.0) -> None:
        self.sides = a, b
        self.tolerance = tolerance
        self.outcome = Outcome(iterations, reasons=list(reasons(a, b)))
        self.columns = sorted(
            {1 + round(i * (iterations - 1) / (COLUMNS - 1)) for i in range(COLUMNS)}
        )

    def run(self) -> Generator[int, None, Outcome]:
        """Compare to the last iteration, and yield how many are done."""
        a, b = self.sides
        self.start()
        for iteration in range(1, self.outcome.iterations + 1):
            if self.outcome.first is None:
                self.iteration(iteration)
            for session in self.sides:
                session.goto(session.timeline.begin(iteration))
            if iteration in self.columns:
                self.column(iteration, a.tensors, b.tensors)
            self.outcome.compared = iteration
            yield iteration
        return self.outcome

    def start(self) -> None:
        """Compare the tensors that exist before the first event."""
        a, b = (session.tensors for session in self.sides)
        for name in [*a, *(name for name in b if name not in a)]:
            self.compare(None, "start", name, a.get(name), b.get(name))

    def iteration(self, iteration: int) -> None:
        """Compare an iteration op by op; each run does those the other lacks on the way."""
        a, b = self.sides
        for index, other in aligned(a.program, b.program):
            a.goto(a.timeline.begin(iteration - 1) + index)
            b.goto(b.timeline.begin(iteration - 1) + other)
            place = format_position(a.program, a.event)
            for name in ("x", "y", *edited(a), *edited(b)):
                self.compare(a.event, place, name, a.tensors.get(name), b.tensors.get(name))
            event = a.event
            for session in self.sides:
                session.step(1, Granularity.OP)
            for name in a.program.ops[index].writes:
                self.compare(event, place, name, a.tensors.get(name), b.tensors.get(name))
            if self.outcome.first is not None:
                return

    def compare(
        self, event: int | None, place: str, name: str, a: Array | None, b: Array | None
    ) -> None:
        """Note two tensors as the first difference, if they differ and there is none yet."""
        if self.outcome.first is not None or a is b or (a is None and b is None):
            return
        if a is None or b is None:
            about = f"only {'B' if a is None else 'A'} has it"
            self.outcome.first = Difference(event, place, name, about=about)
        elif a.shape != b.shape or a.dtype != b.dtype:
            about = f"{a.shape} {a.dtype} against {b.shape} {b.dtype}"
            self.outcome.first = Difference(event, place, name, about=about)
        elif (index := self.differing(a, b)) is not None:
            values = a[index], b[index]
            ulps = ulps_between(*values) if a.dtype.kind == "f" else None
            pair = float(values[0]), float(values[1])
            self.outcome.first = Difference(event, place, name, index, pair, ulps)

    def differing(self, a: Array, b: Array) -> tuple[int, ...] | None:
        """The first index at which two tensors differ by more than the tolerance."""
        if self.tolerance == 0:
            return first_difference(a, b)
        with np.errstate(all="ignore"):
            bound = self.tolerance * np.maximum(1, np.maximum(np.abs(a), np.abs(b)))
            near = (np.abs(a - b) <= bound) | (a == b) | (np.isnan(a) & np.isnan(b))
        if near.all():
            return None
        flat = int(np.argmin(near))
        return tuple(int(i) for i in np.unravel_index(flat, a.shape))

    def column(self, iteration: int, a: Mapping[str, Array], b: Mapping[str, Array]) -> None:
        """Enter the largest |Δ| of each tensor after an iteration into the table."""
        self.outcome.columns.append(iteration)
        for name in a:
            if name in b:
                row = self.outcome.table.setdefault(name, [])
                row += [None] * (len(self.outcome.columns) - 1 - len(row))
                row.append(largest(a[name], b[name]))


def edited(session: Session) -> list[str]:
    """The names of the tensors that were edited at the cursor."""
    edits = session.journal.edits.get(session.event, ())
    return [session.program.resolve(edit.target) for edit in edits]


def largest(a: Array, b: Array) -> float | None:
    """max |a − b|; None for different shapes, NaN where only one of them is NaN."""
    if a.shape != b.shape:
        return None
    with np.errstate(all="ignore"):
        delta = np.abs(a.astype(np.float64) - b.astype(np.float64))
        same = (a == b) | (np.isnan(a) & np.isnan(b))
    return float(np.max(np.where(same, 0.0, delta), initial=0.0))


def aligned(a: Program, b: Program) -> list[tuple[int, int]]:
    """The ops that both programs have, by phase and name, in an order that both follow."""
    places = {(op.phase, op.name): op.index for op in b.ops}
    pairs: list[tuple[int, int]] = []
    for op in a.ops:
        other = places.get((op.phase, op.name))
        # An op that b has before the last pair would have to be run backwards: it is passed over.
        if other is not None and (not pairs or other > pairs[-1][1]):
            pairs.append((op.index, other))
    return pairs


def reasons(left: Session, right: Session) -> Iterator[str]:
    """What is different in the experiments, the data and the edits."""
    # Another name is no reason, nor how far a run was to go: both are compared equally far.
    yield from differences(left.program, right.program, ("name", "description", "training.epochs"))
    yield from edits(left.journal, right.journal)


def differences(left: Program, right: Program, ignored: Sequence[str] = ()) -> Iterator[str]:
    """What is different in the experiments, but for the ``ignored`` fields, and in the data."""
    texts = (experiment_text(self_contained(program)) for program in (left, right))
    old, new = (tables(parse(text, "experiment")) for text in texts)
    shown = [path for path in paths(old, new, "") if path[0] not in ignored]
    for path, old, new in shown[:MOST_REASONS]:
        yield f"{said(path)} {short(old)} → {short(new)}"
    if len(shown) > MOST_REASONS:
        yield f"and {len(shown) - MOST_REASONS} more differences between the experiments"
    x, y = left.data, right.data
    pairs = [(x.x, y.x), (x.y, y.y)]
    if any(a.dtype == b.dtype and first_difference(a, b) is not None for a, b in pairs):
        yield f"data: {x.x.shape} against {y.x.shape}, or other values"


def tables(raw: Any) -> Any:
    """A parsed experiment with its ordered tables as tables, so that they are compared by name."""
    return raw | {name: table_of(raw[name], name) for name in ORDERED if name in raw}


def said(path: str) -> str:
    """A field with its kind; layers are counted from 1, as people do."""
    layer = LAYER.match(path)
    if layer is None:
        return f"{kind(path)}: {path}"
    number, rest = int(layer[1]) + 1, path[layer.end() :].removeprefix(".")
    if not rest:
        return f"layer {number}:"
    return (
        f"layer {number}: {rest}"
        if kind(path) == "layer"
        else f"{kind(path)}: layer {number} {rest}"
    )


def kind(path: str) -> str:
    """The kind of a field of an experiment: seed, data, layer, initial value, hyper-parameter, …"""
    table = path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    if path.endswith((".weight", ".bias", ".init", ".init_scale")) and table == "layers":
        return "initial value"
    return "hyper-parameter" if table in HYPER else KINDS.get(table, "training")


def short(value: Any) -> str:
    """A value in at most 40 characters."""
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def paths(a: Any, b: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """The fields of two parsed experiments that differ: path, left and right value.

    Layers are compared one by one, any other list as a whole.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [*a, *(key for key in b if key not in a)]:
            inner = f"{path}.{key}" if path else key
            yield from paths(a.get(key), b.get(key), inner)
    elif isinstance(a, list) and isinstance(b, list) and path == "layers":
        for i in range(max(len(a), len(b))):
            left, right = (items[i] if i < len(items) else None for items in (a, b))
            yield from paths(left, right, f"{path}[{i}]")
    elif a != b:
        yield path, a, b


def edits(a: Journal, b: Journal) -> Iterator[str]:
    """The edits that only one of the runs has."""
    left, right = journal_texts(a), journal_texts(b)
    for name, entries, texts, others in (("A", a, left, right), ("B", b, right, left)):
        for entry, text in zip(entries, texts, strict=True):
            if text not in others:
                yield f"edit: only {name} has #{entry.event} {short(str(entry))}"
