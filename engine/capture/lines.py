"""The events of a captured run as JSON objects, one for each op, phase or iteration."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine import __version__
from engine.arrays import Array
from engine.capture.captured import CapturedRun, degree_of
from engine.capture.messages import Degree
from engine.run.kept import Degree as Kept
from engine.run.position import Granularity


def header(run: CapturedRun) -> dict[str, Any]:
    """The first line: whose events these are."""
    parameters = [one for one in run.tensors.values() if one.role == "parameter"]
    return {
        "gradstep": __version__,
        "captured": run.name,
        "command": list(run.stored.run.command.get("arguments", ())),
        "parameters": [{"name": one.name, "shape": list(one.shape)} for one in parameters],
        "ops": len(run.timeline.listings[0]),
    }


def spans(run: CapturedRun, granularity: Granularity, iterations: int) -> Iterator[tuple[int, int]]:
    """The events that are told together, from each first up to the end."""
    timeline = run.timeline
    event, end = 0, timeline.begin(iterations)
    while event < end:
        stop = min(timeline.boundary(event, granularity, 1), end)
        yield event, stop
        event = stop


def span_object(
    run: CapturedRun, start: int, stop: int, granularity: Granularity, values: bool = False
) -> dict[str, Any]:
    """Events of one iteration as one object; op, layer and formula are null for several."""
    position, op = run.timeline.position(start), run.timeline.op(start)
    single = granularity == Granularity.OP
    line: dict[str, Any] = {
        "event": start,
        "epoch": position.epoch,
        "iteration": position.iteration,
        "phase": None if granularity == Granularity.ITERATION else op.phase,
        "op": op.name if single else None,
        "layer": op.layer if single else None,
        "formula": op.formula if single else None,
    }
    if single:
        line |= {"kind": op.kind, "file": op.file, "line": op.line or None}
    ops = run.timeline.stretch(start, stop)
    written: dict[str, int] = {}
    reads: dict[str, None] = {}
    for event, one in enumerate(ops, start):
        reads.update((name, None) for name in one.reads if name not in written)
        written.update((name, event) for name in one.writes)
    line["reads"] = list(reads)
    line["writes"] = [
        write_object(run, name, start, event, values) for name, event in written.items()
    ]
    line["loss"] = loss_after(run, stop)
    if single:
        line["facts"] = facts_at(run, start)
    return line


def write_object(
    run: CapturedRun, name: str, start: int, event: int, values: bool
) -> dict[str, Any]:
    """A written tensor: shape, dtype, how much of it was kept, and with values what it held."""
    places, stored = run.places, run.stored
    place = places.locate(event + 1, name)
    assert place is not None
    iteration, slot, written = place
    tensor = stored.tensors[stored.block(iteration).numbers[slot]]
    told = stored.told(iteration, slot, written)
    if told.degree & Degree.GONE:
        kept: str | None = None
    else:
        kept = (Kept.WHOLE if told.degree & Degree.WHOLE else degree_of(told)).name.lower()
    about: dict[str, Any] = {
        "name": name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "kept": kept,
    }
    found = told.statistics
    if found is not None:
        about["statistics"] = {
            "min": found.minimum,
            "max": found.maximum,
            "mean": found.mean,
            "rms": found.rms,
            "zeros": found.zeros,
        }
    if values:
        before = places.at(places.locate(start, name))
        about |= {"before": nested(before), "after": nested(places.value(*place))}
    return about


def nested(array: Array | None) -> Any:
    """An array as nested lists; a complex number as its two parts."""
    if array is None:
        return None
    if array.dtype.kind == "c":
        return [nested(array.real), nested(array.imag)]
    return array.tolist()


def loss_after(run: CapturedRun, event: int) -> float | None:
    """The loss that was computed last before an event."""
    count = run.timeline.count(f"loss:{run.loss_op}", event)
    return run.losses[count - 1] if 0 < count <= len(run.losses) else None


def facts_at(run: CapturedRun, event: int) -> Mapping[str, object]:
    """What else was told of an event: learning rates, what the op raised."""
    iteration = run.timeline.iteration(event)
    place = event - run.timeline.begin(iteration)
    return run.stored.facts(iteration).get(place, {})


def trace_lines(
    run: CapturedRun, granularity: Granularity, iterations: int, values: bool = False
) -> Iterator[dict[str, Any]]:
    """The header, then a line for each step of the first iterations."""
    yield header(run)
    for start, stop in spans(run, granularity, iterations):
        yield span_object(run, start, stop, granularity, values)
