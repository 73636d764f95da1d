"""The answers of commands that moved the cursor."""

from typing import Any

from engine.debugger import Debugger
from engine.run.run import Run
from engine.session.progress import Progress
from engine.stops.run_control import Hit, LongRun, Outcome
from engine.words.command import Long, Place, Reply


def place_of(debugger: Debugger) -> Place:
    """Where the cursor stands now."""
    session = debugger.session
    event, timeline = session.event, session.timeline
    op = timeline.op(event) if event < timeline.end else None
    position, branch = timeline.position(event), session.branch.name
    return Place(session.run, event, position, op, session.loss, branch)


def arrived(debugger: Debugger, *said: str, opened: Debugger | None = None, **facts: Any) -> Reply:
    """The answer of a command that moved the cursor, perhaps into an ``opened`` debugger."""
    return Reply(said, facts, place=place_of(debugger), opened=opened)


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


def returning(debugger: Debugger, search: Long) -> Long:
    """A search that, where it is left on the way, leaves the cursor where it began.

    Tensors, the past that is known there, jump list and the counts of stops are as they were, bit
    by bit; nothing is executed for it.
    """
    session, stops, jumps = debugger.session, debugger.stops, debugger.jumps
    held, kept = session.hold(), stops.kept()
    visited = list(jumps.events), jumps.place
    try:
        return (yield from search)
    except GeneratorExit:
        session.put_back(held)
        stops.put_back(kept)
        jumps.events, jumps.place = visited
        raise


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


def travelled(debugger: Debugger, target: int, jump: bool = True, **facts: Any) -> Long:
    """Go to an event, and answer where that is; a jump remembers where it came from.

    Left on the way forwards, it stays where it has come to; on the way back, from which nothing is
    seen before it is over, where it began.
    """
    if target < debugger.event:
        return returning(debugger, journey(debugger, target, jump, **facts))
    return journey(debugger, target, jump, **facts)


def journey(debugger: Debugger, target: int, jump: bool, **facts: Any) -> Long:
    """The way of :func:`travelled`."""
    session = debugger.session
    if jump and target != session.event:
        debugger.jumps.leave(session.event)
    for event in session.travel(target):
        yield Progress(event, session.loss)
    return arrived(debugger, **facts)
