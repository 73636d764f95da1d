"""What stands at ops and over iterations: breakpoints, ops that are left out, marks of events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.debugger import Debugger
from engine.run.timeline import Listing
from engine.session.session import Session
from engine.stops.stop import StopKind


@dataclass(frozen=True)
class Signs:
    """What stands at ops and over iterations, and what that was made from.

    ``stops`` has the indices of ops with breakpoints, and whether one of these is enabled;
    ``skipped`` those of ops that the journal leaves out in this iteration; ``marks`` what is over
    the timeline: (event, symbol, role).
    """

    made_from: tuple[object, ...] = ()
    marks: tuple[tuple[int, str, str], ...] = ()
    stops: Mapping[int, bool] = field(default_factory=dict)
    skipped: frozenset[int] = frozenset()


def marks_of(debugger: Debugger) -> Iterator[tuple[int, str, str]]:
    """The marks over the timeline, (event, symbol, role): stops at a position, edits, bookmarks."""
    last = debugger.run.timeline.end - 1
    for stop in debugger.stops:
        if stop.kind == StopKind.POSITION and stop.enabled:
            event = debugger.stops.event_of(stop.number)
            if event is not None:
                yield event, "●", "bad"
    for entry in debugger.session.journal:
        yield min(entry.event, last), "✎", "changed"
    for bookmark in debugger.bookmarks.values():
        yield min(bookmark.event, last), "'", "name"


def stops_of(debugger: Debugger, listing: Listing) -> dict[int, bool]:
    """The indices of ops with breakpoints, and whether one of these is enabled."""
    stops = debugger.stops
    found = {op.index: stops.at_op(listing, op.index) for op in listing.ops} if len(stops) else {}
    return {index: any(stop.enabled for stop in these) for index, these in found.items() if these}


def skipped_in(session: Session, listing: Listing, begin: int) -> frozenset[int]:
    """The indices of ops that the journal leaves out in the iteration that begins at ``begin``."""
    journal = session.journal
    if not journal.skips:
        return frozenset()
    ops = listing.ops
    return frozenset(o.index for o in ops if journal.skipped(o.phase, o.name, begin + o.index))


def signs_of(debugger: Debugger, listing: Listing, begin: int, known: Signs | None = None) -> Signs:
    """The signs at the cursor; ``known`` again where nothing has changed that they are made from.

    Stepping changes none of it, and is what is done most.
    """
    session = debugger.session
    journal = session.journal
    made_from = (
        tuple(debugger.stops.numbered.values()),
        tuple(debugger.bookmarks.values()),
        journal,
        listing,
        begin if journal.skips else 0,
        session.timeline.end,
    )
    if known is not None and known.made_from == made_from:
        return known
    skipped = skipped_in(session, listing, begin)
    return Signs(made_from, tuple(marks_of(debugger)), stops_of(debugger, listing), skipped)
