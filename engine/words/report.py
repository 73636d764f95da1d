"""Where a command left the cursor, in a line and as data."""

from typing import TYPE_CHECKING, Any

from engine.program.program import Program
from engine.run.position_text import format_position
from engine.stops.evidence import number
from engine.stops.run_control import Hit, Outcome, Run, progress
from engine.words.command import Long, Reply

if TYPE_CHECKING:
    from engine.session.session import Session


def here(session: "Session") -> str:
    """``#41 i3:backward:linear2.weight.grad  ∂ℓ/∂W⁽²⁾ += …  loss 1.03``."""
    op = session.op
    place = f"#{session.event} {format_position(session.program, session.event)}"
    loss = f"loss {number(session.loss)}" if session.loss is not None else ""
    return "  ".join(part for part in (place, op.label if op else "", loss) if part)


def place_data(session: "Session") -> dict[str, Any]:
    """Where the cursor stands, as data."""
    op, position = session.op, session.position
    return {
        "event": session.event,
        "epoch": position.epoch,
        "iteration": position.iteration,
        "phase": str(op.phase) if op else None,
        "op": op.name if op else None,
        "loss": session.loss,
        "branch": session.branch.name,
    }


def arrived(session: "Session", *lines: str, **data: Any) -> Reply:
    """The answer of a command that moved the cursor."""
    return Reply((*lines, here(session)), {"at": place_data(session), **data})


def hit_data(hit: Hit, program: Program) -> dict[str, Any]:
    """A stop that was met, as data; what came with a batch was written by no event."""
    data: dict[str, Any] = {"stop": hit.stop.number or None, "what": str(hit.stop)}
    if hit.evidence:
        found = hit.evidence
        data |= {"tensor": found.tensor, "index": list(found.index)}
        data |= {"before": found.before, "after": found.after, "note": found.note}
        entered = hit.event % len(program.ops) == 0 and found.tensor in program.entering
        data |= {"written_by": None if entered else hit.event - 1}
    if hit.problem:
        data["problem"] = hit.problem
    return data


def concluded(session: "Session", run: Run, backwards: bool = False) -> Long:
    """Let a long run go on, and answer where it ended and why."""
    logs: list[str] = []
    session.visited.leave(session.event)
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
    hits = [hit_data(hit, session.program) for hit in outcome.hits]
    return arrived(session, *logs, *why, hits=hits, logs=logs)


def travelled(session: "Session", target: int, jump: bool = True) -> Long:
    """Go to an event, and answer where that is; a jump remembers where it came from."""
    if jump:
        session.visited.leave(session.event)
    for _ in session.travel(target):
        yield progress(session, [])
    return arrived(session)
