"""Where a command left the cursor, in a line and as data."""

from typing import Any

from engine.debugger import Debugger
from engine.run.position_text import format_position
from engine.run.run import Run
from engine.stops.evidence import number
from engine.stops.run_control import Hit, LongRun, Outcome, progress
from engine.words.command import Long, Reply


def here(debugger: Debugger) -> str:
    """``#41 i3:backward:linear2.weight.grad  ∂ℓ/∂W⁽²⁾ += …  loss 1.03``."""
    op = debugger.session.op
    place = f"#{debugger.event} {format_position(debugger.run, debugger.event)}"
    loss = f"loss {number(debugger.session.loss)}" if debugger.session.loss is not None else ""
    return "  ".join(part for part in (place, op.label if op else "", loss) if part)


def place_data(debugger: Debugger) -> dict[str, Any]:
    """Where the cursor stands, as data."""
    op, position = debugger.session.op, debugger.session.position
    return {
        "event": debugger.event,
        "epoch": position.epoch,
        "iteration": position.iteration,
        "phase": str(op.phase) if op else None,
        "op": op.name if op else None,
        "loss": debugger.session.loss,
        "branch": debugger.session.branch.name,
    }


def arrived(debugger: Debugger, *lines: str, **data: Any) -> Reply:
    """The answer of a command that moved the cursor."""
    return Reply((*lines, here(debugger)), {"at": place_data(debugger), **data})


def hit_data(hit: Hit, run: Run) -> dict[str, Any]:
    """A stop that was met, as data; what came with a batch was written by no event."""
    data: dict[str, Any] = {"stop": hit.stop.number or None, "what": str(hit.stop)}
    if hit.evidence:
        found = hit.evidence
        data |= {"tensor": found.tensor, "index": list(found.index)}
        data |= {"before": found.before, "after": found.after, "note": found.note}
        timeline = run.timeline
        begins = hit.event == timeline.begin(timeline.iteration(hit.event))
        entered = begins and found.tensor in run.entering
        data |= {"written_by": None if entered else hit.event - 1}
    if hit.problem:
        data["problem"] = hit.problem
    return data


def concluded(debugger: Debugger, run: LongRun, backwards: bool = False) -> Long:
    """Continue a LongRun to its end, with progress; the reply says where and at which stops."""
    logs: list[str] = []
    # Before the run, which may be left at any yield: the way back is known all the same.
    debugger.jumps.leave(debugger.event)
    while True:
        try:
            on_the_way = next(run)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            break
        logs += on_the_way.logs
        yield on_the_way
    edge = "the beginning of the run" if backwards else "the end of the run"
    why = [str(hit) for hit in outcome.hits] or [f"no stop up to {edge}"]
    hits = [hit_data(hit, debugger.run) for hit in outcome.hits]
    return arrived(debugger, *logs, *why, hits=hits, logs=logs)


def travelled(debugger: Debugger, target: int, jump: bool = True) -> Long:
    """Go to an event, and answer where that is; a jump remembers where it came from."""
    if jump:
        debugger.jumps.leave(debugger.event)
    for _ in debugger.session.travel(target):
        yield progress(debugger.session, [])
    return arrived(debugger)
